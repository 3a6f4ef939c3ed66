"""Write config/README.md from the models of nws.config: every key, its default, what it means."""

import json
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nws.config import Averaging, Config, DatasetSettings, Experiment, RunSettings, Schedule
from nws.config.settings import Growth

TARGET = Path(__file__).resolve().parent.parent / "config" / "README.md"
SECTIONS = [
    (Config, "The top of the file"),
    (DatasetSettings, "A data set, under `datasets`"),
    (Experiment, "An experiment, under `experiments`"),
    (RunSettings, "A run: `settings`, `runs` and `grid` of an experiment"),
    (Averaging, "An average: `averaging`"),
    (Schedule, "A schedule: `learning_rate_schedule`, `damping_schedule`"),
    (Growth, "More samples later: `samples_later`"),
]
INTRODUCTION = """\
# Configuration

Made from `nws/config/settings.py` by `python tools/config_reference.py`: change it there.

`paper.yaml` is the paper's scale. `quick.yaml` and `smoke.yaml` are the same experiments with
smaller numbers. Your own file says only what it changes; the rest comes from the configuration it
`extends` (`paper`, unless said otherwise; `null` for nothing). Mappings are merged key by key,
everything else, lists too, is replaced; `null` in place of an experiment, a run or a data set
takes it away. Unknown keys and bad values are refused before anything runs.

```yaml
# mine.yaml: snakemake --cores 4 --configfile mine.yaml
extends: quick
scale: mine # results go to results/mine
datasets:
  letters: {source: letters.npz, binarization: static}
experiments:
  mine:
    settings: {dataset: letters, layers: [100, 20], epochs: 30}
    runs:
      plain: {algorithm: rws, learning_rate: 0.05}
    grid: # one run per combination
      damping: [0.01, 0.1]
```

YAML reads `1e-3` as text and `1.0e-3` as a number; both are understood here, and `1e4` where a
whole number is needed. `yes` and `on` are no numbers. A key that is given twice is refused.

Paths (`extends`, `source`, `mnist_dir`) are relative to the file that names them, with `nws` and
with Snakemake; `~` is your home folder. On a command line they are relative to the working folder.

A run of a grid is named by its values: `a0.01`, `layers-100-20`, `damping_schedule-linear-0.1`.

Runs of an experiment with `share` above 1 train in one job. Snakemake repeats a job as a whole: one
value more in its grid trains all of them again. `nws train EXPERIMENT` keeps those that are there.
"""


def reference() -> str:
    """The whole page."""
    return INTRODUCTION + "".join(f"\n## {title}\n\n{_table(model)}" for model, title in SECTIONS)


def _table(model: type[BaseModel]) -> str:
    rows = "".join(_row(name, field) for name, field in model.model_fields.items())
    return f"| key | default | meaning |\n| --- | --- | --- |\n{rows}"


def _row(name: str, field: FieldInfo) -> str:
    choices = getattr(field.annotation, "__args__", ())
    literal = all(isinstance(choice, str) for choice in choices) and choices
    allowed = f"; one of {', '.join(f'`{choice}`' for choice in choices)}" if literal else ""
    meaning = f"{field.description}{allowed}".replace("|", r"\|")
    return f"| `{name}` | {_default(field)} | {meaning} |\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if isinstance(value, BaseModel):
        value = value.model_dump()
    return f"`{json.dumps(value)}`"


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")

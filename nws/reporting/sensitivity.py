"""What one change of a setting does to Table 1's RWS and NRWS on miniMNIST B: was it that?

The runs ``rws`` and ``nrws`` of the experiment have the paper's settings; every other run has one
of them changed. All are equally long, and shorter than the paper's.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from nws.config import Run, RunSettings
from nws.reporting import scores, wording
from nws.reporting.results import Results

if TYPE_CHECKING:
    import pandas as pd

EXPERIMENT = "sensitivity"
ALGORITHMS = ("rws", "nrws")
SCALED = ("learning_rate", "damping")  # changed by a factor, to other values in RWS than in NRWS
BASE = "none: Table 1’s settings"
COLUMNS = [
    "change",
    *(
        f"{algorithm}_{what}"
        for algorithm in ALGORITHMS
        for what in ("ll", "difference", "seeds", "run")
    ),
    "standard_error",
    "epochs",
    "likelihood_samples",
    "likelihood_images",
    "status",
]


def table(results: Results) -> "pd.DataFrame":
    """One row a change: test log-likelihoods, nats, and what they gain on the unchanged run."""
    import pandas as pd

    bases = {run.name: run for run in results.runs(EXPERIMENT) if run.name in ALGORITHMS}
    rows: dict[str, dict[str, Run]] = {}
    for run in results.runs(EXPERIMENT):
        if base := bases.get(run.settings.algorithm):
            said = change(base.settings, run.settings)
            rows.setdefault(said, {})[run.settings.algorithm] = run
    found = [_row(results, said, runs) for said, runs in rows.items()]
    return pd.DataFrame(found, columns=COLUMNS, dtype=object)


def change(base: RunSettings, other: RunSettings) -> str:
    """In what settings differ, for reading: ``learning rate ×2``, ``samples 5``."""
    before, after = base.model_dump(), other.model_dump()
    changed = [key for key in before if after[key] != before[key]]
    said = [
        f"×{after[key] / before[key]:g}" if key in SCALED else wording.brief(after[key])
        for key in changed
    ]
    keys = [key.replace("_", " ") for key in changed]
    return ", ".join(f"{k} {v}" for k, v in zip(keys, said, strict=True)) or BASE


def _row(results: Results, said: str, runs: dict[str, Run]) -> dict[str, Any]:
    settings = next(iter(runs.values())).settings
    entries = {name: results.seeds_of(EXPERIMENT, run.name) for name, run in runs.items()}
    scored = {name: scores.columns(found) for name, found in entries.items()}
    errors = [found["standard_error"] for found in scored.values()]
    row: dict[str, Any] = {
        "change": said,
        "standard_error": float(np.fmax.reduce(errors)),  # nan only where there is none
        "epochs": settings.epochs,
        "likelihood_samples": settings.likelihood_samples,
        "likelihood_images": settings.likelihood_images,
        "status": "; ".join(dict.fromkeys(found["status"] for found in scored.values())),
    }
    for name, found in scored.items():
        base = scores.columns(results.seeds_of(EXPERIMENT, name))["ll_test_mean"]
        difference = None if said == BASE else found["ll_test_mean"] - base
        row[f"{name}_ll"], row[f"{name}_difference"] = found["ll_test_mean"], difference
        row[f"{name}_seeds"] = found["seeds"]
        row[f"{name}_run"] = f"{EXPERIMENT}/{runs[name].name}"
    return row

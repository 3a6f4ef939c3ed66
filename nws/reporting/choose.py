"""What the searches chose, as a configuration: no number is copied by hand.

The runs of the race, and those of the longer search, are slots: each takes the settings that its
rival's search found best for it, the longer search's the best of the shorter in their order.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import yaml

from nws.config import Run
from nws.errors import NwsError
from nws.reporting import race, search
from nws.reporting.results import Results

SHORT, LONG = search.EXPERIMENTS
HEAD = "# By `nws choose`: what the searches of {scale} found best for each rival and budget.\n"


def text(results: Results, extends: str) -> tuple[str, list[str]]:
    """YAML over the configuration ``extends``: the experiments whose settings were searched; and
    the slots that cannot be filled yet, which it leaves out. NwsError if that is all of them."""
    experiments: dict[str, Any] = {}
    empty = []
    for slot, best in _filled(results):
        if best is None:
            empty.append(f"{slot.experiment}/{slot.name}")
            continue
        runs = experiments.setdefault(slot.experiment, {"runs": {}})["runs"]
        runs[slot.name] = _settings(results, slot, best)
    if not experiments:
        raise NwsError(
            f"{results.root}: nothing to choose from: no run of {SHORT} has ended (and is scored, "
            f"if it is to be); first: nws train {SHORT} --evaluate, with the same --config and "
            "--results"
        )
    scale = results.config.scale
    content = {"extends": extends, "scale": scale, "experiments": experiments}
    return HEAD.format(scale=scale) + yaml.safe_dump(content, sort_keys=False, width=100), empty


def _filled(results: Results) -> Iterator[tuple[Run, Run | None]]:
    """Each slot with the run whose settings it takes; None: there is none yet."""
    seen: Counter[str] = Counter()
    for slot in results.runs(LONG):
        rival = race.rival(slot)
        ranked = search.ranking(results, rival, experiments=(SHORT,)).best()
        yield slot, ranked[seen[rival]] if seen[rival] < len(ranked) else None
        seen[rival] += 1
    for choice in search.choices(results):
        yield choice.run, choice.best


def _settings(results: Results, slot: Run, best: Run) -> dict[str, Any]:
    """The keys that were searched, and those that the slot has already: merging keeps those. How
    long it trains and how it is scored stay the slot's own."""
    keys = dict.fromkeys(["algorithm", *_keys(results, best), *_keys(results, slot)])
    values = best.settings.model_dump()
    return {key: values[key] for key in keys if key not in search.FREE}


def _keys(results: Results, run: Run) -> list[str]:
    """The settings that are written for a run alone, or in its grid."""
    experiment = results.config.experiments[run.experiment]
    if run.name in experiment.runs:
        return list(experiment.runs[run.name])
    labels = [name for name in experiment.grids if f"{run.name}_".startswith(f"{name}_")]
    return list(experiment.grids[max(labels, key=len)])

"""Tables 1 and 2 and that of miniMNIST's candidates, the mean over seeds beside the paper's values,
and the race's; as CSV."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nws import config as configuration
from nws.errors import NwsError
from nws.files import manifest
from nws.files.whole import write_bytes
from nws.reporting import alike, clip, paper, race, scores, search, sensitivity
from nws.reporting.frames import to_csv
from nws.reporting.results import DONE, Entry, Results

if TYPE_CHECKING:
    import pandas as pd

EXPERIMENTS: dict[str, tuple[str, ...]] = {
    "table1": ("minimnist",),
    "table2": ("mnist", "others"),
    "candidates": ("candidates",),
    "clip": (clip.TABLE1, clip.EXPERIMENT),
    "sensitivity": (sensitivity.EXPERIMENT,),
    "race_search": search.EXPERIMENTS,
    "race_scores": race.EXPERIMENTS,
}
OURS = {
    "clip": clip.table,
    "sensitivity": sensitivity.table,
    "race_search": search.table,
    "race_scores": race.table,
}  # not the paper's
NAMES = tuple(EXPERIMENTS)
COLUMNS = [
    "dataset",
    "binarization",
    "algorithm",
    "samples",
    "learning_rate",
    "damping",
    "refresh",
    "epochs",
    "images",
    "seeds",
    "ll_test_mean",
    "ci_low",
    "ci_high",
    "standard_error",
    "ll_test_seeds",
    "ll_valid",
    "log_p_star",
    "log_p_star_error",
    "likelihood_samples",
    "likelihood_images",
    "seconds_per_epoch",
    "paper_ll",
    "paper_seconds_per_epoch",
    "status",
    "run",
]


def requires(name: str, config: configuration.Config) -> list[tuple[str, str]]:
    """The (experiment, run) pairs that a table reads."""
    wanted = _experiments(name)
    return [(r.experiment, r.name) for r in configuration.runs(config) if r.experiment in wanted]


def data(name: str, results: Results) -> "pd.DataFrame":
    """One row per run; for Table 2 also the values quoted from the literature."""
    import pandas as pd

    experiments = _experiments(name)
    if name in OURS:
        return OURS[name](results)
    rows = [
        _row(name, results, results.seeds_of(experiment, run.name))
        for experiment in experiments
        for run in results.runs(experiment)
    ]
    if name == "table2":
        rows += [_literature(value) for value in paper.LITERATURE]
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)  # integers stay integers


def make(name: str, results: Results) -> list[Path]:
    """Write ``name.csv`` to ``tables`` beside the runs."""
    folder = results.root / "tables"
    path = folder / f"{name}.csv"
    write_bytes(path, to_csv(data(name, results)))
    manifest.write(folder, [path.name], f"{name}.{manifest.NAME}")
    return [path]


def _experiments(name: str) -> tuple[str, ...]:
    if name not in EXPERIMENTS:
        raise NwsError(f"no table {name!r}; available: {', '.join(NAMES)}")
    return EXPERIMENTS[name]


def _row(name: str, results: Results, entries: list[Entry]) -> dict[str, Any]:
    settings = entries[0].run.settings
    done = [entry for entry in entries if entry.status in DONE]
    good = [entry.metrics for entry in done]
    star = [s["test"] for metrics in good if (s := metrics.get("bihm"))]
    ours: dict[str, Any] = scores.columns(entries) | {
        "epochs": max((metrics["epochs"] for metrics in good), default=settings.epochs),
        "images": results.dataset(settings.dataset).get("counts", {}).get("train"),
        "log_p_star": scores.mean([score["mean"] for score in star]),
        "log_p_star_error": scores.mean([score["standard_error"] for score in star]),
        "likelihood_samples": settings.likelihood_samples,
        "likelihood_images": settings.likelihood_images,
        "seconds_per_epoch": scores.mean(
            [results.seconds_per_epoch(entry) for entry in alike.timed(done)]
        ),
        "run": f"{entries[0].run.experiment}/{entries[0].run.name}",
    }
    return _settings(results, settings) | ours | _reported(results, entries[0].run)


def _settings(results: Results, settings: configuration.RunSettings) -> dict[str, Any]:
    return {
        "dataset": settings.dataset,
        "binarization": paper.binarization(results.config, settings.dataset),
        "algorithm": settings.algorithm,
        "samples": settings.samples,
        "learning_rate": settings.learning_rate,
        "damping": settings.damping if settings.natural else None,
        "refresh": settings.refresh if settings.natural else None,
    }


def _reported(results: Results, run: configuration.Run) -> dict[str, Any]:
    """The paper's line for the same data set and algorithm, or what it quotes for the method."""
    settings = run.settings
    if alike.other_images(results.config, run.experiment, settings.dataset):
        return {}
    if run.experiment == "others":
        value = paper.quoted(settings.algorithm)
        return {"algorithm": value.method, "paper_ll": value.log_likelihood} if value else {}
    if run.experiment == "mnist":
        row = paper.table2_row(settings.algorithm)
    else:
        row = paper.table1_row(results.config, settings.dataset, settings.algorithm)
    if row is None:
        return {}
    return {
        "paper_ll": row.log_likelihood,
        "paper_seconds_per_epoch": row.seconds_per_epoch,
    }


def _literature(value: paper.Literature) -> dict[str, Any]:
    return {
        "algorithm": value.method,
        "samples": value.samples or None,
        "learning_rate": value.learning_rate or None,
        "paper_ll": value.log_likelihood,
        "status": f"literature: {value.source}",
    }

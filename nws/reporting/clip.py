"""What the clip of probabilities does to Table 1: the experiment ``clip`` beside ``minimnist``.

Both keep σ in [c, 1 - c], and their gradient is h - E[h] with that E[h]. A unit that is always
right, however saturated, is pushed on by 2c at every step.
"""

from typing import TYPE_CHECKING, Any

from nws.config import Run
from nws.reporting import alike, paper, scores
from nws.reporting.results import Results

if TYPE_CHECKING:
    import pandas as pd

EXPERIMENT, TABLE1 = "clip", "minimnist"
WIDE, NARROW = "table1", "less"  # the clip of Table 1, and the smaller one
COLUMNS = [
    "binarization",
    "algorithm",
    "epochs",
    *(f"{which}_{what}" for which in (WIDE, NARROW) for what in ("clip", "ll", "train_loss")),
    "gained",
    "standard_error",
    "paper_ll",
    "likelihood_samples",
    "seeds",
    "status",
    "run",
]


def table(results: Results) -> "pd.DataFrame":
    """One row for each run of Table 1 that was repeated with a smaller clip."""
    import pandas as pd

    wide = {run.name: run for run in results.runs(TABLE1)}
    rows = [
        _row(results, wide[run.name], run) for run in results.runs(EXPERIMENT) if run.name in wide
    ]
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)


def _row(results: Results, wide: Run, narrow: Run) -> dict[str, Any]:
    """Only seeds that both have are compared, and only runs of which all else is the same."""
    seeds = {e.seed for e in results.seeds_of(narrow.experiment, narrow.name) if e.trained}
    row: dict[str, Any] = {}
    for which, run in ((WIDE, wide), (NARROW, narrow)):
        entries = results.seeds_of(run.experiment, run.name)
        entries = [e for e in entries if not seeds or e.seed in seeds]
        found = scores.columns(entries)
        row[f"{which}_clip"] = run.settings.clip
        row[f"{which}_ll"] = found["ll_test_mean"]
        row[f"{which}_train_loss"] = scores.average(entries, "final_train_loss")
    settings = narrow.settings
    binarization = paper.binarization(results.config, settings.dataset)
    own = alike.other_images(results.config, EXPERIMENT, settings.dataset)
    reported = paper.table1_row(results.config, settings.dataset, settings.algorithm)
    unlike = ", ".join(alike.differing((wide.settings, settings), "clip"))
    return row | {
        "binarization": binarization,
        "algorithm": settings.algorithm,
        "epochs": settings.epochs,
        "gained": None if unlike else row[f"{NARROW}_ll"] - row[f"{WIDE}_ll"],
        "standard_error": found["standard_error"],
        "paper_ll": reported.log_likelihood if reported and not own else None,
        "likelihood_samples": settings.likelihood_samples,
        "seeds": found["seeds"],
        "status": found["status"] + (f"; not alike in {unlike}" if unlike else ""),
        "run": f"{EXPERIMENT}/{narrow.name}",
    }

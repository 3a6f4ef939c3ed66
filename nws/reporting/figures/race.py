"""The race: test log-likelihood at each budget, and validation loss on the way there."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nws.reporting import alike, paper, race, scores, wording
from nws.reporting.figures import style
from nws.reporting.results import DONE, Entry, Results

EXPERIMENTS = race.EXPERIMENTS
COLUMNS = [
    "panel", "rival", "algorithm", "budget", "run", "seed", "status", "epoch", "seconds",
    "valid_loss", "ll_test", "ci_low", "ci_high", "seeds",
]  # fmt: skip
SCORE, CURVE, PAPER = "score", "curve", "paper"
# A variant has its algorithm's colour, and a marker and dashes of its own.
VARIANTS = {"rws_adam": ("X", (0, (4, 1.5))), "nrws_mended": ("*", (0, (4, 1.5)))}


def data(results: Results) -> pd.DataFrame:
    """A row for each budget and rival, each epoch of each run, and the paper's NRWS."""
    rows = [_score(results, entries) for entries in race.groups(results)]
    frame = pd.DataFrame([*rows, *_paper(results)], columns=COLUMNS)
    curves = [_curves(results, name) for name in EXPERIMENTS if results.runs(name)]
    return pd.concat([part for part in (frame, *curves) if len(part)] or [frame], ignore_index=True)


def draw(frame: pd.DataFrame) -> Figure:
    figure = style.figure(3.6)
    left, right = figure.subplots(1, 2)
    _scores(left, frame)
    _losses(right, frame)
    found = set(frame["rival"])
    handles = [
        style.entry(race.RIVALS[name], **_look(name)) for name in race.RIVALS if name in found
    ]
    if (frame["panel"] == PAPER).any():
        handles.append(style.entry("paper’s NRWS, 500 epochs", ls=":", color="#555555"))
    figure.legend(handles=handles, loc="outside upper center", ncols=5, columnspacing=1.2)
    style.note(figure, frame[frame["panel"] == CURVE])
    return figure


def _score(results: Results, entries: list[Entry]) -> dict[str, object]:
    run, found = entries[0].run, scores.columns(entries)
    return {
        "panel": SCORE,
        "rival": race.rival(run),
        "algorithm": run.settings.algorithm,
        "budget": run.settings.budget,
        "run": f"{run.experiment}/{run.name}",
        "status": found["status"],
        "seconds": scores.average(entries, "seconds"),
        "ll_test": found["ll_test_mean"],
        **{key: found[key] for key in ("ci_low", "ci_high", "seeds")},
    }


def _paper(results: Results) -> list[dict[str, object]]:
    """The paper's NRWS on the same images, if the race is on them."""
    runs = [entries[0].run for entries in race.groups(results)]
    names = dict.fromkeys(
        run.settings.dataset
        for run in runs
        if not alike.other_images(results.config, run.experiment, run.settings.dataset)
    )
    rows = [row for n in names if (row := paper.table1_row(results.config, n, "nrws"))]
    return [
        {"panel": PAPER, "algorithm": "nrws", "status": "reference", "ll_test": row.log_likelihood}
        for row in rows
    ]


def _curves(results: Results, experiment: str) -> pd.DataFrame:
    runs = {run.name: run for run in results.runs(experiment)}
    history = results.history(experiment)
    return history.assign(
        panel=CURVE,
        rival=history["run"].map(lambda name: race.rival(runs[name])),
        budget=history["run"].map(lambda name: runs[name].settings.budget),
        run=experiment + "/" + history["run"],
    ).reindex(columns=COLUMNS)


def _scores(axes: Axes, frame: pd.DataFrame) -> None:
    """Each rival a little beside the others, so that their intervals can be told apart."""
    scored = frame[(frame["panel"] == SCORE) & np.isfinite(frame["ll_test"].astype(float))]
    rivals = [name for name in race.RIVALS if name in set(scored["rival"])]
    for place, name in enumerate(rivals):
        rows = scored[scored["rival"] == name].sort_values("budget")
        beside = 1.03 ** (place - (len(rivals) - 1) / 2)
        low, high = rows["ll_test"] - rows["ci_low"], rows["ci_high"] - rows["ll_test"]
        axes.errorbar(
            rows["budget"] * beside,
            rows["ll_test"],
            yerr=np.nan_to_num([low, high]),
            elinewidth=0.8,
            capsize=2,
            **_look(name),
        )
    for value in frame.loc[frame["panel"] == PAPER, "ll_test"]:
        axes.axhline(value, ls=":", color="#555555")
    style.log(axes, "x")
    budgets = sorted(set(scored["budget"]))
    if budgets:
        axes.set_xticks(budgets, [wording.budget(seconds) for seconds in budgets])
    axes.set(xlabel="training time", ylabel="test log-likelihood (nats)")


def _losses(axes: Axes, frame: pd.DataFrame) -> None:
    """Every seed of each rival's longest race."""
    curves = frame[frame["panel"] == CURVE]
    for name, rows in curves.groupby("rival", sort=False):
        done = rows[rows["status"].isin(DONE)]
        rows = rows[rows["budget"] == (done if len(done) else rows)["budget"].max()]
        for _, run in rows.groupby(["run", "seed"]):
            style.curve(axes, run, "seconds", "valid_loss", alpha=0.9, **_look(str(name)))
    style.log(axes, "x")
    style.limit(axes, curves, ["valid_loss"])
    style.log(axes, "y")
    axes.set(xlabel="training time (s)", ylabel="validation loss (nats)")


def _look(rival: str) -> style.Look:
    algorithm = rival.split("_")[0]
    marker, dashes = VARIANTS.get(rival, (style.MARKERS.get(algorithm, "x"), "-"))
    return {"color": style.COLOURS.get(algorithm, "#555555"), "marker": marker, "ls": dashes}

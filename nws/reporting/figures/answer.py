"""The answer: Tables 1 and 2 less the paper's values, and the verdict on every claim.

One row a value, one a claim. Colours and signs are those of the verdicts in the report.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nws.reporting import claims, paper, tables, wording
from nws.reporting.claims.claim import NOT_AT_SCALE, NOT_REPRODUCED, NOT_RUN, PARTLY, REPRODUCED
from nws.reporting.claims.likelihood import TOLERANCE
from nws.reporting.figures import style
from nws.reporting.results import Results

EXPERIMENTS = tuple(dict.fromkeys(name for claim in claims.ALL for name in claim.needs.experiments))
COLUMNS = [
    "panel", "topic", "claim", "verdict", "ours", "low", "high", "paper", "difference",
]  # fmt: skip
VALUE, CLAIM = "value", "claim"
FAR = 3.0  # nats: what is farther away is an arrow at the edge, so that the tolerance can be seen
TOPICS = {
    "Structure of the Fisher matrix": ("blocks", "plus-minus-one"),
    "Table 1: values and orders": ("table1-",),
    "Table 2: values and order": ("table2-",),
    "Who leads, who is there sooner": ("crossover-", "sooner-"),
    "Learning on MNIST, and its cost": ("gap", "learning-rate", "adam", "cost"),
    "Damping on 3by3": ("damping-",),
    "Best learning rate and damping": ("linear", "region-", "image-size"),
    "The refresh period K": ("k-",),
}
LOOKS = {  # colour and sign
    REPRODUCED: ("#0b6b3a", "✓"),
    PARTLY: ("#b97800", "≈"),
    NOT_REPRODUCED: ("#a4160f", "✗"),
    NOT_AT_SCALE: ("#8a929b", "–"),
    NOT_RUN: ("#8a929b", "–"),
}


def data(results: Results) -> pd.DataFrame:
    """What is compared with a number of the paper, and all verdicts."""
    verdicts = {claim.id: found.verdict for claim, found in claims.check(results)}
    rows = [
        row
        for name, experiment in (("table1", "minimnist"), ("table2", "mnist"))
        for row in _values(name, experiment, results, verdicts)
    ]
    rows += [
        {"panel": CLAIM, "topic": topic(name), "claim": name, "verdict": verdict}
        for name, verdict in verdicts.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def topic(claim: str) -> str:
    """What a claim is about."""
    return next(name for name, starts in TOPICS.items() if claim.startswith(starts))


def draw(frame: pd.DataFrame) -> Figure:
    figure = style.figure(3.4)
    left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
    _differences(left, frame[frame["panel"] == VALUE])
    _verdicts(right, frame[frame["panel"] == CLAIM])
    handles = [
        style.entry(f"{sign} {name}", color=colour, marker="s", ls="")
        for name, (colour, sign) in LOOKS.items()
        if name in set(frame["verdict"])
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=5)
    return figure


def _values(
    name: str, experiment: str, results: Results, verdicts: dict[str, str]
) -> list[dict[str, Any]]:
    """The runs of a table with a line of the paper; the interval is over seeds, or images."""
    frame = tables.data(name, results)
    frame = frame[frame["run"].astype(str).str.startswith(f"{experiment}/")]
    rows = []
    for row in frame.dropna(subset="paper_ll").to_dict("records"):
        claim = f"{name}-{row['binarization']}-{row['algorithm']}".lower()
        ours, half = _number(row["ll_test_mean"]), 1.96 * _number(row["standard_error"])
        low, high = _number(row["ci_low"]), _number(row["ci_high"])
        rows.append(
            {
                "panel": VALUE,
                "topic": f"{_images(name, row)}, {paper.NAMES[row['algorithm']]}",
                "claim": claim,
                "verdict": verdicts[claim],
                "ours": ours,
                "low": ours - half if np.isnan(low) else low,
                "high": ours + half if np.isnan(high) else high,
                "paper": row["paper_ll"],
                "difference": ours - row["paper_ll"],
            }
        )
    return rows


def _images(table: str, row: Mapping[Any, Any]) -> str:
    return f"miniMNIST {row['binarization']}" if table == "table1" else "MNIST"


def _number(value: Any) -> float:
    return np.nan if value is None else float(value)


def _differences(axes: Axes, rows: pd.DataFrame) -> None:
    """A dot for each value, in the bands of its tolerance; an arrow where it is farther away."""
    for width in (2, 1):
        axes.axvspan(-width * TOLERANCE, width * TOLERANCE, color="#0b6b3a", alpha=0.08, lw=0)
    axes.axvline(0, color="#555555", lw=0.8)
    for place, row in enumerate(rows.to_dict("records")):
        colour, _ = LOOKS[row["verdict"]]
        if abs(row["difference"]) > FAR:
            edge, side = (-FAR, "left") if row["difference"] < 0 else (FAR, "right")
            axes.plot(edge, place, "<" if side == "left" else ">", color=colour)
            text = wording.minus(f"  {row['difference']:+.1f}  ")
            axes.text(edge, place, text, color=colour, va="center", ha=side)
        elif np.isfinite(row["ours"]):
            ends = [[row["ours"] - row["low"]], [row["high"] - row["ours"]]]
            axes.errorbar(
                row["difference"],
                place,
                xerr=np.nan_to_num(ends),
                fmt="o",
                color=colour,
                elinewidth=1,
                capsize=2,
            )
        else:
            axes.text(0, place, f" {row['verdict']}", color=colour, va="center")
    labels = [f"{r['topic']}  {_pair(r)}" for r in rows.to_dict("records")]
    axes.set_yticks(range(len(rows)), labels)
    axes.set_xlim(-FAR - 0.2, FAR + 0.2)
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.grid(False, axis="y")
    axes.set_xlabel("ours − paper (nats): right of 0 ours is better")
    axes.set_title("Test log-likelihood: ours (the paper’s)", loc="left")


def _pair(row: Mapping[Any, Any]) -> str:
    ours = wording.nats(row["ours"]) if np.isfinite(row["ours"]) else "–"
    return f"{ours} ({wording.nats(row['paper'])})"


def _verdicts(axes: Axes, rows: pd.DataFrame) -> None:
    """A tile for each claim, a row for each topic."""
    for place, name in enumerate(TOPICS):
        for column, verdict in enumerate(rows.loc[rows["topic"] == name, "verdict"]):
            colour, sign = LOOKS[verdict]
            axes.plot(column, place, "s", ms=10, color=colour)
            axes.text(column, place, sign, color="white", ha="center", va="center", weight="bold")
    axes.set_yticks(range(len(TOPICS)), list(TOPICS))
    axes.set(xlim=(-0.6, 7.6), ylim=(len(TOPICS) - 0.5, -0.5), xticks=[])
    axes.grid(False)
    axes.spines[["bottom", "left"]].set_visible(False)
    axes.tick_params(length=0)
    axes.set_title(f"The {len(rows)} claims", loc="left")

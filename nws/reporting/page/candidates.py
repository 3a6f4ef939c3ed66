"""Which way to make miniMNIST B comes nearest to Table 1: the experiment ``candidates``."""

import math
from typing import NamedTuple

from nws.reporting import tables
from nws.reporting.results import Results


class Candidate(NamedTuple):
    """A data set: how it was pooled, ours − the paper's log-likelihood by algorithm in nats, and
    the mean of the absolute gaps."""

    dataset: str
    pooling: str
    pooled: str
    gaps: dict[str, float]
    distance: float


def nearest(results: Results) -> list[Candidate]:
    """The candidates of which all runs were scored, the nearest first."""
    frame = tables.data("candidates", results)
    found = []
    for name, rows in frame.groupby("dataset", sort=False):
        gaps = {
            str(row["algorithm"]): float(row["ll_test_mean"]) - float(row["paper_ll"])
            for _, row in rows.iterrows()
        }
        settings = results.config.datasets[str(name)]
        distance = sum(map(abs, gaps.values())) / len(gaps)
        if math.isfinite(distance):
            candidate = Candidate(str(name), settings.pooling, settings.pooled, gaps, distance)
            found.append(candidate)
    return sorted(found, key=lambda candidate: candidate.distance)

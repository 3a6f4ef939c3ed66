"""The crossover: the epoch from which NRWS stays below RWS on miniMNIST B, by their settings.

The claim about it (Section 6: the 12th epoch) is judged at the paper's settings. The searches of
the race trained other learning rates and dampings on the same images from the same start.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nws.config import Run, RunSettings
from nws.reporting import race, search
from nws.reporting.claims import measure
from nws.reporting.claims.claim import Unusable
from nws.reporting.claims.sooner import leads_from
from nws.reporting.results import Results

SEARCH = search.EXPERIMENTS[0]


class Lead(NamedTuple):
    """NRWS against RWS, training losses: the epoch from which NRWS stays below (infinity: never;
    the latest over seeds), and by how many nats it is below (mean) after ``epochs``, as many as
    both have."""

    experiment: str
    nrws: RunSettings
    rws: RunSettings
    epochs: int
    epoch: float
    nats: float


def leads(results: Results) -> list[Lead]:
    """The paper's pair first, then each run of the search against two of RWS: the paper's learning
    rate, and the best. Runs that are missing or diverged are left out."""
    return [lead for pair in _pairs(results) if (lead := _lead(results, *pair)) is not None]


Name = tuple[str, str]  # experiment, run


def _pairs(results: Results) -> Iterator[tuple[Name, Name]]:
    try:
        ours, theirs = (measure.one_run(results, "minimnist", a, "B") for a in ("nrws", "rws"))
    except Unusable:
        return
    yield ("minimnist", ours), ("minimnist", theirs)
    rate = _settings(results, ("minimnist", theirs)).learning_rate
    rivals = [r.name for r in _searched(results, "rws") if r.settings.learning_rate == rate]
    best = search.ranking(results, "rws", experiments=(SEARCH,)).best()
    rivals += [run.name for run in best[:1]]
    for rival in dict.fromkeys(rivals):
        for run in _searched(results, "nrws"):
            yield (SEARCH, run.name), (SEARCH, rival)


def _searched(results: Results, rival: str) -> list[Run]:
    return [run for run in results.runs(SEARCH) if race.rival(run) == rival]


def _lead(results: Results, ours: Name, theirs: Name) -> Lead | None:
    try:
        nrws, rws = (measure.curves(results, *name, "train_loss") for name in (ours, theirs))
    except Unusable:
        return None
    seeds = sorted(set(nrws) & set(rws))
    if not seeds:
        return None
    epochs = min(len(curve[seed]) for curve in (nrws, rws) for seed in seeds)
    epoch = max(leads_from(nrws[seed][:epochs], rws[seed][:epochs]) for seed in seeds)
    nats = float(np.mean([rws[seed][epochs - 1] - nrws[seed][epochs - 1] for seed in seeds]))
    natural, plain = (_settings(results, name) for name in (ours, theirs))
    return Lead(ours[0], natural, plain, epochs, epoch, nats)


def _settings(results: Results, name: Name) -> RunSettings:
    experiment, run = name
    return next(r.settings for r in results.runs(experiment) if r.name == run)

"""What a claim is, and how it is judged."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from nws.reporting.claims.scale import Needs, reached, words
from nws.reporting.results import Results

REPRODUCED = "reproduced"
PARTLY = "partly"
NOT_REPRODUCED = "not reproduced"
NOT_RUN = "not run"
NOT_AT_SCALE = "not run at this scale"
VERDICTS = (REPRODUCED, PARTLY, NOT_REPRODUCED, NOT_AT_SCALE, NOT_RUN)


@dataclass(frozen=True)
class Verdict:
    """``ours``: what was measured; ``interval``: 95% over seeds; ``why``: a sentence.

    ``scale`` belongs to the verdict: "at 20 of 20 epochs, 1 seed"; ``shorter``: fewer than it
    needs.
    """

    verdict: str
    ours: str
    why: str
    seeds: int = 0
    interval: str = ""
    scale: str = ""
    shorter: bool = False


def graded(whole: bool, part: bool) -> str:
    """Reproduced if the whole of a claim holds, partly if part of it does."""
    return REPRODUCED if whole else PARTLY if part else NOT_REPRODUCED


def counted(yes: int, total: int) -> str:
    """The same where a claim is ``total`` statements, of which ``yes`` hold."""
    return graded(yes == total, yes > 0)


class Unusable(Exception):
    """Runs that a claim needs did not end well; ``diverged`` if that is a result of its own."""

    def __init__(self, reason: str, diverged: bool = False) -> None:
        super().__init__(reason)
        self.diverged = diverged


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper that an experiment tests; its tolerance was fixed beforehand.

    ``evidence``: the file, relative to the results, that holds the numbers. ``revised``: what was
    changed in the rule with runs of the reference at hand, and what it was before.
    """

    id: str
    text: str
    where: str
    quantity: str
    paper: str
    tolerance: str
    needs: Needs
    check: Callable[[Results], Verdict]
    evidence: str
    revised: str = ""


def judge(claim: Claim, results: Results) -> Verdict:
    """The verdict on a claim, and on what scale; where runs are too small or too short to say
    anything, only what was measured."""
    needs = claim.needs
    absent = [name for name in needs.experiments if name not in results.config.experiments]
    if absent:
        return Verdict(NOT_RUN, "–", f"The configuration has no experiment {', '.join(absent)}.")
    found = _measure(claim, results)
    if shortfall := needs.shortfall(results.config):
        return replace(found, verdict=NOT_AT_SCALE, why=f"Not run at this scale: {shortfall}.")
    if found.verdict == NOT_RUN:
        return found
    reproduced = found.verdict != NOT_REPRODUCED
    return replace(
        found,
        scale=words(needs, results, found.seeds, reproduced),
        shorter=reached(needs, results)[1],
    )


def _measure(claim: Claim, results: Results) -> Verdict:
    try:
        return claim.check(results)
    except Unusable as problem:
        verdict = NOT_REPRODUCED if problem.diverged else NOT_RUN
        return Verdict(verdict, "–", f"{problem}.")

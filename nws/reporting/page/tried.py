"""What was tried about a claim that does not hold whole: the sections of the report that say so."""

from typing import NamedTuple

from nws.reporting import paper
from nws.reporting.claims import Claim, Verdict, measure
from nws.reporting.claims.claim import NOT_REPRODUCED, PARTLY
from nws.reporting.results import DONE, Results


class Trial(NamedTuple):
    """Where the report tells of it, in words, and the runs that it rests on."""

    anchor: str
    words: str
    experiment: str


CLIP = Trial("clip", "a smaller clip", "clip")
SETTINGS = Trial("sensitivity", "one setting changed at a time", "sensitivity")
IMAGES = Trial("nearest", "other images", "candidates")
RATES = Trial("crossover", "other η and α", "race_search")
RACE = Trial("the-race", "the best settings for a time", "race1")
# By the claim's first letters; B and BSt have runs of their own.
TRIALS = {
    "table1-b-": ("B", (CLIP, SETTINGS, IMAGES)),
    "table1-bst-": ("BSt", (CLIP, SETTINGS)),
    "crossover-b": ("B", (RATES,)),
    "sooner-b": ("B", (RACE,)),
}


def tried(results: Results, claim: Claim, verdict: Verdict) -> list[Trial]:
    """The trials whose runs are there, of the claim's algorithm if it is about one; none where
    there is nothing to explain."""
    if verdict.verdict not in (PARTLY, NOT_REPRODUCED):
        return []
    binarization, trials = next(
        (found for start, found in TRIALS.items() if _about(claim.id, start)), ("", ())
    )
    last = claim.id.rpartition("-")[2]
    algorithm = last if last in paper.NAMES else ""
    return [t for t in trials if _is_there(results, t.experiment, binarization, algorithm)]


def _about(claim: str, start: str) -> bool:
    return claim.startswith(start) if start.endswith("-") else claim == start


def _is_there(results: Results, experiment: str, binarization: str, algorithm: str) -> bool:
    names = measure.runs_of(results, experiment, binarization, algorithm)
    return any(e.run.name in names and e.status in DONE for e in results.entries(experiment))

"""What a claim is, what it needs before it may be judged, and how it is judged."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from nws import config as configuration
from nws.config import Config
from nws.reporting.results import Results

REPRODUCED = "reproduced"
PARTLY = "partly"
NOT_REPRODUCED = "not reproduced"
NOT_RUN = "not run"
NOT_AT_SCALE = "not run at this scale"
VERDICTS = (REPRODUCED, PARTLY, NOT_REPRODUCED, NOT_AT_SCALE, NOT_RUN)


@dataclass(frozen=True)
class Verdict:
    """``ours``: what was measured; ``interval``: 95% over seeds; ``why``: a sentence."""

    verdict: str
    ours: str
    why: str
    seeds: int = 0
    interval: str = ""


class Unusable(Exception):
    """Runs that a claim needs did not end well; ``diverged`` if that is a result of its own."""

    def __init__(self, reason: str, diverged: bool = False) -> None:
        super().__init__(reason)
        self.diverged = diverged


@dataclass(frozen=True)
class Needs:
    """The least at which a claim may be judged: every run of ``experiments`` must have it.

    Images and layers must be the paper's, as ``config/paper.yaml`` has them.
    """

    experiments: tuple[str, ...] = ()
    epochs: int = 0
    likelihood_samples: int = 0

    def shortfall(self, config: Config) -> str:
        """Why a configuration is below that; empty if it is not."""
        for name in self.experiments:
            for run in configuration.expand(name, config.experiments[name]):
                if problem := self._problem(config, run):
                    return f"{problem} ({name})"
        return ""

    def _problem(self, config: Config, run: configuration.Run) -> str:
        settings, data = run.settings, config.datasets[run.settings.dataset]
        if settings.epochs < self.epochs:
            return f"{settings.epochs} of the {self.epochs} epochs it needs"
        if data.train is not None:
            return f"{data.train:,} training images instead of all"
        if settings.likelihood_samples < self.likelihood_samples:
            wanted = f"{self.likelihood_samples:,}"
            return f"{settings.likelihood_samples:,} of {wanted} importance samples"
        if self.likelihood_samples and (settings.likelihood_images or data.test):
            return "only some of the test images scored"
        layers = _paper_layers(run.experiment)
        return f"layers {settings.layers} instead of {layers}" if settings.layers != layers else ""


@dataclass(frozen=True)
class Claim:
    """A sentence of the paper that an experiment tests; its tolerance was fixed beforehand.

    ``evidence``: the file, relative to the results, that holds the numbers.
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


def judge(claim: Claim, results: Results) -> Verdict:
    """The verdict on a claim; below the scale it needs only what was measured, and no verdict."""
    absent = [name for name in claim.needs.experiments if name not in results.config.experiments]
    if absent:
        return Verdict(NOT_RUN, "–", f"The configuration has no experiment {', '.join(absent)}.")
    found = _measure(claim, results)
    shortfall = claim.needs.shortfall(results.config)
    if not shortfall:
        return found
    return replace(found, verdict=NOT_AT_SCALE, why=f"Not run at this scale: {shortfall}.")


def _measure(claim: Claim, results: Results) -> Verdict:
    try:
        return claim.check(results)
    except Unusable as problem:
        verdict = NOT_REPRODUCED if problem.diverged else NOT_RUN
        return Verdict(verdict, "–", f"{problem}.")


@lru_cache
def _paper_layers(experiment: str) -> list[int] | None:
    """The layers of an experiment at the paper's scale; None for one that it does not have."""
    found = configuration.load().experiments.get(experiment)
    return next(configuration.expand(experiment, found)).settings.layers if found else None

"""On what scale a claim may be judged, and how its verdict says so."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from nws import config as configuration
from nws.config import Config
from nws.reporting import alike, cells
from nws.reporting.results import DONE, Entry, Results

# Of the epochs that a claim needs: a run that is shorter than that says nothing about it.
SHARE = 0.1


@dataclass(frozen=True)
class Needs:
    """What a claim needs of every run of ``experiments`` before it is judged without reserve.

    Down to a tenth of the ``epochs``, or where its key ``patience`` ended a run, a claim is judged
    at the scale that was run, and its verdict says so. Images and layers must be the paper's, as
    ``config/paper.yaml`` has them. ``algorithm``: of its runs alone.
    """

    experiments: tuple[str, ...] = ()
    epochs: int = 0
    likelihood_samples: int = 0
    algorithm: str = ""

    def concerns(self, run: configuration.Run) -> bool:
        """Whether a run of the experiments is one that the claim is about."""
        return self.algorithm in ("", run.settings.algorithm)

    def shortfall(self, config: Config) -> str:
        """Why nothing can be said with a configuration; empty if something can."""
        for name in self.experiments:
            runs = list(configuration.expand(name, config.experiments[name]))
            if name in cells.EXPERIMENTS and (problem := cells.mixed(runs)):
                return f"runs {problem} ({name})"
            for run in runs:
                if self.concerns(run) and (problem := self._problem(config, run)):
                    return f"{problem} ({name})"
        return ""

    def _problem(self, config: Config, run: configuration.Run) -> str:
        settings, data = run.settings, config.datasets[run.settings.dataset]
        if settings.epochs < SHARE * self.epochs:
            return f"{settings.epochs} of the {self.epochs} epochs it needs"
        if other := alike.other_images(config, run.experiment, settings.dataset):
            return f"data set {settings.dataset}: {other}"
        paper = _paper(run.experiment)
        images = paper[1] if paper else None
        if data.train != images:
            return f"{_count(data.train)} training images instead of {_count(images)}"
        if settings.likelihood_samples < self.likelihood_samples:
            wanted = f"{self.likelihood_samples:,}"
            return f"{settings.likelihood_samples:,} of {wanted} importance samples"
        if self.likelihood_samples and (settings.likelihood_images or data.test):
            return "only some of the test images scored"
        layers = paper[0] if paper else None
        return f"layers {settings.layers} instead of {layers}" if settings.layers != layers else ""


def reached(needs: Needs, results: Results) -> tuple[str, bool]:
    """The epochs that the runs of a claim had, in words; whether that is fewer than it needs."""
    entries = [e for name in needs.experiments for e in results.entries(name)]
    done = [e for e in entries if e.status in DONE and needs.concerns(e.run)]
    if not (needs.epochs and done):
        return "", False
    ran = min(e.metrics["epochs"] for e in done)
    early = [e for e in done if e.metrics["epochs"] < needs.epochs]
    if not early:
        return f"{ran} of {ran} epochs", False
    stopped = [e for e in early if e.status == "converged"]
    why = f", stopped where {_patience(stopped)} brought no better validation loss"
    return f"{ran} of {needs.epochs} epochs" + (why if len(stopped) == len(early) else ""), True


def words(needs: Needs, results: Results, seeds: int, reproduced: bool) -> str:
    """What follows a verdict: "at 20 of 20 epochs, 1 seed"; empty for what no run is needed for."""
    epochs, fewer = reached(needs, results)
    count = f"{seeds} seed{'s' if seeds > 1 else ''}" if seeds else ""
    if not epochs:
        return f"with {count}" if count and needs.experiments else ""
    start = "at" if reproduced or not fewer else "within"
    return f"{start} {epochs}" + (f", {count}" if count else "")


def _count(images: int | None) -> str:
    return "all" if images is None else f"{images:,}"


def _patience(entries: Iterable[Entry]) -> str:
    return " or ".join(dict.fromkeys(str(entry.run.settings.patience) for entry in entries))


@lru_cache
def _paper(experiment: str) -> tuple[list[int], int | None] | None:
    """Layers, and training images (None: all), of an experiment at the paper's scale."""
    config = alike.paper_config()
    if experiment not in config.experiments:
        return None
    settings = next(configuration.expand(experiment, config.experiments[experiment])).settings
    return settings.layers, config.datasets[settings.dataset].train

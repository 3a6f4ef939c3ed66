"""Results checked by what they came from: ``nws verify FOLDER``.

Numbers are taken back to the runs (figures, tables, claims), runs to their files (manifests,
histories), and scores to the models: those whose ``model.npz`` is there are scored again. With the
same images and samples the score must be the same up to rounding; with fewer, within the interval
that goes with them, and what it was when it was recorded (:mod:`nws.cli.quick`); what is enumerated
must be the same in any case.
"""

import io
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nws.cli import quick as kept
from nws.config import Config, RunSettings
from nws.data.datasets import build
from nws.data.store import Dataset
from nws.errors import NwsError
from nws.reporting import claims
from nws.reporting.page import provenance
from nws.reporting.results import DIVERGED, DONE, MISSING, Entry, Results, read_history

QUICK_SAMPLES, QUICK_IMAGES = 500, 1000
ROUNDING = 0.01  # nats, of float32 sums on another machine
ERRORS = 4.0  # standard errors over images; many models are scored, none may fail by chance
FEWER = 0.5  # nats by which 500 samples may lie below 10,000, on average over images
FEW = 10.0  # effective samples; where fewer carry all the weight, by the logarithm of the ratio
# Nats between two scores of the same few samples and images: the random numbers are the same, but
# on another machine a rounding may flip a sampled unit here and there (by XLA in place of a graph,
# Table 1's scores move by 2e-5).
AGAIN = 0.05
EXACT = 1e-6  # relative, in float64


class Found(NamedTuple):
    """What was compared, in numbers, and every difference as a sentence."""

    models: int
    runs: int
    problems: list[str]


def verify(
    root: Path,
    config: Config | None = None,
    quick: bool = False,
    say: Callable[[str], None] = print,
    record: bool = False,
) -> Found:
    """Check the results under ``root``, as ``config`` (by default the one with them) asks for them.

    ``record``: keep the scores; of a model that has a problem, those that were kept.
    Raises NwsError if they have no configuration, or if a data set cannot be had.
    """
    results = Results(root, config)
    entries = [entry for entry in results.all_entries() if entry.status != MISSING]
    if not entries:
        raise NwsError(
            f"{root}: there is no run to verify; name the folder of results that has some"
        )
    known, problems = _known(root) if quick else ({}, [])
    models = [e for e in entries if e.status in DONE and (e.directory / "model.npz").is_file()]
    data = _Datasets(results)
    scores = []
    for entry in models:
        try:
            made, found = _model(entry, data(entry.run.settings.dataset), quick, known, say)
        except NwsError as error:  # of this model: the others are scored all the same
            made, found = [], [str(error)]
        problems += [f"{entry.label}: {text}" for text in found]
        scores += _as_before(entry, known) if found else made  # or it would pass from now on
    if record:
        say(str(kept.write(root, scores)))
    runs = [f"{entry.label}: {text}" for entry in entries for text in _run(entry)]
    derived = [f"{path}: is not what the runs give" for path in _derived(results)]
    problems = [*provenance.changed(results), *derived, *runs, *problems, *data.problems]
    return Found(len(models), len(entries), problems)


def _as_before(entry: Entry, known: dict[kept.Key, float]) -> list[kept.Score]:
    own = (f"{entry.run.experiment}/{entry.run.name}", entry.seed)
    return [kept.Score(*key, score) for key, score in known.items() if key[:2] == own]


def _known(root: Path) -> tuple[dict[kept.Key, float], list[str]]:
    """The scores that were kept, and what is wrong with their file."""
    try:
        return kept.read(root), []
    except NwsError as error:
        return {}, [str(error)]


def _derived(results: Results) -> Iterator[str]:
    """Figures, tables and claims that are not what the runs give."""
    yield from provenance.outdated(results)
    path = results.root / "claims.csv"
    if path.is_file() and path.read_text(encoding="utf-8") != claims.to_csv(claims.check(results)):
        yield path.name


def _run(entry: Entry) -> Iterator[str]:
    """Where a run's record differs from its history, or from what the configuration asks for."""
    if entry.status not in (*DONE, DIVERGED):
        yield f"{entry.status}: {entry.reason}"
        return
    history = read_history(entry.directory / "history.csv")
    if history is None:
        yield "history.csv is missing or unreadable"
        return
    recorded: dict[str, float | None] = {"epochs": len(history)}
    for name in ("valid_loss", "train_loss"):  # of a run that diverged, the last finite ones
        finite = history[name].replace([math.inf, -math.inf], math.nan).dropna()
        recorded[f"min_{name}"] = finite.min() if len(finite) else None
        recorded[f"final_{name}"] = finite.iloc[-1] if len(finite) else None
    for key, value in recorded.items():
        said = entry.metrics.get(key)
        if said is None or value is None:
            same = said is value
        else:
            same = math.isclose(said, value, rel_tol=1e-9)
        if not same:
            yield f"{key} is {said}, but history.csv has {value}"


def _model(
    entry: Entry,
    data: Dataset,
    quick: bool,
    known: dict[kept.Key, float],
    say: Callable[[str], None],
) -> tuple[list[kept.Score], list[str]]:
    """What the model scores, and where that is not what ``metrics.json`` or ``quick.csv`` say."""
    from nws.evaluation import jobs

    settings, said = entry.run.settings, entry.metrics.get("log_likelihood")
    params = jobs.read(entry.directory / "model.npz", settings)
    problems = list(_exact(entry, params, data))
    if not said:
        return [], problems
    asked = _fewer(settings) if quick else settings
    scores = []
    for split, again in (jobs.likelihoods(params, asked, data, entry.seed) or {}).items():
        score = _score(entry, split, again)
        before = [("", said[split]["mean"], _allowed(said[split], again))]
        if score.key in known:
            before.append((f" of {kept.NAME}", known[score.key], AGAIN))
        for which, mean, allowed in before:
            text = f"{split} log-likelihood{which} {mean:.4f}, again {score.log_likelihood:.4f}"
            say(f"{entry.label}: {text} (±{allowed:.2f} allowed)")
            if not abs(score.log_likelihood - mean) <= allowed:
                problems.append(f"{text}: further apart than {allowed:.2f} nats")
        scores.append(score)
    return scores, problems


def _exact(entry: Entry, params: Any, data: Dataset) -> Iterator[str]:
    """What was enumerated and is not what the model has."""
    from nws.evaluation import jobs

    if said := entry.metrics.get("exact"):
        for key, value in jobs.exact_scores(params, data).items():
            if not math.isclose(value, said[key], rel_tol=EXACT, abs_tol=EXACT):
                yield f"exact {key} is {said[key]}, but the model has {value}"


def _fewer(settings: RunSettings) -> RunSettings:
    """Settings with the samples and images of ``--quick``, where they have not fewer themselves."""
    images = min(QUICK_IMAGES, settings.likelihood_images or QUICK_IMAGES)
    samples = min(QUICK_SAMPLES, settings.likelihood_samples)
    change = {"likelihood_samples": samples, "likelihood_images": images}
    return settings.model_copy(update=change)


def _score(entry: Entry, split: str, again: dict[str, Any]) -> kept.Score:
    run = f"{entry.run.experiment}/{entry.run.name}"
    return kept.Score(run, entry.seed, split, again["samples"], again["images"], again["mean"])


def _allowed(said: dict[str, Any], again: dict[str, Any]) -> float:
    """How far apart two scores may be: rounding, or what fewer images and samples leave open."""
    if all(said[key] == again[key] for key in ("samples", "images")):
        return ROUNDING
    few = said["effective_sample_size"] < FEW
    fewer = math.log(said["samples"] / again["samples"]) if few else FEWER
    error = again["standard_error"] or 0.0  # none of one image, which is the same one again
    return ERRORS * error + max(FEWER, fewer)


class _Datasets:
    """Data sets built again from their sources, one kept at a time."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.held: tuple[str, Dataset] | None = None
        self.problems: list[str] = []

    def __call__(self, name: str) -> Dataset:
        if self.held is None or self.held[0] != name:
            config = self.results.config
            data, about = build(name, config.datasets[name], config.mnist_dir)
            if about["sha256"] != self.results.dataset(name).get("sha256"):
                self.problems.append(f"data/{name}.json: is not of the images that there are now")
            self.held = name, data
        return self.held[1]


def report(found: Found) -> str:
    """What was verified, in a sentence. Raises NwsError that lists the differences."""
    checked = f"{found.runs} runs checked, {found.models} models scored again"
    if not found.problems:
        return f"{checked}: every number is what its files and models give."
    text = io.StringIO()
    print(f"{checked}; {len(found.problems)} differences:", file=text)
    for problem in found.problems:
        print(f"  {problem}", file=text)
    raise NwsError(text.getvalue().rstrip())

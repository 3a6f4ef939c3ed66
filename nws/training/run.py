"""One training run from its start, or its last checkpoint, to its end."""

import math
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from nws.config import RunSettings
from nws.errors import Interrupted
from nws.machine.memory import explained
from nws.machine.progress import Reporter
from nws.models.parameters import Parameters
from nws.training import checkpoint
from nws.training.checkpoint import Progress
from nws.training.history import Row, epochs_without_gain
from nws.training.program import Program
from nws.training.state import TrainState, no_totals

STRETCH = 5.0  # seconds of steps between two looks at the clock and at signals
SAVE_EVERY = 20.0  # seconds between two checkpoints; twice that, where they hold the Fisher
LESS = "lower batch, samples or the size of the layers, or set solver: cg"  # needs less memory


class Outcome(NamedTuple):
    """How a run ended: ``status`` finished, converged or diverged, with the reason."""

    params: Parameters
    status: str
    reason: str
    progress: Progress


class Work(NamedTuple):
    """Where checkpoints go (None: nowhere), and what they must match. ``caught``: the signals that
    the main thread collects for a run beside it (None: the run collects them)."""

    folder: Path | None = None
    fingerprint: Mapping[str, Any] = {}
    on_epoch: Callable[[tuple[Row, ...]], None] = lambda rows: None
    caught: list[int] | None = None


NOWHERE = Work()


@contextmanager
def stoppable() -> Iterator[list[int]]:
    """Collects SIGTERM and SIGINT instead of dying of them."""
    caught: list[int] = []
    names = (signal.SIGTERM, signal.SIGINT)
    try:
        old = {s: signal.signal(s, lambda number, _: caught.append(number)) for s in names}
    except ValueError:  # not the main thread: leave the signals to who is
        yield caught
        return
    try:
        yield caught
    finally:
        for s, handler in old.items():
            signal.signal(s, handler)


def fit(
    program: Program,
    params: Parameters,
    settings: RunSettings,
    label: str,
    work: Work = NOWHERE,
    exact_kl: Callable[[Parameters], float] | None = None,
    warn: Callable[[str], None] = print,
) -> Outcome:
    """Train until the epochs are done, the budget is spent, the validation loss has converged, or
    the run diverged."""
    begin = _begin(program, params, work, warn)
    trainer = _Trainer(program, settings, label, work, exact_kl, *begin)
    saves = work.folder is not None  # else there is no reason to outlive a signal
    with (
        stoppable() if saves and work.caught is None else nullcontext(work.caught) as caught,
        explained(lambda: f"at step {trainer.step}", LESS),
    ):
        return trainer.run([] if caught is None else caught)


def _begin(
    program: Program, params: Parameters, work: Work, warn: Callable[[str], None]
) -> tuple[TrainState, Parameters, Progress]:
    state = program.init(params)
    found = None
    if work.folder is not None:
        found = checkpoint.restore(work.folder, (state, params), work.fingerprint, warn)
    if found is None:
        return state, params, Progress()
    (state, good), progress = found
    warn(f"going on at epoch {progress.epoch + 1}, step {progress.start}")
    return state, good, progress._replace(resumed=progress.resumed + 1)


class _Trainer:
    """The state of :func:`fit` between two stretches of steps."""

    def __init__(
        self,
        program: Program,
        settings: RunSettings,
        label: str,
        work: Work,
        exact_kl: Callable[[Parameters], float] | None,
        state: TrainState,
        good: Parameters,
        progress: Progress,
    ) -> None:
        self.program, self.settings, self.work, self.exact_kl = program, settings, work, exact_kl
        self.state, self.progress = state, progress
        # Those of the last epoch's end, known to be finite: what a run that diverges leaves.
        self.good = good
        self.saved = time.monotonic()
        program.advance(state, 0, 0, 0)  # compiles; not part of the training time
        self.per_second = 0.0
        done, total = self._pace()
        self.reporter = Reporter(label, total, done, unit="s" if settings.budget else "step")

    @property
    def step(self) -> int:
        """Steps done since the start of the run."""
        return self.progress.epoch * self.program.steps_per_epoch + self.progress.start

    def _pace(self) -> tuple[int, int]:
        """What is done, and of how much: steps, or seconds where there is a budget of them."""
        if self.settings.budget is None:
            return self.step, self.settings.epochs * self.program.steps_per_epoch
        total = math.ceil(self.settings.budget)
        return min(int(self.progress.seconds), total), total

    def run(self, caught: list[int]) -> Outcome:
        try:
            while (end := self._reached()) is None:
                reason = self._stretch()
                if reason:
                    return self._end("diverged", reason)
                if caught:
                    self._save()
                    raise Interrupted(f"stopped by signal {caught[0]}; the same command goes on")
                if self._due():
                    self._save()
        finally:
            self.reporter.close()
        self._save()  # until its job has ended, too, the run is not trained again
        return self._end(*end)

    def _reached(self) -> tuple[str, str] | None:
        """Status and reason of a run that is to end here, at the end of an epoch."""
        settings, progress = self.settings, self.progress
        if progress.start != 0:
            return None
        if (
            settings.patience is not None
            and epochs_without_gain(progress.rows) >= settings.patience
        ):
            return "converged", f"no better for {settings.patience} epochs"
        if progress.epoch >= settings.epochs:
            return "finished", ""
        if settings.budget is not None and progress.seconds >= settings.budget:
            return "finished", f"its {settings.budget:g} s of training are spent"
        return None

    def _stretch(self) -> str:
        """Some steps, to the epoch's end at most; returns why the run diverged, or nothing."""
        epoch, start = self.progress.epoch, self.progress.start
        last, stop = self.program.steps_per_epoch, self._stop()
        began = time.perf_counter()
        try:
            state = self.program.advance(self.state, epoch, start, stop)
            bound = float(state.totals.bound)
        except tf.errors.InvalidArgumentError as error:
            if "not successful" not in error.message:  # nor is it a decomposition
                raise
            return self._diverge(f"a Fisher block could not be factored: {error.message[:200]}")
        spent = time.perf_counter() - began
        self.per_second = (stop - start) / max(spent, 1e-9)
        self.state = state
        seconds = self.progress.seconds + spent
        self.progress = self.progress._replace(start=stop, seconds=seconds)
        if not (math.isfinite(bound) and bool(state.totals.finite)):
            return self._diverge("the loss or a natural gradient is not finite")
        whole = "" if self.settings.budget else f"/{self.settings.epochs}"
        text = f"epoch {epoch + 1}{whole}, train loss {-bound / stop:.3f}"
        self.reporter.update(self._pace()[0], text)
        return self._finish_epoch() if stop == last else ""

    def _stop(self) -> int:
        """The step of the epoch before which a stretch ends: one that refreshes the Fisher, if
        there is one, so that no checkpoint need hold it."""
        start = self.progress.start
        some = start + max(1, int(self.per_second * STRETCH))
        stop = min(self.program.steps_per_epoch, some)
        before_refresh = stop - self._since_refresh(stop - start)
        return before_refresh if before_refresh > start else stop

    def _since_refresh(self, later: int = 0) -> int:
        """Steps since the Fisher's last refresh, so many steps from here; 0: the next refreshes."""
        every = max(1, self.settings.refresh) if self.settings.natural else 1
        return (self.step + later) % every

    def _finish_epoch(self) -> str:
        """Validate, record the epoch's row, and start the next one."""
        totals, steps = self.state.totals, self.program.steps_per_epoch
        params, epoch = self.state.published, self.progress.epoch
        valid = self.program.validate(params, epoch)
        natural = self.settings.natural
        row = self._row(
            -float(totals.bound) / steps,
            valid,
            float(totals.residual) if natural else None,
            float(totals.iterations) / steps if natural else None,
            self.exact_kl(params) if self.exact_kl else None,
            self.program.validate(self.state.params, epoch) if self.state.average else None,
            *self.program.diagnose(params, epoch),
        )
        if not (math.isfinite(valid) and _finite(params) and _finite(self.state.params)):
            return self._diverge(
                "the parameters or the validation loss are not finite",
                row._replace(valid_loss=math.nan),
            )
        self.good = params
        self.state = self.state._replace(totals=no_totals())
        self._append(row)
        return ""

    def _row(self, *values: Any) -> Row:
        epoch = self.progress.epoch + 1
        step = epoch * self.program.steps_per_epoch
        return Row(epoch, step, round(self.progress.seconds, 4), *values)

    def _append(self, row: Row) -> None:
        rows = (*self.progress.rows, row)
        self.progress = self.progress._replace(epoch=row.epoch, start=0, rows=rows)
        self.work.on_epoch(rows)

    def _diverge(self, reason: str, row: Row | None = None) -> str:
        self._append(row or self._row(math.nan, math.nan))
        return f"epoch {self.progress.epoch}: {reason}"

    def _due(self) -> bool:
        """Is a checkpoint due? One with the Fisher only when none without it came along."""
        patience = 2.0 if self._since_refresh() else 1.0
        return time.monotonic() - self.saved > patience * SAVE_EVERY

    def _save(self) -> None:
        if self.work.folder is not None:
            state = self.state if self._since_refresh() else self.state.without_metric()
            checkpoint.save(
                self.work.folder,
                self.step,
                (state, self.good),
                self.progress,
                self.work.fingerprint,
            )
        self.saved = time.monotonic()

    def _end(self, status: str, reason: str) -> Outcome:
        return Outcome(self.good, status, reason, self.progress)


def _finite(params: Parameters) -> bool:
    return all(np.isfinite(t.numpy()).all() for t in tf.nest.flatten(params))

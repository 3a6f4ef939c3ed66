"""Milliseconds per training step: ours, the peers', and the matrix products alone."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from nws.benchmark import passes, products, solves
from nws.benchmark.goals import Row, row
from nws.benchmark.peers import PEERS, Peer
from nws.benchmark.rounds import Value, interleave, ratio, value
from nws.benchmark.subjects import Architecture, Subject, settings
from nws.errors import NwsError
from nws.files.top import SCRIPTS
from nws.training.loop import compile_run
from nws.training.program import Program

EPOCH = 50_000 // 32  # steps of an epoch of the paper's
K = 50


class Variant(NamedTuple):
    """An algorithm, steps between refreshes of its Fisher (0: it has none), and the solver."""

    algorithm: str
    refresh: int = 0
    solver: str = "auto"
    slow: bool = False  # two steps are enough

    @property
    def name(self) -> str:
        """Its name in the rows: algorithm, K, and the solver if it was chosen."""
        if not self.refresh:
            return self.algorithm
        solver = "" if self.solver == "auto" else f"_{self.solver}"
        return f"{self.algorithm}_k{self.refresh}{solver}"

    @property
    def label(self) -> str:
        """Its name for readers."""
        refresh = f", K = {self.refresh}" if self.refresh else ""
        solver = "" if self.solver == "auto" else f", {self.solver}"
        return f"{self.algorithm.upper()}{refresh}{solver}"


NEEDED = [Variant("rws"), Variant("nrws", 1), Variant("nrws", K)]
USUAL = [
    *NEEDED,
    Variant("ws"),
    *(Variant("nws", k) for k in (1, K)),
    *(Variant("nrws", k, "cg") for k in (1, K)),
    Variant("nrws", 10, "shared"),
    Variant("nrws", K, "shared"),
]
DENSE = [Variant("nrws", k, s, k == 1) for s in ("cholesky", "woodbury") for k in (1, K)]


class Timing:
    """Times our steps, always from the subject's parameters; keeps losses and residuals."""

    def __init__(self, subject: Subject, variant: Variant) -> None:
        run = settings(subject.architecture, variant.algorithm, variant.refresh, variant.solver)
        self.program: Program = compile_run(run, subject.images, subject.images[:100], seed=0)
        self.state = self.program.init(subject.params)
        wanted = 2 if variant.slow else max(subject.architecture.steps, variant.refresh)
        self.steps = min(wanted, self.program.steps_per_epoch)
        self.epoch = 0
        self.losses: list[float] = []
        self.residuals: list[float] = []

    def __call__(self) -> float:
        start = time.perf_counter()
        totals = self.program.advance(self.state, self.epoch, 0, self.steps).totals
        loss = -float(totals.bound) / self.steps
        seconds = time.perf_counter() - start
        self.epoch += 1
        self.losses.append(loss)
        self.residuals.append(float(totals.residual))
        return 1000 * seconds / self.steps


class PeerTiming:
    """Times a peer's steps; keeps their losses."""

    def __init__(self, peer: Peer, steps: int) -> None:
        self.peer, self.steps = peer, steps
        self.losses: list[float] = []

    def __call__(self) -> float:
        answer = self.peer.time(self.steps)
        self.losses.append(answer["loss"])
        return answer["ms"]


class Measured(NamedTuple):
    """What one architecture gave."""

    rows: list[Row]
    seconds_per_epoch: list[dict[str, Any]]
    versions: dict[str, str]
    notes: list[str]


def measure(subject: Subject, variants: list[Variant], python: str, rounds: int) -> Measured:
    """Everything about the steps of one architecture, interleaved."""
    architecture = subject.architecture
    ours = {variant.name: Timing(subject, variant) for variant in variants}
    with ExitStack() as stack:
        peers, notes = _peers(stack, subject, python)
        measures: dict[str, Callable[[], float]] = {**ours, **peers}
        measures["products"] = products_alone(architecture)
        measures["unordered"] = products_alone(architecture, with_passes=True)
        if solves.countable(subject):
            shapes = solves.of_fresh_step(subject)
            measures["nrws_k1_products"] = _program(shapes, architecture.steps)
        times = interleave(measures, rounds, settle=True)
    rows = [
        *_ratios(architecture.name, times),
        *_times(architecture.name, variants, peers, times),
        *_checks(architecture.name, ours, peers),
    ]
    versions = {timing.peer.name: timing.peer.version for timing in peers.values()}
    return Measured(rows, _epochs(architecture.name, variants, times), versions, notes)


def products_alone(architecture: Architecture, with_passes: bool = False) -> Callable[[], float]:
    """Times the matrix products of a step of RWS; with its passes: the step without its order."""
    run = settings(architecture, "rws")
    sizes = (architecture.layers, run.batch, run.samples)
    passed = passes.of_step(*sizes) if with_passes else []
    return _program(products.of_step(*sizes), 2 * architecture.steps, passed)


def _program(
    shapes: list[products.Product], steps: int, passed: Sequence[passes.Pass] = ()
) -> Callable[[], float]:
    program = products.program(shapes, passed=passed)

    def timed() -> float:
        start = time.perf_counter()
        program(steps)
        return 1000 * (time.perf_counter() - start) / steps

    return timed


def _peers(
    stack: ExitStack, subject: Subject, python: str
) -> tuple[dict[str, PeerTiming], list[str]]:
    found, notes = {}, {}
    for name, (script, threads) in PEERS.items():
        try:
            peer = stack.enter_context(Peer(python, SCRIPTS / script, subject, threads))
            found[name] = PeerTiming(peer, subject.architecture.steps)
        except (NwsError, OSError) as error:
            notes[script] = f"{subject.architecture.name}: no {script}: {error}"
    return found, list(notes.values())


# Row, what it says, what is divided by what.
RATIOS = [
    ("rws_vs_jax", "RWS step: times faster than JAX", "jax", "rws"),
    ("rws_vs_torch", "RWS step: times faster than PyTorch", "torch", "rws"),
    ("rws_vs_products", "RWS step / its matrix products alone", "rws", "products"),
    (
        "unordered_vs_products",
        "all operations of an RWS step in no order / its products, the bound",
        "unordered",
        "products",
    ),
    ("products_vs_jax", "its products alone: times faster than JAX, the bound", "jax", "products"),
    ("products_vs_torch", "its products alone: faster than PyTorch", "torch", "products"),
    ("nrws_k1_vs_rws", "NRWS step, fresh metric (K = 1) / RWS step", "nrws_k1", "rws"),
    (
        "k1_products_vs_rws",
        "products of such an NRWS step alone / RWS step, the bound",
        "nrws_k1_products",
        "rws",
    ),
    ("nrws_k50_vs_rws", "NRWS step, K = 50 / RWS step", "nrws_k50", "rws"),
    *(
        (
            f"shared_k{k}_vs_rws",
            f"NRWS step, shared metric, K = {k} / RWS step",
            f"nrws_k{k}_shared",
            "rws",
        )
        for k in (10, K)
    ),
]


def _ratios(architecture: str, times: dict[str, list[float]]) -> list[Row]:
    return [
        row(name, what, architecture, "times", ratio(_faster(above, times), times[below]))
        for name, what, above, below in RATIOS
        if above in times and below in times
    ]


def _faster(name: str, times: dict[str, list[float]]) -> list[float]:
    """Of a peer with two threads or with one, whichever is faster here."""
    return min((times[n] for n in (name, f"{name}_1") if n in times), key=np.median)


def _times(
    architecture: str,
    variants: list[Variant],
    peers: dict[str, PeerTiming],
    times: dict[str, list[float]],
) -> list[Row]:
    labels = {variant.name: f"{variant.label} step" for variant in variants}
    labels |= {name: f"RWS step of {timing.peer.label}" for name, timing in peers.items()}
    labels["products"] = "matrix products of an RWS step"
    labels["unordered"] = "all operations of an RWS step in no order"
    labels["nrws_k1_products"] = "matrix products of an NRWS step, K = 1"
    return [
        row(name, label, architecture, "ms", value(times[name]))
        for name, label in labels.items()
        if name in times
    ]


def _checks(architecture: str, ours: dict[str, Timing], peers: dict[str, PeerTiming]) -> list[Row]:
    """Is it the same algorithm, and is the metric as exact as it must be?"""
    worst = Value(max(ours["nrws_k1"].residuals))
    what = "NRWS, K = 1: largest relative residual"
    losses = {"rws": ours["rws"].losses, **{name: p.losses for name, p in peers.items()}}
    return [
        row("nrws_k1_residual", what, architecture, "", worst),
        *(
            row(f"loss_{name}", f"mean loss of those steps, {name}", architecture, "nats", value(x))
            for name, x in losses.items()
        ),
    ]


def _epochs(
    architecture: str, variants: list[Variant], times: dict[str, list[float]]
) -> list[dict[str, Any]]:
    """Seconds of an epoch's training steps, 50,000 images; its validation is not in it."""
    return [
        {
            "architecture": architecture,
            "algorithm": variant.algorithm,
            "K": variant.refresh or None,
            "solver": variant.solver if variant.refresh else None,
            "seconds": float(f"{value(times[variant.name]).median * EPOCH / 1000:.4g}"),
        }
        for variant in variants
    ]

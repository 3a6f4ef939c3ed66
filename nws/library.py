"""``import nws``: a Helmholtz machine to train, score, sample and save."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nws.machine import forking, quiet

quiet.load()  # before what follows imports TensorFlow; a pickled machine begins here

from nws.config import RunSettings, arguments, merge, run_settings
from nws.config.numbers import count
from nws.config.validation import hint
from nws.data.binarize import draw, round_half
from nws.errors import NwsError
from nws.evaluation.jobs import PUBLISHED
from nws.evaluation.likelihood import log_likelihood
from nws.files.whole import write_npz
from nws.machine.device import multiply_in_float32
from nws.models.helmholtz import dream
from nws.models.parameters import Parameters, initial, read, recode, to_arrays
from nws.models.random import Key
from nws.training.history import Row
from nws.training.loop import compile_run
from nws.training.run import fit as _fit

# Of docs/beyond.md, not the paper's: what twelve layers bear, and what up to five do.
PLAIN = {"averaging": {"kind": "exponential", "decay": 0.9998}, "clip": 1e-6}
NATURAL = {
    **PLAIN,
    "learning_rate": 0.02,
    "damping": 0.1,
    "unit_damping": 1.0,
    "solver": "shared",
    "refresh": 10,
}
RECIPES: dict[str, dict[str, Any]] = {
    "ws": {**PLAIN, "learning_rate": 0.02},
    "rws": {**PLAIN, "learning_rate": 0.05},
    "bihm": {**PLAIN, "learning_rate": 0.05},
    "nws": NATURAL,
    "nrws": NATURAL,
    "nbihm": NATURAL,
    "mws": {**PLAIN, "learning_rate": 0.02},
    "nmws": NATURAL,
}
SHALLOW = 5  # hidden layers
SHALLOW_RECIPES: dict[str, dict[str, Any]] = {
    "rws": {**PLAIN, "learning_rate": 0.2},
    "nrws": {**NATURAL, "q_wake": 0.0, "learning_rate": 0.05, "damping": 0.02, "unit_damping": 0.5},
}
DATA_SEED = 0  # of grey images made binary: losses of other seeds are of the same images
# Keys of a run in the configuration that have no meaning here, and what to do instead.
NO_SETTINGS = {
    "layers": "HelmholtzMachine(layers) has them",
    "initial_bias": "give it to HelmholtzMachine",
    "initial_weights": "the machine has its weights already; nws train starts from others",
    "dataset": "give the images as x",
    "exact": "nws.evaluation.exact has functions for the arrays of a small model",
    "likelihood_samples": "call log_likelihood(x, n_samples)",
    "likelihood_images": "call log_likelihood with as many images as you like",
}
KEYS = [
    "valid",
    "binarization",
    "seed",
    *(k for k in RunSettings.model_fields if k not in NO_SETTINGS),
]
BINARIZATIONS = ("round", "static", "stochastic")


class HelmholtzMachine:
    """Two sigmoid belief networks: p(x, h) generates, q(h|x) recognises.

    ``layers`` are sizes from visible to top, e.g. ``[196, 100, 50]``. Images are rows of {0, 1}
    (±1 is understood too).

    TensorFlow does not survive a fork. Where one process has used a machine, others must be
    spawned, ``multiprocessing.get_context("spawn")``; a forked one is told so.

    With the first machine TensorFlow stops rounding products of matrices to TF32 on an NVIDIA GPU,
    whoever asks for them.
    """

    def __init__(self, layers: Sequence[int], seed: int = 0, initial_bias: float = 0.1) -> None:
        forking.check()
        multiply_in_float32()
        sizes = arguments.sizes(layers)
        self.seed = count("seed", seed, 0)
        bias = arguments.finite("initial_bias", initial_bias)
        self.params: Parameters = initial(sizes, self.seed, bias)
        self._draws = 0

    @property
    def layers(self) -> list[int]:
        """Sizes, visible to top."""
        return self.params.layers

    def log_likelihood(self, x: Any, n_samples: int = 1000) -> np.ndarray:
        """log p(x) in nats, one per row of x, by importance sampling with ``n_samples`` from q.

        Of the machine whose units have probabilities kept in [1e-6, 1 - 1e-6]. A lower bound in
        expectation, tighter with more samples (Burda et al. 2016).
        """
        forking.check()
        samples = count("n_samples", n_samples)
        rows = arguments.pixels(x, self.layers[0])
        return log_likelihood(self.params, rows, samples, self.seed, PUBLISHED).log_likelihood

    def sample(self, n: int) -> np.ndarray:
        """n images from p, (n, l[0]) uint8 in {0, 1}. Every call draws new ones."""
        forking.check()
        key = Key(self.seed, self._draws)
        drawn = dream(self.params, count("n", n), key, PUBLISHED, "model").h[0]
        self._draws += 1
        return (drawn.numpy() > 0).astype(np.uint8)

    def save(self, path: str | Path) -> None:
        """Write ``model.npz``: plain arrays for ±1 units, described in the README."""
        write_npz(_file("save", path), to_arrays(self.params))

    @classmethod
    def load(cls, path: str | Path, seed: int = 0) -> "HelmholtzMachine":
        """The machine in a ``model.npz``."""
        params = read(_file("load", path))
        machine = cls(params.layers, seed)
        machine.params = params
        return machine


def _file(act: str, path: Any) -> Path:
    """The path, with the home folder for ~."""
    file = Path(os.path.expanduser(path)) if isinstance(path, str | os.PathLike) else Path()
    if not file.name or "\0" in str(file):
        raise NwsError(f"{act}: found {path!r}; give a file, such as model.npz")
    return file


class Fit(NamedTuple):
    """``history``: one :class:`~nws.training.history.Row` an epoch; ``status``: finished,
    converged or diverged, and the ``reason``."""

    history: tuple[Row, ...]
    status: str
    reason: str


def fit(
    model: HelmholtzMachine,
    x: Any,
    algorithm: str = "nrws",
    *,
    valid: Any = None,
    epochs: int = 20,
    binarization: str = "round",
    seed: int | None = None,
    **settings: Any,
) -> Fit:
    """Train ``model`` in place on images x (n, l[0]) in [0, 1].

    ``binarization``: round, static (drawn once, the same whatever the seed) or stochastic (drawn
    anew at every step). ``valid`` (default: the last tenth of x) gives the validation loss; grey
    ones are drawn once. ``settings`` are the keys of a run in the configuration, e.g.
    ``learning_rate``, ``damping``, ``refresh``, ``samples``, ``batch``; those not given, and those
    left out within one such as ``averaging``, are what docs/beyond.md recommends for the number of
    layers. The model becomes the average of the last steps.

    A ``seed`` (default: the model's) always draws the same random numbers: to train a model further
    with others, give another. A training that diverges is no error: ``status`` says so.
    """
    forking.check()
    if not isinstance(model, HelmholtzMachine):
        raise NwsError(f"fit: model: found {type(model).__name__}; give a HelmholtzMachine")
    if not isinstance(algorithm, str) or algorithm not in RECIPES:
        word = str(algorithm).lower()
        why = " (nws train has it)" if word == "vae" else hint(word, RECIPES)
        raise NwsError(
            f"fit: algorithm: found {algorithm!r}{why}; allowed: {', '.join(map(repr, RECIPES))}"
        )
    if not isinstance(binarization, str) or binarization not in BINARIZATIONS:
        raise NwsError(
            f"fit: binarization: found {binarization!r}; allowed: {', '.join(BINARIZATIONS)}"
        )
    for key in settings:
        if key in NO_SETTINGS:
            raise NwsError(f"fit: {key}: is no setting of fit; {NO_SETTINGS[key]}")
        if key not in KEYS:
            raise NwsError(f"fit: {key}: unknown key{hint(key, KEYS)}; allowed: {', '.join(KEYS)}")
    keys = merge(_recipe(algorithm, model.layers[1:]), settings)
    run = run_settings(
        {**keys, "algorithm": algorithm, "epochs": epochs, "layers": model.layers[1:]}, "fit"
    )
    seed = model.seed if seed is None else count("seed", seed, 0)
    train, held_out = _splits(x, valid, model.layers[0], binarization)
    params = recode(model.params, "01") if run.coding == "01" else model.params
    if model.params.finite and not params.finite:
        raise NwsError(
            "fit: coding: found '01', in which weights are twice as large: the model's are beyond "
            "single precision; leave it off"
        )
    program = compile_run(run, train, held_out, seed)
    outcome = _fit(program, params, run, algorithm, warn=lambda text: print(text, file=sys.stderr))
    trained = recode(outcome.params, "pm1") if run.coding == "01" else outcome.params
    if trained.finite:
        model.params = trained
    elif outcome.status != "diverged":
        reason = "in the coding ±1 the parameters are not finite; the model is as it was"
        outcome = outcome._replace(status="diverged", reason=reason)
    if outcome.status == "diverged":
        print(f"{algorithm}: diverged: {outcome.reason}", file=sys.stderr)
    return Fit(outcome.progress.rows, outcome.status, outcome.reason)


def _recipe(algorithm: str, hidden: Sequence[int]) -> dict[str, Any]:
    """What is not given."""
    deep = RECIPES[algorithm]
    return SHALLOW_RECIPES.get(algorithm, deep) if len(hidden) <= SHALLOW else deep


def _splits(x: Any, valid: Any, visible: int, binarization: str) -> tuple[np.ndarray, np.ndarray]:
    """Binary images to train on and to validate on, the same for every seed."""
    rows = arguments.grey(x, visible, "x")
    if valid is None:
        cut = max(1, len(rows) - max(1, len(rows) // 10))
        rows, held_out = rows[:cut], rows[cut:] if cut < len(rows) else rows
    else:
        held_out = arguments.grey(valid, visible, "valid")
    if binarization == "round":
        return round_half(rows), round_half(held_out)
    if binarization == "static":
        return draw(rows, DATA_SEED, "train"), draw(held_out, DATA_SEED, "valid")
    return rows, draw(held_out, DATA_SEED, "valid")

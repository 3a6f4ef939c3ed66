"""The keys of a configuration: what each means, its default, and what is allowed.

An experiment is a name with ``settings`` shared by its runs; ``runs`` names single runs and
``grid`` spans a product of values. Keys not given take the defaults written here, which are the
paper's (or, where the paper is silent, its authors' code's).
"""

import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from nws.config.numbers import LARGEST, real, whole
from nws.config.paths import expanded
from nws.files.top import scales

Whole = Annotated[int, BeforeValidator(whole)]
ENUMERABLE = 20  # hidden units: a million joint states
SINGLE = 3.4e38  # what single precision holds


def _single(value: float) -> float:
    if math.isfinite(value) and abs(value) > SINGLE:
        raise ValueError(f"numbers are single precision, at most {SINGLE:g}")
    return value


Real = Annotated[float, BeforeValidator(real), AfterValidator(_single)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Positive = Annotated[Real, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[Whole, Field(ge=1, le=2**31 - 1)]  # what a step counts with
Seed = Annotated[Whole, Field(ge=0, le=LARGEST)]


def _distinct(seeds: list[int]) -> list[int]:
    if len(set(seeds)) != len(seeds):
        raise ValueError("seeds must differ from each other")
    return seeds


Seeds = Annotated[list[Seed], Field(min_length=1), AfterValidator(_distinct)]


def _quoted(coding: Any) -> Any:
    return "01" if coding == 1 and not isinstance(coding, bool) else coding  # YAML's 01 is 1


class Strict(BaseModel):
    """Unknown keys are refused; values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Kind(Strict):
    """What ``kind`` says; the other keys have no effect without it."""

    @model_validator(mode="after")
    def _of_a_kind(self) -> Self:
        if self.model_fields_set and "kind" not in self.model_fields_set:
            kinds = ", ".join(get_args(type(self).model_fields["kind"].annotation))
            raise ValueError(f"give kind too, without which this has no effect: one of {kinds}")
        return self


class Schedule(Kind):
    """How a value changes over the training: constant, or from its start to ``end`` times it."""

    kind: Literal["constant", "linear", "exponential", "inverse"] = Field(
        "constant", description="how the value changes, step by step, over the epochs"
    )
    end: Positive = Field(0.1, description="final value as a fraction of the initial one")


class Averaging(Kind):
    """The average of p and q over steps: trained on the last, validated and published on it."""

    kind: Literal["none", "exponential", "tail"] = Field(
        "none",
        description="tail: the mean of all steps from `start` on; exponential: of about the last "
        "tenth of them, at most the last 1/(1 - `decay`) or so",
    )
    decay: Real = Field(0.9995, gt=0, le=1, description="weight of the past at each step")
    start: Real = Field(
        0.0, ge=0, lt=1, description="fraction of the training after which averaging starts"
    )


class Growth(Strict):
    """More samples from an epoch on: with few the first epochs are quick, the last ones biased."""

    after: Count = Field(10, description="epochs with `samples`")
    samples: Count = Field(30, description="S of the epochs that follow")


# Sources that need no file of the user's, and the pixels of their images.
BUILT_IN = {"mnist": 784, "minimnist": 196, "3by3": 9}


class DatasetSettings(Strict):
    """A data set: where its images come from and how they become binary."""

    source: str = Field(
        description="mnist, minimnist (14x14, by `pooling`), 3by3, or the path of an .npz "
        "with images in [0, 1] (array `images`, or `train`, `valid`, `test`)"
    )
    binarization: Literal["round", "static", "stochastic"] = Field(
        "round",
        description="round at 0.5 (the paper's B), static: each pixel drawn once, "
        "stochastic: redrawn at every step (BSt)",
    )
    pooling: Literal["mean", "antialias"] = Field(
        "mean",
        description="minimnist: of 2x2 pixels, or after a Gaussian blur of σ = 0.5 pixels, as "
        "scikit-image resizes",
    )
    pooled: Literal["grey", "static"] = Field(
        "grey", description="minimnist: what is pooled: grey pixels, or pixels drawn once before"
    )
    train: Count | None = Field(None, description="images to train on; null: all (MNIST: 50,000)")
    valid: Count | None = Field(None, description="validation images; null: all (MNIST: 10,000)")
    test: Count | None = Field(None, description="test images; null: all (MNIST: 10,000)")
    seed: Seed = Field(0, description="seed of the static draw and of the evaluation draws")

    @model_validator(mode="after")
    def _pools(self) -> Self:
        if self.source != "minimnist" and (self.pooling, self.pooled) != ("mean", "grey"):
            raise ValueError("pooling and pooled are of the source minimnist alone; take them away")
        return self

    @property
    def file(self) -> Path | None:
        """The user's own images, if the source is a file."""
        return expanded(self.source) if self.source.endswith(".npz") else None


class RunSettings(Strict):
    """One training run. The symbols are the paper's: S, K, α, η."""

    dataset: Name = Field("minimnist_b", description="a name under `datasets`")
    layers: list[Count] = Field(
        [100, 50, 20, 10, 10], min_length=1, description="hidden layer sizes, top last"
    )
    algorithm: Literal["ws", "rws", "bihm", "mws", "nws", "nrws", "nbihm", "nmws", "vae"] = Field(
        "nrws",
        description="wake-sleep, reweighted wake-sleep, the bidirectional Helmholtz machine, "
        "memoised wake-sleep, the natural gradient of each (n…); a variational autoencoder",
    )
    epochs: Count = Field(500, description="epochs to train, at most")
    patience: Count | None = Field(
        None, description="stop after so many epochs without a better validation loss; null: never"
    )
    budget: Positive | None = Field(
        None,
        description="seconds of training (`seconds` of the history), after which the epoch is the "
        "last one; null: no end but `epochs`",
    )
    batch: Count = Field(32, description="images per step (B)")
    samples: Count = Field(10, description="samples of q(h|x) per image (S)")
    samples_later: Growth | None = Field(
        None, description="another S after some epochs; null: `samples` throughout"
    )
    validation_samples: Count | None = Field(
        None,
        description="samples of q(h|x) per image for the validation loss; null: S, that of the "
        "first epochs. Give it where runs with different S are compared: more samples have a lower "
        "loss",
    )
    memory: Count = Field(
        10, description="latent states remembered of each training image (mws, nmws)"
    )
    optimizer: Literal["sgd", "momentum", "nesterov", "adam"] = Field(
        "sgd", description="what turns gradients, natural ones too, into steps"
    )
    momentum: Real = Field(0.9, ge=0, lt=1, description="β of v ← βv + g, θ ← θ + ηv")
    adam_beta1: Real = Field(0.9, ge=0, lt=1, description="decay of Adam's mean")
    adam_beta2: Real = Field(0.999, ge=0, lt=1, description="decay of Adam's second moment")
    adam_epsilon: Positive = Field(1e-8, description="Adam's ε")
    learning_rate: Real = Field(0.002, ge=0, allow_inf_nan=False, description="η")
    learning_rate_schedule: Schedule = Field(
        Schedule(), description="how η changes over the training"
    )
    averaging: Averaging = Field(Averaging(), description="of the parameters, over steps")
    damping: Positive = Field(0.05, description="α of Eq. 16 (natural algorithms)")
    damping_schedule: Schedule = Field(Schedule(), description="how α changes over the training")
    refresh: Whole = Field(50, ge=0, description="K: steps between refreshes of the Fisher; 0 is 1")
    solver: Literal["auto", "cholesky", "woodbury", "cg", "shared"] = Field(
        "auto",
        description="how the damped Fisher is solved; auto: the cheapest exact one for each layer; "
        "shared: approximately, one matrix for all units of a layer (docs/beyond.md)",
    )
    cg_tolerance: Positive = Field(1e-2, description="relative residual at which cg stops")
    cg_iterations: Count = Field(100, description="iterations of cg, at most")
    unit_damping: Real = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="γ of α (1/4 / E[σ'])^γ, the damping of a unit: more for those that saturate; "
        "0: α for all; the prior's biases always have α (natural algorithms)",
    )
    weight_decay: Real = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="λ of (λ/2)‖W‖², in nats an image, which p's weights cost (not its biases; "
        "not of the VAE)",
    )
    freeze: Literal["none", "p", "q"] = Field(
        "none", description="the network that keeps its first parameters"
    )
    baseline: bool = Field(
        True, description="subtract 1/S from the weights of q-wake (rws, bihm; natural or not)"
    )
    q_wake: Real = Field(
        0.5, ge=0, le=1, description="weight of q-wake in the q update (rws, mws; natural or not)"
    )
    q_sleep: Annotated[Real, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None, description="weight of q-sleep in the q update (rws, mws); null: 1 - `q_wake`"
    )
    gradient_convention: Literal["argo", "canonical"] = Field(
        "argo", description="argo: h - E[h] on ±1 units, twice the canonical derivative"
    )
    clip: Real = Field(
        1e-3,
        ge=1e-7,
        lt=0.5,
        description="c: probabilities are kept in [c, 1-c], in the gradient too, which then pushes "
        "a unit that is always right on and on (docs/beyond.md): small for long trainings",
    )
    initial_bias: Real = Field(
        0.1, allow_inf_nan=False, description="of every unit, the prior's too"
    )
    initial_weights: Literal["glorot", "small"] = Field(
        "glorot",
        description="truncated Glorot-normal; small: uniform within ±√(6/(in + out))/in, as "
        "RWS [10] and BiHM start",
    )
    coding: Annotated[Literal["pm1", "01"], BeforeValidator(_quoted)] = Field(
        "pm1", description="values of a unit: ±1 or {0,1}"
    )
    activity: bool = Field(
        False,
        description="at every validation also the share of active units of each layer, the "
        "effective sample size, and log p̂ less the bound with one sample",
    )
    compile: Literal["auto", "graph", "xla"] = Field(
        "auto",
        description="graph: operation by operation; xla: an epoch is one program; auto: xla where "
        "a GPU is used. The two differ by rounding",
    )
    evaluation_batch: Count = Field(100, description="images per evaluation block")
    likelihood_samples: Whole = Field(
        10_000, ge=0, description="importance samples per image after training; 0: no estimate"
    )
    likelihood_images: Annotated[Whole, Field(ge=2)] | None = Field(
        None, description="test (and validation) images scored; null: all"
    )
    exact: bool = Field(False, description="also the exact log p(x) and KL, by enumeration")

    @property
    def natural(self) -> bool:
        """Does a natural gradient wrap the algorithm?"""
        return self.algorithm.startswith("n")

    @property
    def plain(self) -> str:
        """The algorithm that the natural gradient wraps, or the algorithm itself."""
        return self.algorithm.removeprefix("n")

    @property
    def reweighted(self) -> bool:
        """Does q learn awake and asleep, in the shares of ``q_wake``?"""
        return self.plain == "rws"


class Experiment(Strict):
    """Runs that belong together: single ones by name, and a grid of values."""

    settings: dict[str, Any] = Field({}, description="what all runs of the experiment share")
    runs: dict[Name, dict[str, Any]] = Field({}, description="name: settings of a single run")
    grid: dict[str, list[Any]] = Field({}, description="key: values; one run per combination")
    grids: dict[Name, dict[str, list[Any]]] = Field(
        {}, description="name: a grid; its runs are called by the name and the keys that vary"
    )
    seeds: Seeds | None = Field(None, description="seeds, if not the configuration's")
    share: Count = Field(1, description="short runs that share a process, one a thread at a time")
    threads: Count = Field(2, description="CPU threads of a training; fewer where runs are many")
    alone: bool = Field(
        False, description="nothing else runs beside its trainings, so that their times compare"
    )


class Config(Strict):
    """Everything a scale fixes."""

    extends: str | None = Field(
        None,
        description=f"configuration this one changes: {', '.join(scales())} or a path",
    )
    scale: Name = Field("paper", description="results go to results/<scale>")
    seeds: Seeds = Field([0], description="of experiments that name none: each run once a seed")
    device: Literal["auto", "cpu", "gpu"] = Field(
        "auto", description="auto: a GPU when there is one; gpu: fail without one"
    )
    mnist_dir: str | None = Field(
        None, description="directory holding the four MNIST files (also: $NWS_MNIST_DIR)"
    )
    datasets: dict[Name, DatasetSettings] = Field(
        min_length=1, description="name: settings of a data set"
    )
    experiments: dict[Name, Experiment] = Field(
        min_length=1, description="name: runs that belong together"
    )

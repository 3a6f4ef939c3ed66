"""What had to be decided because the paper is silent, ambiguous or at odds with its authors' code:
what it says, what we do, and why."""

from collections.abc import Callable
from dataclasses import dataclass

from nws import config as configuration
from nws.config import Config, DatasetSettings, Run
from nws.reporting import race, search
from nws.reporting.wording import setting

# The experiments of the paper; the others are ours.
PAPER = (
    "minimnist", "mnist", "rates", "adam", "damping", "grid_minimnist", "grid_mnist", "ksteps",
)  # fmt: skip


@dataclass(frozen=True)
class Deviation:
    """``paper``: what it says; ``ours``: what the configuration does; ``why``, if not for time."""

    topic: str
    paper: str
    ours: str
    why: str = ""


@dataclass(frozen=True)
class Choice:
    """Where the paper leaves a choice or ours differs: what it says, what we do, and why."""

    topic: str
    paper: str
    ours: Callable[[Config], str]
    why: str


def choices(config: Config) -> list[Deviation]:
    """Guesses and deviations that hold at every scale; the two that matter most come first."""
    return [Deviation(c.topic, c.paper, c.ours(config), c.why) for c in CHOICES]


def values(
    config: Config,
    key: str,
    *experiments: str,
    where: Callable[[Run], bool] = lambda run: True,
) -> str:
    """The distinct values of a setting in some experiments, by default the paper's."""
    among = experiments or PAPER
    runs = [run for run in configuration.runs(config) if run.experiment in among and where(run)]
    distinct = dict.fromkeys(setting(getattr(run.settings, key), key) for run in runs)
    return ", ".join(distinct) or "no such run"


def _reweighted(run: Run) -> bool:
    return run.settings.reweighted


def _plain(run: Run) -> bool:
    return run.settings.algorithm == "ws"


def _natural(run: Run) -> bool:
    return run.settings.natural


def _binarization(config: Config, *experiments: str) -> str:
    names = dict.fromkeys(
        run.settings.dataset for run in configuration.runs(config) if run.experiment in experiments
    )
    parts: list[DatasetSettings] = [config.datasets[name] for name in names]
    return ", ".join(dict.fromkeys(part.binarization for part in parts)) or "no such run"


def _splits(config: Config) -> str:
    """Images of each data set, where the configuration takes fewer than all."""
    fewer = {
        name: "/".join(setting(getattr(settings, split)) for split in ("train", "valid", "test"))
        for name, settings in config.datasets.items()
        if settings.train or settings.valid or settings.test
    }
    rest = "all others: all images" if fewer else "all images: 50,000/10,000/10,000"
    return "; ".join([*(f"{name} {counts}" for name, counts in fewer.items()), rest])


CHOICES = [
    Choice(
        "Binarization of Table 2 and Figures 4, 5, 8, and of 9b",
        "“a B binarized dataset”, B being rounding",
        lambda config: (
            f"{_binarization(config, 'mnist', 'adam', 'grid_mnist')}; "
            f"9b: {_binarization(config, 'ksteps')}"
        ),
        "About −86 nats is possible only on the fixed stochastic binarization that the quoted "
        "literature uses (each pixel drawn once with its grey value as probability), which the "
        "authors’ MNIST loader reads. Rounded MNIST gives far higher values. Of Figure 9b the "
        "paper says “MNIST”.",
    ),
    Choice(
        "Gradient convention",
        "not stated",
        lambda config: values(config, "gradient_convention"),
        "The authors’ code uses h − E[h] on ±1 units, twice the canonical derivative, and Fisher "
        "blocks without the factor 4. A learning rate η there means 2η with canonical gradients, "
        "so the paper’s learning rates need this convention (argo).",
    ),
    Choice(
        "Redrawing of BSt",
        "sampled at each training step",
        lambda config: "redrawn at every step; validation and test drawn once",
        "The authors’ input pipeline may have kept one draw per run.",
    ),
    Choice(
        "Split that is scored",
        "not stated",
        lambda config: "test is the headline, validation beside it",
        "The authors’ code scores the training and validation splits, never the test split.",
    ),
    Choice(
        "Model that is scored",
        "not stated",
        lambda config: (
            "p(unit = +1) = σ(logit), as model.npz has it, kept in [1e-6, 1 - 1e-6]; "
            f"losses of the curves: {values(config, 'clip')}"
        ),
        "The authors’ code keeps the training’s clip when it scores; here all have the same, small "
        "one. It is not nothing: logits that a large clip in training has driven far would cost "
        "hundreds of nats on single images without it.",
    ),
    Choice(
        "Repetitions",
        "one run each, no intervals",
        lambda config: (
            f"seeds {', '.join(map(str, config.seeds))} unless an experiment has its own"
        ),
        "A difference needs an interval. Student-t over seeds, every seed drawn.",
    ),
    Choice(
        "miniMNIST",
        "“a downsized binarized version of the MNIST dataset, from 28 ∗ 28 to 14 ∗ 14”",
        lambda config: "; ".join(
            dict.fromkeys(
                f"{'mean of 2×2 pixels' if found.pooling == 'mean' else found.pooling} "
                f"({found.pooled})"
                for run in configuration.runs(config)
                if run.experiment == "minimnist"
                for found in [config.datasets[run.settings.dataset]]
            )
        ),
        "The paper does not name the resampling filter; the table of candidates tries others.",
    ),
    Choice(
        "Split sizes",
        "not stated",
        _splits,
        "The usual split of MNIST’s 60,000 training images; the 10,000 test images stay apart.",
    ),
    Choice(
        "K, the refresh period of the Fisher matrix, in all but Figures 6 and 9b",
        "“K = 50 or K = 100”",
        lambda config: values(
            config, "refresh", "minimnist", "mnist", "adam", "grid_minimnist", "grid_mnist"
        ),
        "The paper does not say which of the two each experiment used.",
    ),
    Choice(
        "Batch size",
        "not stated",
        lambda config: values(config, "batch"),
        "Read in the authors’ code, as are the truncated Glorot initialisation and the biases’ "
        "start at +0.1. Images left over after the last full batch of an epoch wait for the next "
        "one.",
    ),
    Choice(
        "Clip: probabilities are kept in [c, 1 − c]",
        "not stated",
        lambda config: (
            f"c: miniMNIST {values(config, 'clip', 'minimnist', 'grid_minimnist')}; twelve layers "
            f"{values(config, 'clip', 'mnist', 'rates', 'adam')}; Figures 8 and 9b "
            f"{values(config, 'clip', 'grid_mnist', 'ksteps')}"
        ),
        "Read in the authors’ code, but for Figures 8 and 9b. There, as here, the gradient "
        "h − E[h] has the clipped E[h]: a unit that is always right is pushed on by 2c at every "
        "step, without end. The table “Was it the clip?” says what that costs.",
    ),
    Choice(
        "q update, and the order of the updates",
        "Algorithm 1: p’s wake step and q’s, then q’s sleep step with dreams of the new p, each at "
        "the full rate",
        lambda config: (
            f"q-wake × {values(config, 'q_wake', where=_reweighted)}, rest q-sleep; all from the "
            f"same parameters, one step; 1/S baseline: {values(config, 'baseline')}"
        ),
        "So it is in the authors’ code, as are the balance and the baseline.",
    ),
    Choice(
        "Samples of the Fisher blocks",
        "the text after Eqs. 10 and 11: p’s blocks from p’s own samples, q’s from q(h|x) on the "
        "data; Algorithm 1 has them the other way round",
        lambda config: "as the text has them: p’s from dreams, q’s from the wake pass, unweighted",
        "The Fisher of p(x, h) is an expectation under p, that of q(h|x) one under q; the authors’ "
        "code has it so.",
    ),
    Choice(
        "S, the samples of Wake-Sleep",
        "Section 2: “both with 1 sample”; Table 1: 10",
        lambda config: (
            f"S {values(config, 'samples', 'minimnist', 'mnist', where=_plain)}, each of the same "
            "weight"
        ),
        "Table 1’s, as in the authors’ code.",
    ),
    Choice(
        "Inversion of the Fisher blocks",
        "Eq. 17 where it is cheaper",
        lambda config: (
            f"solver: {values(config, 'solver', where=_natural)}; cg to a relative "
            f"residual of {values(config, 'cg_tolerance', where=_natural)}"
        ),
        "auto takes the cheapest of three solvers that agree; cg stops at its tolerance.",
    ),
    Choice(
        "Figure 5: Adam’s learning rate and epochs",
        "not stated",
        lambda config: (
            f"η {values(config, 'learning_rate', 'adam')}, "
            f"epochs {values(config, 'epochs', 'adam')}"
        ),
        "Adam’s customary learning rate and moments.",
    ),
    Choice(
        "Figure 6: settings on 3by3",
        "not stated",
        lambda config: (
            f"{values(config, 'algorithm', 'damping').upper()}, "
            f"layers {values(config, 'layers', 'damping')}, "
            f"η {values(config, 'learning_rate', 'damping')}, "
            f"S {values(config, 'samples', 'damping')}, "
            f"epochs {values(config, 'epochs', 'damping')}"
        ),
        "The text compares with WS, so NWS is damped. Small enough for the exact KL; the damping "
        "values span the range that the text names.",
    ),
    Choice(
        "Figures 7, 8, 9b: epochs and samples",
        "not stated",
        lambda config: (
            f"epochs {values(config, 'epochs', 'grid_minimnist', 'grid_mnist', 'ksteps')}; "
            f"S {values(config, 'samples', 'grid_minimnist', 'grid_mnist', 'ksteps')}"
        ),
        "Long enough to rank settings, short enough for a hundred cells.",
    ),
    Choice(
        "Figure 9b: algorithm, learning rate and damping",
        "“the Natural Wake-Sleep Optimizer”, “a fixed learning rate and damping factor”, the best "
        "found; values not stated",
        lambda config: (
            f"{values(config, 'algorithm', 'ksteps').upper()}, "
            f"η {values(config, 'learning_rate', 'ksteps')}, "
            f"α {values(config, 'damping', 'ksteps')}"
        ),
        "Inside the region of Figures 7 and 8. A first guess, both .01, does not learn with K up "
        "to 50. So the best of four pairs after two epochs was taken, η .01 and α .1: with a "
        "fresh metric, on validation, before any other K was run with it.",
    ),
    Choice(
        "Figure 9b: a run of ours",
        "K from 0 to 1000",
        lambda config: (
            f"also {values(config, 'solver', where=lambda r: r.settings.solver == 'cg')}, K = 1"
        ),
        "A fresh metric at every step by conjugate gradients: what K is still good for.",
    ),
    Choice(
        "A race of ours: equal seconds",
        "every algorithm at one setting, compared by epochs and seconds",
        lambda config: (
            f"budgets of {values(config, 'budget', *race.EXPERIMENTS)} s; the settings that "
            f"did best in searches of {values(config, 'budget', *search.EXPERIMENTS)} s each"
        ),
        "Algorithms can be compared only where each had the same time, and the same chance to find "
        "its setting.",
    ),
    Choice(
        "Larger learning rates on twelve layers",
        "“increasing the learning rate”, values not stated",
        lambda config: f"η {values(config, 'learning_rate', 'rates')}",
        "2.5 and 5 times the paper’s.",
    ),
    Choice(
        "Figure 2: panels",
        "model probabilities for B and BSt, samples",
        lambda config: "probabilities, samples and test images for both",
        "Samples can be judged only beside data.",
    ),
]

"""What the paper reports, in one place.

The paper: Natural (Reweighted) Wake-Sleep for Helmholtz machines, its tables and appendix.
Seconds are per epoch on an Nvidia GTX 1080 Ti.
"""

import math
from dataclasses import dataclass

from nws.config import Config

HARDWARE = "GTX 1080 Ti"


NAMES = {
    "ws": "WS", "rws": "RWS", "nws": "NWS", "nrws": "NRWS", "bihm": "BiHM", "nbihm": "NBiHM",
    "mws": "MWS", "nmws": "NMWS", "vae": "VAE",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line of a table: log-likelihood in nats, 10,000 importance samples."""

    algorithm: str
    log_likelihood: float
    seconds_per_epoch: float
    learning_rate: float
    damping: float | None = None
    samples: int = 10


FIGURE1 = [3, 3, 4]  # layers from the top; 1024 joint states

TABLE1_EPOCHS = 500
TABLE1 = {
    "B": [
        Row("ws", -29.337, 34, 0.02),
        Row("rws", -28.695, 43, 0.05),
        Row("nrws", -27.606, 69, 0.002, 0.05),
    ],
    "BSt": [
        Row("ws", -38.232, 38, 0.02),
        Row("rws", -37.811, 45, 0.005),
        Row("nrws", -36.578, 70, 0.002, 0.05),
    ],
}
TABLE2_EPOCHS = 2000  # Fig. 4 is drawn to 2000; the table says "till convergence"
TABLE2 = [
    Row("ws", -89.84, 37, 0.02),
    Row("rws", -86.168, 50, 0.02),
    Row("nrws", -86.138, 250, 0.02, 0.1),
]


@dataclass(frozen=True)
class Literature:
    """A value of Table 2 that is not a run of the paper; ``algorithm``: of our run of it."""

    method: str
    log_likelihood: float
    source: str
    learning_rate: str = ""
    samples: str = ""
    algorithm: str = ""


LITERATURE = [
    Literature("VAE [22]", -89.5, "Table 2, quoting [9]", algorithm="vae"),
    Literature("RWS [10]", -86.0, "Table 2, quoting [9]", "0.001-0.0003", "10-100", "rws"),
    Literature("BiD [9]", -85.0, "Table 2, quoting [9]", "0.001-0.0003", "10-100", "bihm"),
    Literature("VAE (pythae)", -89.8, "pythae's logs, not the paper"),
    Literature("IWAE-50 (pythae)", -86.8, "pythae's logs, not the paper"),
]

# 3by3 (Kirby): six patterns of probability 2/18 and six of 1/18.
ENTROPY_3BY3 = 2 / 3 * math.log(9) + 1 / 3 * math.log(18)

BINARIZATION = {"round": "B", "stochastic": "BSt", "static": "static"}


def binarization(config: Config, dataset: str) -> str:
    """The paper's word for a data set's binarization: B or BSt; static where it says nothing."""
    return BINARIZATION[config.datasets[dataset].binarization]


def table1_row(config: Config, dataset: str, algorithm: str) -> Row | None:
    """The line of Table 1 for a run, if it has one."""
    rows = TABLE1.get(binarization(config, dataset), [])
    return next((row for row in rows if row.algorithm == algorithm), None)


def table2_row(algorithm: str) -> Row | None:
    """The paper's numbers for an algorithm in Table 2; None if it has none."""
    return next((row for row in TABLE2 if row.algorithm == algorithm), None)


def quoted(algorithm: str) -> Literature | None:
    """What Table 2 quotes for a method that we trained too."""
    return next((row for row in LITERATURE if row.algorithm == algorithm), None)

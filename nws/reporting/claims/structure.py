"""Claims about the Fisher matrix itself: exact, at every scale."""

import numpy as np

from nws.reporting import fisher_enumeration as enumeration
from nws.reporting import paper
from nws.reporting.claims.claim import Claim, Verdict, counted
from nws.reporting.claims.scale import Needs
from nws.reporting.results import Results

TOLERANCE = 1e-12
ROUNDING = 1e-14  # what is below is another number on every machine


def block_diagonal(results: Results) -> Verdict:
    """The largest entry that couples two units, in the {0, 1} coding of Proposition 1."""
    network = enumeration.to_01(enumeration.random_network(paper.FIGURE1))
    matrix = enumeration.fisher(network, "01")
    outside = enumeration.largest_outside(matrix, enumeration.unit_of_parameter(network))
    error = float(np.abs(matrix - enumeration.blocks(network, "01")).max())
    yes = int(outside < TOLERANCE) + int(error < TOLERANCE)
    inside = f"inside {_said(error)} off E[σ′ ĥ ĥᵀ]"
    why = f"Outside the blocks {_said(outside)}, {inside}, by enumeration."
    return Verdict(counted(yes, 2), _said(outside), why)


def plus_minus_one(results: Results) -> Verdict:
    """The same formula on ±1 units, and the same metric as on {0, 1} units: F± = Jᵀ F01 J."""
    network = enumeration.random_network(paper.FIGURE1)
    matrix = enumeration.fisher(network, "pm1")
    formula = float(np.abs(matrix - enumeration.blocks(network, "pm1")).max())
    jacobian = enumeration.jacobian_to_01(network)
    other = enumeration.fisher(enumeration.to_01(network), "01")
    metric = float(np.abs(matrix - jacobian.T @ other @ jacobian).max())
    yes = int(formula < TOLERANCE) + int(metric < TOLERANCE)
    why = (
        f"The formula holds on ±1 units to {_said(formula)}, and for the same distribution it is "
        f"the metric of {{0, 1}} units in other coordinates, to {_said(metric)}. "
        "The entries differ."
    )
    return Verdict(counted(yes, 2), _said(formula), why)


def _said(error: float) -> str:
    """An error, alike on every machine where it is rounding."""
    return f"<{ROUNDING:.0e}" if error < ROUNDING else f"{error:.1e}"


CLAIMS = [
    Claim(
        id="blocks",
        text="The Fisher matrix is block diagonal, one block per unit, of its parents’ size.",
        where="Proposition 1, Section 4; Figure 1",
        quantity="largest entry outside the blocks, and error of the blocks",
        paper="0",
        tolerance=f"below {TOLERANCE:g} in float64",
        needs=Needs(),
        check=block_diagonal,
        evidence="figures/fig1.csv",
    ),
    Claim(
        id="plus-minus-one",
        text="With +1 and −1 units the Fisher matrix would be the same.",
        where="Appendix A (“Try to believe”)",
        quantity="error of the blocks E[σ′ ĥ ĥᵀ] on ±1 units",
        paper="0",
        tolerance=f"below {TOLERANCE:g} in float64",
        needs=Needs(),
        check=plus_minus_one,
        evidence="figures/fig1.csv",
    ),
]

"""Claims about log-likelihoods: the values and the orderings of Tables 1 and 2."""

import math
from dataclasses import replace
from functools import partial

from nws.reporting import paper
from nws.reporting.claims import measure
from nws.reporting.claims.claim import NOT_REPRODUCED, PARTLY, Claim, Verdict, graded
from nws.reporting.claims.scale import Needs
from nws.reporting.results import Results
from nws.reporting.statistics import image_error, student

# Half a nat: the paper's single run, its unknown pooling filter and split leave no more certainty.
TOLERANCE = 0.5
FEW = 10.0  # effective samples
TABLE1 = Needs(("minimnist",), paper.TABLE1_EPOCHS, 10_000)
TABLE2 = Needs(("mnist",), paper.TABLE2_EPOCHS, 10_000)
CODING2 = "static"
PLACES = {"table1": "Table 1, Section 6", "table2": "Table 2, Section 6"}


def value(
    results: Results, experiment: str, binarization: str, algorithm: str, expected: float
) -> Verdict:
    """Within the tolerance, within twice the tolerance, or further away."""
    run = measure.one_run(results, experiment, algorithm, binarization)
    scores = measure.likelihoods(results, experiment, run)
    estimate = student([score["mean"] for score in scores.values()])
    gap = estimate.mean - expected
    near = abs(gap) / TOLERANCE
    verdict = graded(near <= 1, near <= 2)
    side = "above" if gap > 0 else "below"
    why = f"{abs(gap):.3f} nats {side} the paper’s {expected:.3f}."
    why += _loose(scores) + measure.still_falling(results, experiment, run)
    return Verdict(verdict, f"{estimate.mean:.3f}", why, estimate.n, measure.interval(estimate))


def _loose(scores: dict[int, dict[str, float]]) -> str:
    """A sentence where hardly any sample carries weight, so that more would still find more."""
    effective = [s for s in (score.get("effective_sample_size") for score in scores.values()) if s]
    if not effective or min(effective) >= FEW:
        return ""
    return (
        f" A bound from below, and a loose one: {min(effective):.1f} of its samples an image carry "
        "the weight."
    )


def ordering(results: Results, experiment: str, binarization: str) -> Verdict:
    """NRWS > RWS > WS, with gaps beyond the uncertainty; partly if NRWS leads at all."""
    scores = {
        name: measure.likelihoods(
            results, experiment, measure.one_run(results, experiment, name, binarization)
        )
        for name in ("ws", "rws", "nrws")
    }
    seeds = measure.shared(*scores.values())
    ours = {name: [found[seed] for seed in seeds] for name, found in scores.items()}
    means = {name: student([s["mean"] for s in scores]).mean for name, scores in ours.items()}
    error = {name: _uncertainty(scores) for name, scores in ours.items()}
    order = sorted(means, key=lambda name: means[name])
    clear = all(
        means[high] - means[low] > math.hypot(error[high], error[low])
        for low, high in (("ws", "rws"), ("rws", "nrws"))
    )
    text = " < ".join(f"{name.upper()} {means[name]:.3f}" for name in order)
    if order == ["ws", "rws", "nrws"]:
        why = "Same order, every gap beyond" if clear else "Same order, but a gap is within"
        why += " the 95% uncertainty"
        if len(seeds) == 1:
            why += " over images, taken as if each model had others: more than it is"
        return Verdict(graded(clear, True), text, f"{why}.", len(seeds))
    if order[-1] == "nrws":
        return Verdict(PARTLY, text, "NRWS leads, the other two are exchanged.", len(seeds))
    return Verdict(NOT_REPRODUCED, text, f"{order[-1].upper()} leads, not NRWS.", len(seeds))


def _uncertainty(scores: list[dict[str, float]]) -> float:
    """Half of the 95% interval: over seeds, or over images where there is one seed."""
    half = student([score["mean"] for score in scores]).half_width
    return half if math.isfinite(half) else 1.96 * image_error(scores[0])


def _values(
    table: str, experiment: str, binarization: str, rows: list[paper.Row], needs: Needs
) -> list[Claim]:
    return [
        Claim(
            id=f"{table}-{binarization}-{row.algorithm}".lower(),
            text=f"{row.algorithm.upper()} reaches {row.log_likelihood} nats on {where}.",
            where=PLACES[table],
            quantity="test log-likelihood, nats, 10,000 importance samples",
            paper=f"{row.log_likelihood}",
            tolerance=f"±{TOLERANCE} reproduced, ±{2 * TOLERANCE:g} partly",
            needs=replace(needs, algorithm=row.algorithm),
            check=partial(
                value,
                experiment=experiment,
                binarization=binarization,
                algorithm=row.algorithm,
                expected=row.log_likelihood,
            ),
            evidence=f"tables/{table}.csv",
        )
        for row in rows
        for where in [f"miniMNIST {binarization}" if table == "table1" else "MNIST"]
    ]


def _ordering(
    table: str, experiment: str, binarization: str, paper_order: str, needs: Needs
) -> Claim:
    return Claim(
        id=f"{table}-{binarization}-order".lower(),
        text="NRWS has a better log-likelihood than RWS, and RWS than WS"
        + (f" ({binarization})." if table == "table1" else "."),
        where=PLACES[table],
        quantity="order of the test log-likelihoods",
        paper=paper_order,
        tolerance="same order, gaps beyond the 95% uncertainty; partly if NRWS leads",
        needs=needs,
        check=partial(ordering, experiment=experiment, binarization=binarization),
        evidence=f"tables/{table}.csv",
    )


def _order(rows: list[paper.Row]) -> str:
    return " < ".join(f"{row.algorithm.upper()} {row.log_likelihood}" for row in rows)


CLAIMS = [
    claim
    for binarization, rows in paper.TABLE1.items()
    for claim in (
        *_values("table1", "minimnist", binarization, rows, TABLE1),
        _ordering("table1", "minimnist", binarization, _order(rows), TABLE1),
    )
] + [
    *_values("table2", "mnist", CODING2, paper.TABLE2, TABLE2),
    _ordering("table2", "mnist", CODING2, _order(paper.TABLE2), TABLE2),
]

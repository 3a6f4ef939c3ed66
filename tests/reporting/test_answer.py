"""The report's first paragraph counts what the claims' verdicts are."""

from pathlib import Path

import fake_results

from nws.reporting import claims
from nws.reporting.claims.claim import NOT_REPRODUCED, NOT_RUN, PARTLY, REPRODUCED, Verdict
from nws.reporting.page import answer
from nws.reporting.page.tried import tried
from nws.reporting.results import Results


def judged(*verdicts: Verdict) -> list[tuple[claims.Claim, Verdict]]:
    return list(zip(claims.ALL, verdicts, strict=False))


def test_claims_are_grouped_and_counted_by_what_they_rest_on() -> None:
    found = answer.content(
        judged(
            Verdict(REPRODUCED, "1", "", 0),
            Verdict(REPRODUCED, "1", "", 10, scale="at 200 of 200 epochs, 10 seeds"),
            Verdict(PARTLY, "1", "", 1, scale="at 250 of 250 epochs, 1 seed"),
            Verdict(
                NOT_REPRODUCED, "1", "", 1, scale="within 300 of 2000 epochs, 1 seed", shorter=True
            ),
            Verdict(NOT_RUN, "–", "missing"),
        )
    )
    assert [len(group.claims) for group in found["groups"]] == [2, 1, 1, 1]
    assert found["sure"] == {"several": 1, "one": 2, "exact": 1, "shorter": 1}
    assert found["total"] == 5


def test_rules_that_were_revised_after_their_runs_are_named() -> None:
    found = answer.content(judged(*[Verdict(NOT_RUN, "–", "missing")] * len(claims.ALL)))["revised"]
    assert {claim.id for claim in found} == {
        "crossover-b", "crossover-bst", "sooner-b", "sooner-bst", "sooner-mnist", "linear",
        "region-minimnist", "region-mnist", "k-speed", "damping-low",
    }  # fmt: skip
    assert all(claim.revised.startswith("before, ") for claim in found)


def test_the_order_of_the_algorithms_and_their_speed_are_told_where_they_are_judged() -> None:
    orders = [claim for claim in claims.ALL if claim.id.endswith("-order")]
    sooner = [claim for claim in claims.ALL if claim.id.startswith("sooner-")]
    assert (len(orders), len(sooner)) == (3, 3)
    found = answer.headline(
        [
            (sooner[0], Verdict(PARTLY, "RWS ×0.5 epochs, ×1.5 seconds", "", 1)),
            (sooner[1], Verdict(NOT_RUN, "–", "missing")),
            (orders[0], Verdict(REPRODUCED, "WS -3.1 < RWS -2.1 < NRWS -1.1", "", 1)),
            (orders[1], Verdict(NOT_RUN, "–", "missing")),
            (claims.ALL[0], Verdict(REPRODUCED, "1", "", 0)),
        ]
    )
    assert [claim for claim, _ in found] == [orders[0], sooner[0]]


def test_what_was_tried_is_told_of_what_does_not_hold(tmp_path: Path) -> None:
    """Where its runs are there, on the images that the claim is about."""
    results = Results(fake_results.write(tmp_path, missing=["clip/ws_b"]))
    by_id = {claim.id: claim for claim in claims.ALL}

    def told(name: str, verdict: str) -> list[str]:
        return [t.anchor for t in tried(results, by_id[name], Verdict(verdict, "1", ""))]

    assert told("table1-b-rws", NOT_REPRODUCED) == ["clip", "sensitivity", "nearest"]
    assert "clip" not in told("table1-b-ws", PARTLY)
    assert "sensitivity" not in told("table1-b-ws", PARTLY)  # of RWS and NRWS alone
    assert told("table1-b-order", PARTLY) == ["clip", "sensitivity", "nearest"]
    assert told("table1-b-rws", REPRODUCED) == []
    assert told("table1-bst-rws", PARTLY) == []  # there is a clip of B alone
    assert told("crossover-b", PARTLY) == ["crossover"]
    assert told("crossover-bst", PARTLY) == []
    assert told("linear", PARTLY) == []

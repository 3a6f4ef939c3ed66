"""The report's first paragraph counts what the claims' verdicts are."""

from nws.reporting import claims
from nws.reporting.claims.claim import NOT_REPRODUCED, NOT_RUN, PARTLY, REPRODUCED, Verdict
from nws.reporting.page import answer


def judged(*verdicts: Verdict) -> list[tuple[claims.Claim, Verdict]]:
    return list(zip(claims.ALL, verdicts, strict=False))


def test_claims_are_grouped_and_counted_by_what_they_rest_on() -> None:
    found = answer.content(
        judged(
            Verdict(REPRODUCED, "1", "", 0),
            Verdict(REPRODUCED, "1", "", 10, scale="at 200 of 200 epochs, 10 seeds"),
            Verdict(PARTLY, "1", "", 1, scale="at convergence (no better loss), 1 seed"),
            Verdict(NOT_REPRODUCED, "1", "", 1, scale="within 300 of 2000 epochs, 1 seed"),
            Verdict(NOT_RUN, "–", "missing"),
        )
    )
    assert [len(group.claims) for group in found["groups"]] == [2, 1, 1, 1]
    assert found["sure"] == {"several": 1, "one": 2, "exact": 1, "shorter": 1}
    assert found["total"] == 5

"""What the report opens with: which claims hold, which do not, how sure, on what scale."""

from typing import Any, NamedTuple

from nws.reporting.claims import Claim, Verdict
from nws.reporting.claims.claim import NOT_REPRODUCED, PARTLY, REPRODUCED

Judged = list[tuple[Claim, Verdict]]
GROUPS = {REPRODUCED: "hold", PARTLY: "hold in part", NOT_REPRODUCED: "do not hold"}


class Group(NamedTuple):
    """The claims of one verdict; ``said``: what they do, in a word or two."""

    verdict: str
    said: str
    claims: Judged


def groups(judged: Judged) -> list[Group]:
    """The claims by verdict, those without a verdict last."""
    found = [Group(v, said, [c for c in judged if c[1].verdict == v]) for v, said in GROUPS.items()]
    rest = [c for c in judged if c[1].verdict not in GROUPS]
    return [*found, Group("not judged", "are not judged yet", rest)]


def sureness(judged: Judged) -> dict[str, int]:
    """On how many seeds the verdicts rest: several, one, or none, for what is exact."""
    decided = [verdict for _, verdict in judged if verdict.verdict in GROUPS]
    return {
        "several": sum(v.seeds > 1 for v in decided),
        "one": sum(v.seeds == 1 for v in decided),
        "exact": sum(v.seeds == 0 for v in decided),
        "shorter": sum(v.shorter for v in decided),
    }


def headline(judged: Judged) -> Judged:
    """The judged claims that the whole paper rests on: which algorithm ends best, and whether NRWS
    is there sooner."""
    decided = [(c, v) for c, v in judged if v.verdict in GROUPS]
    return [
        *(found for found in decided if found[0].id.endswith("-order")),
        *(found for found in decided if found[0].id.startswith("sooner-")),
    ]


def content(judged: Judged) -> dict[str, Any]:
    """For the template."""
    return {
        "groups": groups(judged),
        "sure": sureness(judged),
        "total": len(judged),
        "headline": headline(judged),
        "revised": [claim for claim, _ in judged if claim.revised],
    }

"""The life of a referral campaign."""

NEXT_STATUS: dict[str, frozenset[str]] = {
    "draft": frozenset({"active"}),
    "active": frozenset({"paused", "completed"}),
    "paused": frozenset({"active", "completed"}),
    "completed": frozenset(),
}


def may_become(status: str, wanted: str) -> bool:
    """Whether a campaign may go from one status to another in one step."""
    return wanted in NEXT_STATUS[status]

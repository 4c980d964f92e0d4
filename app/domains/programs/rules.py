"""The life of a program."""

NEXT_STATUS: dict[str, frozenset[str]] = {
    "draft": frozenset({"active", "archived"}),
    "active": frozenset({"paused"}),
    "paused": frozenset({"active", "archived"}),
    "archived": frozenset({"draft"}),
}

TERMS = (
    "points_per_unit",
    "signup_bonus",
    "earn_trigger",
    "holding_days",
    "expiry_months",
    "rounding",
    "earn_on_tax",
    "minimum_redemption",
)


def may_become(status: str, wanted: str) -> bool:
    """Whether a program may go from one status to another in one step."""
    return wanted in NEXT_STATUS[status]

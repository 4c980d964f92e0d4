"""Terms of a program for tests, with only what a test cares about spelled out."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import ids
from app.domains.programs import rules as programs
from app.domains.programs.schemas import ProgramTerms

PROGRAM = UUID(int=1)


def settings(**changes: Any) -> dict[str, Any]:
    """A program's settings as JSON values: 10 points per unit, 200 for signing up."""
    plain: dict[str, Any] = {
        "type": "tiered",
        "points_per_unit": "10",
        "signup_bonus": 200,
        "earn_trigger": "paid",
        "holding_days": 0,
        "expiry_months": None,
        "expiry": {},
        "rounding": "down",
        "earn_on_tax": True,
        "minimum_redemption": 0,
        "step": None,
        "zone": "",
        "debt_policy": "negative",
        "multiplier_mode": "multiply",
        "rules": [],
        "multipliers": [],
        "caps": {},
        "eligibility": {},
    }
    return plain | changes


def terms(**changes: Any) -> ProgramTerms:
    """The terms that such settings lead to."""
    return programs.read_terms(ids.new_id(), PROGRAM, programs.terms(settings(**changes)))


def rule(
    rule_id: str, points: int | str | Decimal = 5, kind: str = "purchase", **changes: Any
) -> dict[str, Any]:
    """An earning rule as JSON values."""
    return {"id": rule_id, "kind": kind, "points": str(points)} | changes

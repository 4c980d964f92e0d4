"""What a deed earns: points at once, under the same conditions and caps as orders."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from app.domains.points.rules.matching import ineligible, outside
from app.domains.points.rules.orders import MemberState, OrderState, Refunded
from app.domains.points.rules.shares import rounded
from app.domains.programs.schemas import EarningRule, ProgramTerms

_RATE = 10_000


# What a person does once in a lifetime needs no name from the caller.
ONCE_IN_A_LIFETIME = ("signup", "newsletter")


def price_deed(
    rule: EarningRule, terms: ProgramTerms, day: date, member: MemberState
) -> tuple[int, dict[str, Any]]:
    """Points for doing what the rule rewards on a day, and the numbers behind them; 0 with a reason when none.

    An account is as old as it is when that day ends.
    """
    trace: dict[str, Any] = {"rule": {"id": rule.id, "kind": rule.kind, "event": rule.event}}
    if rule.name:
        trace["rule"] |= {"name": rule.name, "names": rule.names.model_dump(exclude_none=True)}
    why = ineligible(terms.eligibility, None, member, datetime.combine(day, time.max, UTC)) or outside(
        rule.conditions, OrderState([], Refunded(), 2, day=day), member
    )
    if why:
        return 0, trace | {"refusal": why}
    points = rounded(int(rule.points * _RATE), _RATE, terms.rounding)
    caps: list[dict[str, Any]] = [
        {"rule": rule_id, "cap": name, "limit": limit}
        for rule_id in (rule.id, "")
        for name, limit in _room(member.room, rule_id).items()
        if limit < points
    ]
    if caps:
        tightest = min(caps, key=lambda cap: cap["limit"])
        return tightest["limit"], trace | {"caps": [tightest]}
    return points, trace


def _room(room: Mapping[str, Mapping[str, int]], rule_id: str) -> Mapping[str, int]:
    return room.get(rule_id, {})


def occasion(reason: str, key: str, member_id: UUID) -> str | None:
    """What an award without an order was given for, so that one person gets it once, however many accounts they have.

    A lifetime has one sign-up and one newsletter; what else is keyed by the member (a birthday in a year, an event, a
    visit on a day) is the same for two accounts when their keys differ only in who. None: given for nothing of the kind.
    """
    if reason in ONCE_IN_A_LIFETIME:
        return reason
    own = key.startswith(f"{reason}:") and str(member_id) in key
    return key.replace(str(member_id), "") if own else None

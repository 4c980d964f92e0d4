"""Punch cards and spending goals: how far a count over several orders has come."""

from datetime import date, timedelta
from decimal import Decimal

from app.core.values import value
from app.domains.points.rules.calendar import period_of
from app.domains.points.rules.orders import BASIS_POINTS, MemberState
from app.domains.points.rules.shares import rounded
from app.domains.programs.schemas import EarningRule, ProgramTerms, When

_RATE = 10_000


@value
class Progress:
    """`filled` of `size` stamps or minor units of money, `missing` until `points` are given.

    After a refund behind a full card `missing` is more than the size leaves. `last_day` is the period's, None without
    one; `reached` is a goal that gives nothing more in its period.
    """

    rule: EarningRule
    filled: int
    size: int
    missing: int
    points: int
    reached: bool
    last_day: date | None

    @property
    def begins_again(self) -> date | None:
        """The first day of the next period."""
        return self.last_day + timedelta(days=1) if self.last_day else None


def progress(
    rule: EarningRule, terms: ProgramTerms, member: MemberState, day: date, exponent: int
) -> Progress | None:
    """Where a member is on a rule's count on a day; None where the rule is not for them or gives nothing."""
    points = _gives(rule, terms, member)
    if not points or not _open(rule.conditions, member, day):
        return None
    units, completed = member.counts.get(rule.id, (0, 0))
    size = _size(rule, exponent)
    last_day = period_of(day, rule.goal_period)[1] if rule.goal_period else None
    if rule.kind == "goal_spend" and completed:
        return Progress(rule, size, size, 0, points, reached=True, last_day=last_day)
    filled = min(max(units - completed * size, 0), size)
    missing = max((completed + 1) * size - units, 1)
    return Progress(rule, filled, size, missing, points, reached=False, last_day=last_day)


def _size(rule: EarningRule, exponent: int) -> int:
    step = rule.step or Decimal(1)
    return max(int(step if rule.stamps else step.scaleb(exponent)), 1)


def _gives(rule: EarningRule, terms: ProgramTerms, member: MemberState) -> int:
    """The points of one full count, with the member's tier and without campaigns, which may be over by then."""
    factor = member.tier_bp if rule.multiplied else BASIS_POINTS
    return rounded(int(rule.points * _RATE) * factor, _RATE * BASIS_POINTS, terms.rounding)


def _open(when: When, member: MemberState, day: date) -> bool:
    """Whether what conditions ask about the member and the day holds, whatever the order will be."""
    return (
        (not when.starts_on or day >= when.starts_on)
        and (not when.ends_on or day <= when.ends_on)
        and (not when.segments or bool(member.segments.intersection(when.segments)))
        and (not when.tiers or member.tier in when.tiers)
    )

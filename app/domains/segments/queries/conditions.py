"""Conditions as SQL over `segment_facts f` and `members m`. What a merchant wrote travels as parameters only."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.core import rfm
from app.domains.segments import rules as decisions
from app.domains.segments.schemas import AHEAD, Condition, Group, Moment, Rules

# The base of every segment: people who are somebody now. Merged and erased members are nobody.
BASE = """segment_facts f JOIN members m ON m.shop_id = f.shop_id AND m.id = f.member_id
  WHERE f.shop_id = %(shop)s AND m.status IN ('active', 'blocked', 'guest')"""

_COLUMNS = {
    "available": "f.available",
    "earned": "f.earned",
    "lifetime": "f.lifetime",
    "orders": "f.orders",
    "spent": "f.spent_minor",
    "redemptions": "f.redemptions",
    "referrals": "f.referrals",
    "last_order": "f.last_order_at",
    "last_earned": "f.last_earned_at",
    "last_redeemed": "f.last_redeemed_at",
    "next_expiry": "f.next_expiry_at",
    "enrolled": "m.enrolled_at",
    "status": "m.status",
    "language": "m.locale",
    "country": "f.country",
    "consent": "CASE WHEN m.email_consent = 'subscribed' THEN 'subscribed' ELSE 'not_subscribed' END",
}
_TIMES = {
    "within": "{column} >= %({name})s",
    "before": "{column} < %({name})s",
    "never": "{column} IS NULL",
}


def compiled(rules: Rules, moment: Moment, months: dict[int, list[bytes]]) -> tuple[str, dict[str, Any]]:
    """The condition that members of the segment meet, never NULL, and its parameters.

    `months` holds the blind indexes of every day of the months that `birthdays_of` names.
    """
    writer = _Writer(moment, months)
    parts = [writer.condition(one) for one in rules.conditions]
    parts += [writer.group(group) for group in rules.groups]
    return _joined(parts, rules.match), writer.values


def birthdays_of(rules: Rules, moment: Moment) -> set[int]:
    """The months whose birthdays the conditions ask for."""
    return {
        moment.month if value == decisions.THIS_MONTH else int(value)
        for _, one in rules.every
        if one.fact == "birthday"
        for value in one.values
    }


def _joined(parts: list[str], match: str) -> str:
    if not parts:
        return "false"
    return "(" + (" AND " if match == "all" else " OR ").join(parts) + ")"


class _Writer:
    """Writes conditions and numbers their parameters."""

    def __init__(self, moment: Moment, months: dict[int, list[bytes]]) -> None:
        self.moment, self.months = moment, months
        self.values: dict[str, Any] = {}

    def group(self, group: Group) -> str:
        return _joined([self.condition(one) for one in group.conditions], group.match)

    def condition(self, one: Condition) -> str:
        if one.op in ("at_least", "at_most"):
            sign = ">=" if one.op == "at_least" else "<="
            return f"{_COLUMNS[one.fact]} {sign} %({self._keep(one.number or 0)})s"
        if one.op in _TIMES:
            return self._time(one)
        said = self._choice(one)
        return f"coalesce({said}, false)" if one.op == "is" else f"NOT coalesce({said}, false)"

    def _keep(self, value: Any) -> str:
        name = f"c{len(self.values)}"
        self.values[name] = value
        return name

    def _time(self, one: Condition) -> str:
        column = _COLUMNS[one.fact]
        if one.op == "never":
            return _TIMES["never"].format(column=column)
        days = timedelta(days=one.number or 0)
        if one.fact in AHEAD:
            first, last = self._keep(self.moment.now), self._keep(self.moment.now + days)
            return f"coalesce({column} BETWEEN %({first})s AND %({last})s, false)"
        said = _TIMES[one.op].format(column=column, name=self._keep(self.moment.now - days))
        return f"coalesce({said}, false)"

    def _choice(self, one: Condition) -> str:
        if one.fact == "tier":
            return f"f.tiers && %({self._keep([UUID(value) for value in one.values])})s::uuid[]"
        if one.fact == "tags":
            return f"f.tags && %({self._keep([value.lower() for value in one.values])})s::text[]"
        if one.fact == "birthday":
            wanted = birthdays_of(Rules(conditions=(one,)), self.moment)
            days = [index for month in sorted(wanted) for index in self.months[month]]
            return f"m.birthday_index = ANY(%({self._keep(days)})s::bytea[])"
        if one.fact == "rfm":
            return f"{self._rfm()} = ANY(%({self._keep(list(one.values))})s::text[])"
        return f"{_COLUMNS[one.fact]} = ANY(%({self._keep(list(one.values))})s::text[])"

    def _rfm(self) -> str:
        """The class by the same scores as `rules.rfm_class`."""
        fifths = self.moment.fifths
        recency = rfm.score_sql("f.last_order_at", f"%({self._keep(list(fifths.recency))})s::timestamptz[]")
        frequency = rfm.score_sql("f.orders", f"%({self._keep(list(fifths.frequency))})s::bigint[]")
        money = rfm.score_sql("f.spent_minor", f"%({self._keep(list(fifths.money))})s::bigint[]")
        return (
            "(SELECT CASE WHEN f.last_order_at IS NULL OR f.orders = 0 THEN NULL"
            " WHEN s.r >= 4 AND s.f >= 4 AND s.m >= 4 THEN 'champions'"
            " WHEN s.r >= 3 AND s.f >= 3 THEN 'loyal'"
            " WHEN s.r >= 4 AND f.orders = 1 THEN 'new'"
            " WHEN s.r >= 3 THEN 'promising'"
            " WHEN s.f >= 3 OR s.m >= 4 THEN 'at_risk' ELSE 'inactive' END"
            f" FROM (SELECT {recency} AS r, {frequency} AS f, {money} AS m) s)"
        )

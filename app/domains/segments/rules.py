"""What conditions mean: which can be asked, whether a member meets them, RFM classes, templates. No database, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.i18n import LOCALES, mark
from app.domains.segments.schemas import (
    AGES,
    AHEAD,
    CONSENTS,
    MONEY,
    NUMBERS,
    RFM,
    STATUSES,
    Condition,
    Group,
    MemberFacts,
    Moment,
    Rules,
)

_COMPARED = ("at_least", "at_most")
_DATED = ("within", "before", "never")
_CHOSEN = ("is", "is_not")
MOST_DAYS = 36_500
THIS_MONTH = "this"
MONTHS = (*(str(number) for number in range(1, 13)), THIS_MONTH)

_NUMBER_MISSING = mark("Enter a number.")
_DAYS_TOO_MANY = mark("Enter at most {days} days.")
_VALUES_MISSING = mark("Choose at least one.")
_VALUE_UNKNOWN = mark("This cannot be chosen: {value}.")
_OP_UNKNOWN = mark("Choose how to compare.")
_NOTHING_ASKED = mark("Add at least one condition.")


@dataclass(frozen=True)
class Problem:
    """Why a condition cannot be asked: the part of it, and a marked sentence with its data."""

    part: str
    sentence: str
    data: Mapping[str, Any]


def ops_of(fact: str) -> tuple[str, ...]:
    """How a fact can be compared."""
    if fact in NUMBERS or fact in MONEY:
        return _COMPARED
    if fact in AHEAD:
        return ("within", "never")
    if fact in AGES:
        return ("within", "before") if fact == "enrolled" else _DATED
    return _CHOSEN


def choices_of(fact: str) -> tuple[str, ...] | None:
    """The values a fact can have; None when they are not known beforehand (tiers, countries, tags)."""
    return {
        "status": STATUSES,
        "language": LOCALES,
        "birthday": MONTHS,
        "consent": CONSENTS,
        "rfm": RFM,
    }.get(fact)


def problem(condition: Condition) -> Problem | None:
    """Why a condition cannot be asked; None when it can."""
    if condition.op not in ops_of(condition.fact):
        return Problem("op", _OP_UNKNOWN, {})
    if condition.op in _CHOSEN:
        return _problem_of_values(condition)
    if condition.op == "never":
        return None
    if condition.number is None:
        return Problem("number", _NUMBER_MISSING, {})
    if condition.op in ("within", "before") and condition.number > MOST_DAYS:
        return Problem("number", _DAYS_TOO_MANY, {"days": MOST_DAYS})
    return None


def _problem_of_values(condition: Condition) -> Problem | None:
    if not condition.values:
        return Problem("values", _VALUES_MISSING, {})
    known = choices_of(condition.fact)
    for value in condition.values:
        if (known is not None and value not in known) or not _fits(condition.fact, value):
            return Problem("values", _VALUE_UNKNOWN, {"value": value})
    return None


def _fits(fact: str, value: str) -> bool:
    if fact == "country":
        return len(value) == 2 and value.isascii() and value.isalpha() and value.isupper()
    if fact == "tier":
        try:
            return bool(UUID(value))
        except ValueError:
            return False
    return True


def problems(rules: Rules) -> list[tuple[str, Problem]]:
    """What is wrong with conditions, each with its place in them; a problem of the whole has the place ""."""
    found = [(place, wrong) for place, one in rules.every if (wrong := problem(one)) is not None]
    if not rules.every:
        found.append(("", Problem("conditions", _NOTHING_ASKED, {})))
    return found


def matches(facts: MemberFacts, rules: Rules, moment: Moment) -> bool:
    """Whether a member meets conditions; the same as `queries.conditions.compiled` says in SQL."""
    results = [_meets(facts, one, moment) for one in rules.conditions]
    results += [_group(facts, group, moment) for group in rules.groups]
    if not results:
        return False
    return all(results) if rules.match == "all" else any(results)


def _group(facts: MemberFacts, group: Group, moment: Moment) -> bool:
    results = [_meets(facts, one, moment) for one in group.conditions]
    return all(results) if group.match == "all" else any(results)


def _meets(facts: MemberFacts, one: Condition, moment: Moment) -> bool:
    if one.op in _COMPARED:
        value: int = getattr(facts, "spent_minor" if one.fact == "spent" else one.fact)
        limit = one.number or 0
        return value >= limit if one.op == "at_least" else value <= limit
    if one.op in _DATED:
        return _meets_time(getattr(facts, f"{one.fact}_at"), one, moment.now)
    found = _values(facts, one, moment)
    wanted = {value.lower() for value in one.values} if one.fact == "tags" else set(one.values)
    if one.fact == "birthday":
        wanted = {str(moment.month) if value == THIS_MONTH else value for value in wanted}
    return bool(found & wanted) == (one.op == "is")


def _meets_time(at: datetime | None, one: Condition, now: datetime) -> bool:
    if one.op == "never":
        return at is None
    if at is None:
        return False
    days = timedelta(days=one.number or 0)
    if one.fact in AHEAD:
        return now <= at <= now + days
    return at >= now - days if one.op == "within" else at < now - days


def _values(facts: MemberFacts, one: Condition, moment: Moment) -> set[str]:
    """What a member has of a fact with choices."""
    if one.fact == "tier":
        return {str(tier) for tier in facts.tiers}
    if one.fact == "tags":
        return {tag.lower() for tag in facts.tags}
    if one.fact == "birthday":
        return {str(facts.birthday_month)} if facts.birthday_month else set()
    if one.fact == "consent":
        # Whoever never said anything did not subscribe.
        return {"subscribed" if facts.consent == "subscribed" else "not_subscribed"}
    if one.fact == "rfm":
        found = rfm_class(facts.last_order_at, facts.orders, facts.spent_minor, moment)
        return {found} if found else set()
    value: str = getattr(facts, one.fact)
    return {value} if value else set()


def rfm_class(last_order_at: datetime | None, orders: int, spent_minor: int, moment: Moment) -> str | None:
    """The class of a buyer by the RFM scores of `core.rfm`; None for somebody who never bought."""
    if last_order_at is None or orders == 0:
        return None
    recency, frequency, money = moment.fifths.scores(last_order_at, orders, spent_minor)
    if recency >= 4 and frequency >= 4 and money >= 4:
        return "champions"
    if recency >= 3:
        if frequency >= 3:
            return "loyal"
        return "new" if orders == 1 and recency >= 4 else "promising"
    return "at_risk" if frequency >= 3 or money >= 4 else "inactive"


@dataclass(frozen=True)
class Template:
    """A segment to start from: its marked name and description, and its conditions."""

    key: str
    name: str
    description: str
    rules: Rules


def _all(*conditions: Condition) -> Rules:
    return Rules(conditions=conditions)


_ACTIVE = Condition(fact="status", op="is", values=("active",))
TEMPLATES: tuple[Template, ...] = (
    Template(
        "vips",
        mark("VIPs"),
        mark("Your best customers: they buy often, lately, and spend well."),
        _all(_ACTIVE, Condition(fact="rfm", op="is", values=("champions",))),
    ),
    Template(
        "at-risk",
        mark("At risk"),
        mark("Good customers whose last order is longer ago than that of most."),
        _all(_ACTIVE, Condition(fact="rfm", op="is", values=("at_risk",))),
    ),
    Template(
        "new",
        mark("New members"),
        mark("Joined within the last 30 days."),
        _all(_ACTIVE, Condition(fact="enrolled", op="within", number=30)),
    ),
    Template(
        "about-to-expire",
        mark("Points about to expire"),
        mark("Have points that expire within 30 days."),
        _all(_ACTIVE, Condition(fact="next_expiry", op="within", number=30)),
    ),
    Template(
        "one-time-buyers",
        mark("One-time buyers"),
        mark("Ordered once, more than 30 days ago."),
        _all(
            _ACTIVE,
            Condition(fact="orders", op="at_least", number=1),
            Condition(fact="orders", op="at_most", number=1),
            Condition(fact="last_order", op="before", number=30),
        ),
    ),
    Template(
        "birthday",
        mark("Birthday this month"),
        mark("Celebrate this month."),
        _all(_ACTIVE, Condition(fact="birthday", op="is", values=(THIS_MONTH,))),
    ),
    Template(
        "unused-points",
        mark("Points never redeemed"),
        mark("Have 500 points or more and never redeemed any."),
        _all(
            _ACTIVE,
            Condition(fact="available", op="at_least", number=500),
            Condition(fact="last_redeemed", op="never"),
        ),
    ),
    Template(
        "advocates",
        mark("Advocates"),
        mark("Brought at least one friend who bought."),
        _all(_ACTIVE, Condition(fact="referrals", op="at_least", number=1)),
    ),
    Template(
        "guests",
        mark("Guests with points"),
        mark("Ordered without an account and have points waiting for them."),
        _all(
            Condition(fact="status", op="is", values=("guest",)),
            Condition(fact="available", op="at_least", number=1),
        ),
    ),
)


FIRST = _all(Condition(fact="orders", op="at_least", number=1))


def template(key: str) -> Template | None:
    """A template by its key."""
    return next((one for one in TEMPLATES if one.key == key), None)

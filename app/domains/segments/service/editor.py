"""Conditions between the editor and their stored shape: reading what was typed, the form's shape, telling in words."""

import re
from collections.abc import Mapping
from typing import Any

from babel.numbers import format_currency, format_decimal

from app.core import money
from app.core.countries import countries, country_code
from app.core.i18n import enumerated, mark, translate, translations
from app.domains.segments import rules
from app.domains.segments.errors import ConditionRefused
from app.domains.segments.schemas import (
    AGES,
    AHEAD,
    MONEY,
    MOST_CONDITIONS,
    MOST_GROUPS,
    NUMBERS,
    Condition,
    ConditionForm,
    Group,
    Rules,
    SegmentForm,
    ShapeCondition,
    ShapeForm,
    ShapeGroup,
)

FACTS = {
    "available": mark("Available points"),
    "earned": mark("Points that count for tiers"),
    "lifetime": mark("Points earned in all"),
    "tier": mark("Tier"),
    "orders": mark("Number of orders"),
    "spent": mark("Money spent"),
    "last_order": mark("Last order"),
    "rfm": mark("Buying behavior"),
    "redemptions": mark("Rewards redeemed"),
    "last_redeemed": mark("Last reward redeemed"),
    "last_earned": mark("Points last earned"),
    "next_expiry": mark("Points expire"),
    "referrals": mark("Friends brought"),
    "enrolled": mark("Joined"),
    "birthday": mark("Birthday"),
    "status": mark("State"),
    "language": mark("Language"),
    "country": mark("Country"),
    "tags": mark("Customer tags"),
    "consent": mark("E-mail marketing"),
}
OPS = {
    "at_least": mark("is at least"),
    "at_most": mark("is at most"),
    "within": mark("within the last"),
    "before": mark("longer ago than"),
    "never": mark("never"),
    "is": mark("is one of"),
    "is_not": mark("is none of"),
}
AHEAD_OPS = {"within": mark("within the next"), "never": mark("never")}
VALUES = {
    "active": mark("Active"),
    "blocked": mark("Blocked"),
    "guest": mark("Guest"),
    "subscribed": mark("Subscribed"),
    "not_subscribed": mark("Not subscribed"),
    "champions": mark("Champions: often, lately, a lot"),
    "loyal": mark("Loyal: often and lately"),
    "promising": mark("Promising: lately, not yet often"),
    "new": mark("New: first order lately"),
    "at_risk": mark("At risk: good, but long ago"),
    "inactive": mark("Inactive: little and long ago"),
    "this": mark("This month"),
    "1": mark("January"),
    "2": mark("February"),
    "3": mark("March"),
    "4": mark("April"),
    "5": mark("May"),
    "6": mark("June"),
    "7": mark("July"),
    "8": mark("August"),
    "9": mark("September"),
    "10": mark("October"),
    "11": mark("November"),
    "12": mark("December"),
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "ar": "العربية",
    "he": "עברית",
}
_PLACE = re.compile(r"(conditions|groups\.(\d)\.conditions)\.(\d{1,2})\.(fact|op)")
_NUMBER_MISSING = mark("Enter a number.")
_DECIMALS = mark("Amounts in {currency} have at most {decimals} decimals.")


def kind_of(fact: str) -> str:
    """Which fields a fact needs: number, money, days, choices, tiers or tags."""
    if fact in NUMBERS:
        return "number"
    if fact in MONEY:
        return "money"
    if fact in AGES or fact in AHEAD:
        return "days"
    if fact == "tier":
        return "tiers"
    return "choices" if rules.choices_of(fact) else "tags"


def read(form: SegmentForm, currency: str) -> Rules:
    """The conditions of the editor. Raises ConditionRefused with a sentence for each field that was refused."""
    refused = _Refused(currency)
    conditions = _conditions(form.conditions, "conditions", refused)
    groups = []
    for number, group in enumerate(form.groups):
        found = _conditions(group.conditions, f"groups.{number}.conditions", refused)
        if found:
            groups.append(Group(match=group.match, conditions=tuple(found)))
    if refused.fields:
        raise ConditionRefused(fields=refused.fields, **refused.data)
    return Rules(match=form.match, conditions=tuple(conditions), groups=tuple(groups))


class _Refused:
    """What is refused so far: marked sentences by field, and what fills them."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.fields: dict[str, str] = {}
        self.data: dict[str, Any] = {"currency": currency, "decimals": money.exponent(currency)}


def _conditions(typed: list[ConditionForm], place: str, refused: _Refused) -> list[Condition]:
    found = []
    for number, one in enumerate(typed):
        op = one.op if one.op in rules.ops_of(one.fact) else rules.ops_of(one.fact)[0]
        value = one.number
        if kind_of(one.fact) == "money":
            value = _minor(one, f"{place}.{number}.amount", refused)
        chosen = op in ("is", "is_not")
        values = tuple(part.strip() for part in one.values if part.strip()) if chosen else ()
        if one.fact == "country":
            values = tuple(_country(part) for part in values)
        condition = Condition(
            fact=one.fact, op=op, number=None if chosen or op == "never" else value, values=values
        )
        wrong = rules.problem(condition)
        if wrong is not None and kind_of(one.fact) != "money":
            refused.fields[f"{place}.{number}.{wrong.part}"] = wrong.sentence
            refused.data |= wrong.data
        found.append(condition)
    return found


def _country(typed: str) -> str:
    """A country's letters where they are known; else what was typed, for the rules to refuse."""
    try:
        return str(country_code(typed))
    except ValueError:
        return typed


def _minor(one: ConditionForm, place: str, refused: _Refused) -> int | None:
    if one.amount is None:
        refused.fields[place] = _NUMBER_MISSING
        return None
    if one.amount != round(one.amount, money.exponent(refused.currency)):
        refused.fields[place] = _DECIMALS
        return None
    return money.to_minor(one.amount, refused.currency)


def typed(asked: Rules, currency: str) -> dict[str, Any]:
    """Conditions as the editor shows them: money in major units."""

    def one(condition: Condition) -> dict[str, Any]:
        is_money = condition.fact in MONEY and condition.number is not None
        return {
            "fact": condition.fact,
            "op": condition.op,
            "number": None if is_money else condition.number,
            "amount": money.to_decimal(condition.number, currency) if is_money else None,  # type: ignore[arg-type]
            "values": list(condition.values),
        }

    return {
        "match": asked.match,
        "conditions": [one(condition) for condition in asked.conditions],
        "groups": [
            {"match": group.match, "conditions": [one(condition) for condition in group.conditions]}
            for group in asked.groups
        ],
    }


def changed(form: ShapeForm) -> dict[str, Any]:
    """The editor after the button that was pressed: one condition or group more or less. Full ones stay as they are."""
    conditions, groups = list(form.conditions), [group.model_copy(deep=True) for group in form.groups]
    what, _, rest = form.then.partition(":")
    steps = [int(step) for step in rest.split(":") if step]
    if what == "add":
        target = conditions if not steps else groups[steps[0]].conditions if steps[0] < len(groups) else []
        if len(target) < MOST_CONDITIONS:
            target.append(ShapeCondition())
    elif what == "group" and len(groups) < MOST_GROUPS:
        groups.append(ShapeGroup(match="any", conditions=[ShapeCondition()]))
    elif what == "drop":
        target = (
            conditions if len(steps) == 1 else groups[steps[0]].conditions if steps[0] < len(groups) else []
        )
        del target[steps[-1] : steps[-1] + 1]
    elif what == "drop-group":
        del groups[steps[0] : steps[0] + 1]
    groups = [group for group in groups if group.conditions]
    return {
        "name": form.name,
        "description": form.description,
        "version": form.version,
        "match": form.match,
        "conditions": [one.model_dump() for one in conditions],
        "groups": [group.model_dump() for group in groups],
    }


def shape(initial: Mapping[str, Any]) -> dict[str, Any]:
    """Which fields the editor has: each condition's place, fact, kind and comparisons."""
    return {
        "rows": [_row(f"conditions.{n}", f"{n}", one) for n, one in enumerate(initial["conditions"])],
        "groups": [
            [_row(f"groups.{g}.conditions.{n}", f"{g}:{n}", one) for n, one in enumerate(group["conditions"])]
            for g, group in enumerate(initial["groups"])
        ],
    }


def shape_of_posted(values: Mapping[str, str]) -> dict[str, Any]:
    """The same for a posted form that was refused, whose fields are named by their places."""
    conditions: dict[int, dict[str, str]] = {}
    groups: dict[int, dict[int, dict[str, str]]] = {}
    for name, value in values.items():
        found = _PLACE.fullmatch(name)
        if found is None:
            continue
        target = conditions if found[2] is None else groups.setdefault(int(found[2]), {})
        target.setdefault(int(found[3]), {})[found[4]] = value
    in_order = [
        {"conditions": [one for _, one in sorted(group.items())]} for _, group in sorted(groups.items())
    ]
    return shape({"conditions": [one for _, one in sorted(conditions.items())], "groups": in_order})


def _row(place: str, steps: str, one: Mapping[str, Any]) -> dict[str, Any]:
    fact = one.get("fact") if one.get("fact") in FACTS else "orders"
    assert fact is not None
    ops = rules.ops_of(fact)
    words = OPS | (AHEAD_OPS if fact in AHEAD else {})
    op = one.get("op") if one.get("op") in ops else ops[0]
    return {
        "place": place,
        "steps": steps,
        "fact": fact,
        "kind": kind_of(fact),
        "op": op,
        "ops": [(name, words[name]) for name in ops],
        "choices": [(value, VALUES[value]) for value in rules.choices_of(fact) or ()],
    }


def told(asked: Rules, tiers: Mapping[str, str], locale: str, currency: str) -> dict[str, Any]:
    """Conditions as pairs of words (what, how), with those of each group; tiers are named, amounts have their currency."""

    def one(condition: Condition) -> tuple[str, str]:
        return translate(locale, FACTS[condition.fact]), _how(condition, tiers, locale, currency)

    return {
        "match": asked.match,
        "rows": [one(condition) for condition in asked.conditions],
        "groups": [
            {"match": group.match, "rows": [one(condition) for condition in group.conditions]}
            for group in asked.groups
        ],
    }


def _how(one: Condition, tiers: Mapping[str, str], locale: str, currency: str) -> str:
    texts, count = translations(locale), one.number or 0
    if one.op == "never":
        return translate(locale, OPS["never"])
    if one.op in ("is", "is_not"):
        named = [_called(one.fact, value, tiers, locale) for value in one.values]
        sentence = mark("{values}") if one.op == "is" else mark("not {values}")
        return translate(locale, sentence, values=enumerated(locale, named, "or"))
    if one.op in ("within", "before"):
        return _days(one, texts, count)
    value = (
        format_currency(money.to_decimal(count, currency), currency, locale=locale, numbering_system="latn")
        if one.fact in MONEY
        else format_decimal(count, locale=locale, numbering_system="latn")
    )
    sentence = mark("at least {value}") if one.op == "at_least" else mark("at most {value}")
    return translate(locale, sentence, value=value)


def _called(fact: str, value: str, tiers: Mapping[str, str], locale: str) -> str:
    if fact == "country":
        return countries(locale).get(value, value)
    return translate(locale, VALUES[value]) if value in VALUES and fact != "tags" else tiers.get(value, value)


def _days(one: Condition, texts: Any, count: int) -> str:
    if one.fact in AHEAD:
        found = texts.ngettext("within the next {days} day", "within the next {days} days", count)
    elif one.op == "within":
        found = texts.ngettext("within the last {days} day", "within the last {days} days", count)
    else:
        found = texts.ngettext("more than {days} day ago", "more than {days} days ago", count)
    sentence: str = found
    return sentence.format(days=count)

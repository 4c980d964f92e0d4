"""An entry's calculation, line by line, as a person can follow it: inputs, rules, multipliers, caps and rounding."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency, format_decimal

from app.core.i18n import isolated, mark, translate
from app.domains.points.service.statement import CAPS, WHY_NOTHING, counted, rule_name

Line = tuple[str, str]

_EARNS = mark("Amount that earns")
_MEMBER_TIMES = mark("Multiplier in all")
_EXACT = mark("Before rounding")
_ROUNDING = mark("Rounding")
_IN_ALL = mark("The order earns in all")
_HAD = mark("Given for it before")
_THIS = mark("This entry")
_REPAID = mark("Of it, repaid a debt")
_WAIVED = mark("Neither taken back nor owed")
_CAP = mark("Limit")
_DAY = mark("Counted on the day")
_UNTOLD = mark("its conditions are not met")
_ROUNDINGS = {
    "down": mark("down"),
    "nearest": mark("to the nearest, half up"),
    "half_even": mark("to the nearest, half to even"),
    "up": mark("up"),
}
_TERMS = {
    "unit": mark("{base} at {rate} per unit of money: {points}"),
    "spend_step": mark("{rate} for each step of money spent, {base} counted: {points}"),
    "item": mark("{count} items at {rate} each: {points}"),
    "stamp_item": mark("{rate} for a full card, {count} stamps on it: {points}"),
    "stamp_order": mark("{rate} for a full card, {count} stamps on it: {points}"),
}
_ONCE = mark("{rate} at once: {points}")
_NO_MORE = mark("no more than {limit} {cap}")
_GIVES_NOTHING = mark("nothing, because {why}")


def told(entry: dict[str, Any], locale: str) -> list[Line]:
    """How an entry (a row of queries) was worked out, as pairs of a name and a text in the locale."""
    trace = entry["trace"]
    lines = list(_order(trace, locale)) if "base_minor" in trace else list(_deed(trace, locale))
    if lines and "order_points" in trace:
        before = trace["order_points"] - entry["points"] + entry["waived"]
        lines.append((translate(locale, _IN_ALL), counted(trace["order_points"], locale)))
        if before:
            lines.append((translate(locale, _HAD), counted(before, locale)))
    if lines:
        lines.append((translate(locale, _THIS), counted(entry["points"], locale)))
    if entry["points"] > 0 and entry["moved"] and entry["kind"] in ("award", "adjust"):
        lines.append((translate(locale, _REPAID), counted(entry["moved"], locale)))
    if entry["waived"]:
        lines.append((translate(locale, _WAIVED), counted(entry["waived"], locale)))
    return lines


def _deed(trace: dict[str, Any], locale: str) -> Iterator[Line]:
    if "rule" in trace and "given" in trace:
        yield rule_name(trace["rule"], locale), counted(sum(trace["given"].values()), locale)
        if trace.get("day"):
            yield translate(locale, _DAY), trace["day"]


def _order(trace: dict[str, Any], locale: str) -> Iterator[Line]:
    yield translate(locale, _EARNS), _money(trace, trace["base_minor"], locale)
    for rule in trace.get("rules") or _base_rule(trace):
        yield rule_name(rule, locale), _rule(rule, trace, locale)
    for one in trace.get("multipliers", []):
        yield one["name"], f"× {_number(Decimal(one['bp']) / 10_000, locale)}"
    if trace.get("multiplier_bp", 10_000) != 10_000:
        yield (
            translate(locale, _MEMBER_TIMES),
            f"× {_number(Decimal(trace['multiplier_bp']) / 10_000, locale)}",
        )
    for cap in trace.get("caps", []):
        words = translate(locale, CAPS[cap["cap"]])
        yield (
            translate(locale, _CAP),
            translate(locale, _NO_MORE, limit=counted(cap["limit"], locale), cap=words),
        )
    if "exact" in trace:
        yield translate(locale, _EXACT), _number(Decimal(trace["exact"]), locale)
    if trace.get("rounding") in _ROUNDINGS:
        yield translate(locale, _ROUNDING), translate(locale, _ROUNDINGS[trace["rounding"]])
    for one in trace.get("skipped", []):
        why = translate(locale, WHY_NOTHING.get(one["why"], _UNTOLD))
        yield rule_name(one, locale), translate(locale, _GIVES_NOTHING, why=why)


def _base_rule(trace: dict[str, Any]) -> list[dict[str, Any]]:
    """What a program with nothing but its base rule did; its trace leaves the rule out."""
    if "points_per_unit" not in trace:
        return []
    points = Decimal(trace["points_per_unit"]) * trace["base_minor"] / 10 ** trace["exponent"]
    rate = trace["points_per_unit"]
    return [
        {"kind": "purchase", "per": "unit", "rate": rate, "points": points, "base_minor": trace["base_minor"]}
    ]


def _rule(rule: dict[str, Any], trace: dict[str, Any], locale: str) -> str:
    base = _money(trace, rule["base_minor"], locale) if "base_minor" in rule else ""
    points = isolated(f"{_number(Decimal(rule['points']), locale)}", locale, ltr=True)
    return translate(
        locale,
        _TERMS.get(rule.get("per", ""), _ONCE),
        base=base,
        count=_number(Decimal(rule.get("count", 0)), locale),
        rate=counted(Decimal(rule["rate"]), locale),
        points=points,
    )


def _money(trace: dict[str, Any], minor: int, locale: str) -> str:
    amount = Decimal(minor).scaleb(-trace["exponent"])
    return isolated(format_currency(amount, trace["currency"], locale=locale), locale, ltr=True)


def _number(number: Decimal, locale: str) -> str:
    return str(format_decimal(number, locale=locale))

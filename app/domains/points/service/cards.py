"""Where members stand on punch cards and spending goals."""

from datetime import date
from uuid import UUID

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from app.core import money
from app.core.db import UnitOfWork
from app.core.i18n import isolated, mark, translate, translations
from app.domains.points import rules
from app.domains.points.schemas import Card
from app.domains.points.service import standing
from app.domains.points.service.statement import counted
from app.domains.programs import service as programs
from app.domains.programs.schemas import ProgramTerms
from app.domains.shops import service as shops

_SPENT = mark("{filled} of {size} spent")
_MONEY_MISSING = mark("{amount} more until {points}")
_REACHED = mark("Goal reached: {points}")
_BEGINS_AGAIN = mark("It starts again on {date}.")
_COUNTS_UNTIL = mark("Counts until {date}.")


def cards(uow: UnitOfWork, member_id: UUID, locale: str, terms: ProgramTerms | None = None) -> list[Card]:
    """What a member collected under each counting rule of the terms (None: those that hold now), told in a locale.

    Accounts merged into the member's count too. Empty without such a rule, and for who may not earn.
    """
    terms = terms or programs.active_terms(uow)
    if terms is None or not standing.asked(terms).counts:
        return []
    day = standing.local_day(uow, terms, uow.now)
    member = standing.load(uow, terms, [member_id], preview=True).of(member_id, day)
    if rules.ineligible(terms.eligibility, None, member, uow.now):
        return []
    currency = shops.get(uow).currency
    found = [
        rules.progress(rule, terms, member, day, money.exponent(currency))
        for rule in standing.asked(terms).counts
    ]
    return [_card(one, currency, locale) for one in found if one]


def _card(found: rules.Progress, currency: str, locale: str) -> Card:
    return Card(
        name=found.rule.localized(locale),
        money=not found.rule.stamps,
        filled=found.filled,
        size=found.size,
        missing=found.missing,
        points=found.points,
        text=_text(found, currency, locale),
        rest="" if found.reached else _rest(found, currency, locale),
        note=_note(found, locale),
    )


def _text(found: rules.Progress, currency: str, locale: str) -> str:
    """How far it has come: "3 of 10 stamps"."""
    if found.reached:
        return translate(locale, _REACHED, points=counted(found.points, locale))
    if not found.rule.stamps:
        filled, size = _money(found.filled, currency, locale), _money(found.size, currency, locale)
        return translate(locale, _SPENT, filled=filled, size=size)
    text = translations(locale).ngettext("{filled} of {size} stamp", "{filled} of {size} stamps", found.size)
    return text.format(filled=_number(found.filled, locale), size=_number(found.size, locale))


def _rest(found: rules.Progress, currency: str, locale: str) -> str:
    """What is missing: "7 more orders until 100 points"."""
    texts, given = translations(locale), counted(found.points, locale)
    if not found.rule.stamps:
        return translate(locale, _MONEY_MISSING, amount=_money(found.missing, currency, locale), points=given)
    if found.rule.per == "stamp_item":
        text = texts.ngettext(
            "{items} more item until {points}", "{items} more items until {points}", found.missing
        )
        return text.format(items=_number(found.missing, locale), points=given)
    text = texts.ngettext(
        "{orders} more order until {points}", "{orders} more orders until {points}", found.missing
    )
    return text.format(orders=_number(found.missing, locale), points=given)


def _note(found: rules.Progress, locale: str) -> str:
    """When the count ends or starts again; empty when it never does."""
    if found.last_day is None or found.begins_again is None:
        return ""
    if found.reached:
        return translate(locale, _BEGINS_AGAIN, date=_day(found.begins_again, locale))
    return translate(locale, _COUNTS_UNTIL, date=_day(found.last_day, locale))


def _day(day: date, locale: str) -> str:
    return format_date(day, format="long", locale=locale)


def _number(count: int, locale: str) -> str:
    return format_decimal(count, locale=locale)


def _money(minor: int, currency: str, locale: str) -> str:
    amount = format_currency(money.to_decimal(minor, currency), currency, locale=locale)
    return isolated(amount, locale, ltr=True)

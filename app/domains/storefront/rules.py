"""Numbers as a shopper reads them: sentences in five languages, made from values only."""

import copy
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from app.core import money
from app.core.i18n import direction, mark, translate, translations
from app.domains.storefront.schemas import (
    Holder,
    Offer,
    Offered,
    Owned,
    WidgetBalance,
    WidgetCode,
    WidgetReward,
    WidgetTier,
)
from app.domains.tiers.schemas import Level, Standing

_USED_UP = mark("You have redeemed this reward as often as it allows.")
_FROM_AMOUNT = mark("For orders from {amount}.")
_TOP_TIER = mark("You have reached the highest tier.")
_BEING_MADE = mark("Your code is being prepared.")
_VALID_UNTIL = mark("Valid for one order, until {date}.")
_VALID_ONCE = mark("Valid for one order.")
_MAKING_FAILED = mark("The code could not be created. Your points were given back.")
_TAKEN_BACK = mark("This code was cancelled and your points were given back.")
_LARGEST_STEP = 100_000


def localized(name: str, names: Mapping[str, str], locale: str) -> str:
    """The merchant's name for something in a language, else the one they always gave."""
    return names.get(locale) or name


def points(count: int, locale: str) -> str:
    """A number of points, such as "1,240 points"."""
    text = translations(locale).ngettext("{points} point", "{points} points", count)
    return text.format(points=number(count, locale))


def number(count: int, locale: str) -> str:
    """A number with the language's grouping, Latin digits everywhere."""
    return format_decimal(count, locale=locale)


def signed(count: int, locale: str) -> str:
    """A change of points with its sign, such as "+245" or "−84"."""
    return ("+" if count > 0 else "\u2212") + number(abs(count), locale)


def day(moment: datetime, timezone: str, locale: str) -> str:
    """The day of an instant in the shop's zone."""
    return format_date(moment.astimezone(ZoneInfo(timezone)), format="long", locale=locale)


def isolated(text: str, locale: str, *, ltr: bool = False) -> str:
    """A value to be put into a sentence; in right-to-left languages it may not turn its neighbors round.

    `ltr` is for money, which has no letter to tell its direction by.
    """
    if direction(locale) == "ltr":
        return text
    return f"\u2066{text}\u2069" if ltr else f"\u2068{text}\u2069"


def whole_amount(units: int, currency: str, locale: str) -> str:
    """Money without decimals, such as "$10"."""
    known = Locale.parse(locale)
    pattern = copy.copy(known.currency_formats["standard"])
    pattern.frac_prec = (0, 0)
    return str(pattern.apply(Decimal(units), known, currency=currency, currency_digits=False))


def ways_to_earn(offer: Offer, locale: str) -> list[str]:
    """How points are earned. A rate with decimals is told for the smallest amount that gives whole points."""
    texts, ways = translations(locale), []
    if offer.points_per_unit > 0:
        step = 1
        while offer.points_per_unit * step % 1 and step < _LARGEST_STEP:
            step *= 10
        count = int(offer.points_per_unit * step)
        text = texts.ngettext(
            "{points} point for every {amount} spent",
            "{points} points for every {amount} spent",
            count,
        )
        amount = isolated(whole_amount(step, offer.currency, locale), locale, ltr=True)
        ways.append(text.format(points=number(count, locale), amount=amount))
    if offer.signup_bonus:
        count = offer.signup_bonus
        text = texts.ngettext("{points} point for joining", "{points} points for joining", count)
        ways.append(text.format(points=number(count, locale)))
    return ways


def balance(holder: Holder | None, timezone: str, locale: str) -> WidgetBalance:
    """A member's points; a customer whom we do not know yet has none."""
    texts = translations(locale)
    available = holder.available if holder else 0
    shown = {"points": number(available, locale)}
    pending, debt, expiring = (holder.pending, holder.debt, holder.expiring) if holder else (0, 0, 0)
    on_their_way = texts.ngettext(
        "{points} more point can be spent soon.",
        "{points} more points can be spent soon.",
        pending,
    )
    owed = texts.ngettext(
        "{points} point is owed after a refund. New points pay it back first.",
        "{points} points are owed after a refund. New points pay them back first.",
        debt,
    )
    ending = texts.ngettext(
        "{points} point expires on {date}.",
        "{points} points expire on {date}.",
        expiring,
    )
    last_day = (
        isolated(day(holder.expires_at, timezone, locale), locale) if holder and holder.expires_at else ""
    )
    return WidgetBalance(
        available=available,
        pending=pending,
        debt=debt,
        available_text=points(available, locale),
        sentence=texts.ngettext("You have {points} point.", "You have {points} points.", available).format(
            **shown
        ),
        pending_text=on_their_way.format(points=number(pending, locale)) if pending else None,
        debt_text=owed.format(points=number(debt, locale)) if debt else None,
        expiring_text=ending.format(points=number(expiring, locale), date=last_day) if expiring else None,
    )


def standing(ladder: tuple[Level, ...], qualifying: int) -> Standing:
    """Where on the ladder, lowest tier first, a number of qualifying points leads."""
    reached = [level for level in ladder if qualifying >= level.threshold_points]
    above = [level for level in ladder if level.threshold_points > max(qualifying, 0)]
    following = above[0] if above else None
    needed = following.threshold_points - qualifying if following else None
    return Standing(reached[-1] if reached else None, following, qualifying, needed)


def tier(offer: Offer, holder: Holder, locale: str) -> WidgetTier | None:
    """The member's tier and what leads to the next one; None in a program without tiers."""
    found = standing(offer.ladder, holder.qualifying)
    if found.tier is None:
        return None
    following = found.next_tier.localized(locale) if found.next_tier else None
    text = translate(locale, _TOP_TIER)
    if following and found.needed:
        text = (
            translations(locale)
            .ngettext(
                "{points} more point to reach {tier}",
                "{points} more points to reach {tier}",
                found.needed,
            )
            .format(points=number(found.needed, locale), tier=isolated(following, locale))
        )
    return WidgetTier(
        name=found.tier.localized(locale),
        color=found.tier.color,
        next_name=following,
        needed=found.needed,
        progress_percent=found.progress_percent,
        progress_text=text,
    )


def reward(offered: Offered, offer: Offer, holder: Holder | None, locale: str) -> WidgetReward:
    """A reward as this shopper (None: a guest, or one we do not know yet) sees it."""
    missing = max(offered.points_cost - holder.available, 0) if holder else 0
    refusal = _refusal(offered, offer, holder, missing, locale) if holder else None
    name = localized(offered.name, offered.names, locale)
    confirm = translations(locale).ngettext(
        "Use {points} point for {reward}?",
        "Use {points} points for {reward}?",
        offered.points_cost,
    )
    return WidgetReward(
        id=offered.id,
        name=name,
        description=offered.description,
        points=offered.points_cost,
        missing=missing,
        redeemable=holder is not None and refusal is None,
        price_text=points(offered.points_cost, locale),
        confirm_text=confirm.format(
            points=number(offered.points_cost, locale), reward=isolated(name, locale)
        ),
        note=refusal or _conditions(offered, offer, locale),
    )


def _refusal(offered: Offered, offer: Offer, holder: Holder, missing: int, locale: str) -> str | None:
    texts = translations(locale)
    if offered.per_member_limit is not None and offered.uses >= offered.per_member_limit:
        return translate(locale, _USED_UP)
    if missing:
        text = texts.ngettext("{points} more point needed", "{points} more points needed", missing)
        return text.format(points=number(missing, locale))
    if holder.available < offer.minimum_redemption:
        least = offer.minimum_redemption
        text = texts.ngettext(
            "Rewards can be redeemed from {points} point on.",
            "Rewards can be redeemed from {points} points on.",
            least,
        )
        return text.format(points=number(least, locale))
    return None


def _conditions(offered: Offered, offer: Offer, locale: str) -> str | None:
    sentences = []
    if offered.minimum_subtotal_minor:
        least = money.to_decimal(offered.minimum_subtotal_minor, offer.currency)
        amount = isolated(format_currency(least, offer.currency, locale=locale), locale, ltr=True)
        sentences.append(translate(locale, _FROM_AMOUNT, amount=amount))
    if offered.valid_days:
        text = translations(locale).ngettext(
            "The code is valid for {days} day.",
            "The code is valid for {days} days.",
            offered.valid_days,
        )
        sentences.append(text.format(days=number(offered.valid_days, locale)))
    return " ".join(sentences) or None


def code(owned: Owned, timezone: str, locale: str) -> WidgetCode:
    """A code the member has or will have."""
    if owned.status == "reserved":
        note = translate(locale, _BEING_MADE)
    elif owned.expires_at:
        note = translate(
            locale,
            _VALID_UNTIL,
            date=isolated(day(owned.expires_at, timezone, locale), locale),
        )
    else:
        note = translate(locale, _VALID_ONCE)
    return WidgetCode(
        id=owned.id,
        name=localized(owned.name, owned.names, locale),
        status="reserved" if owned.status == "reserved" else "issued",
        code=owned.code,
        note=note,
    )


def outcome(status: str, locale: str) -> str | None:
    """What to tell about a redemption that will never have a working code; None for others."""
    sentence = {"failed": _MAKING_FAILED, "cancelled": _TAKEN_BACK}.get(status)
    return translate(locale, sentence) if sentence else None

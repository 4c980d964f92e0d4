"""Numbers as a shopper reads them: sentences in five languages, made from values only."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from app.core import money
from app.core.i18n import isolated, mark, translate, translations
from app.domains.points.schemas import CalculateIn, Card, CartLine
from app.domains.programs.schemas import PURCHASE, SIGNUP, ProgramTerms
from app.domains.storefront.schemas import (
    BasketIn,
    Holder,
    Offer,
    Offered,
    Owned,
    View,
    WidgetBalance,
    WidgetCard,
    WidgetCode,
    WidgetEnding,
    WidgetReward,
    WidgetSlider,
    WidgetTier,
)
from app.domains.tiers.schemas import BASIS_POINTS, Level, Standing

_USED_UP = mark("You have redeemed this reward as often as it allows.")
_SOLD_OUT = mark("Out of stock.")
_OTHER_TIERS = mark("For members of other tiers.")
_FROM_AMOUNT = mark("For orders from {amount}.")
_TOP_TIER = mark("You have reached the highest tier.")
_SPEND_TO_REACH = mark("Spend {amount} more to reach {tier}")
_NEXT_TIER = mark("Next: {tier}")
_KEEPS_UNTIL = mark("{tier} is yours until {date}.")
_TIMES_POINTS = mark("{multiplier} × points on orders")
_GIFTS = {
    "month": mark("A gift every month"),
    "quarter": mark("A gift every quarter"),
    "year": mark("A gift every year"),
}
_BEING_MADE = mark("Your code is being prepared.")
_VALID_UNTIL = mark("Valid for one order, until {date}.")
_VALID_ONCE = mark("Valid for one order.")
_MAKING_FAILED = mark("The code could not be created. Your points were given back.")
_TAKEN_BACK = mark("This code was canceled and your points were given back.")
_BEING_RETURNED = mark("Being given back. Your points return in a moment.")
_ENDING = mark("{points} on {date}")
_FRIEND_STATUS = {
    "recorded": mark("Came by your link, has not bought yet"),
    "qualified": mark("Bought; your points are on their way"),
    "rewarded": mark("Bought; you have your points"),
    "rejected": mark("Does not count"),
    "reversed": mark("The order was taken back"),
}
_DEEDS = {
    "birthday": mark("{points} for your birthday"),
    "newsletter": mark("{points} for subscribing to our newsletter"),
    "review": mark("{points} for a review of what you bought"),
    "social_follow": mark("{points} for following us"),
    "social_share": mark("{points} for sharing our store"),
    "store_visit": mark("{points} for visiting us"),
    "first_purchase": mark("{points} for a first purchase within {hours} hours of joining"),
    "goal_spend": "",
}
_GOALS = {
    None: mark("{points} once you have spent {amount}"),
    "week": mark("{points} for spending {amount} in a week"),
    "month": mark("{points} for spending {amount} in a month"),
    "quarter": mark("{points} for spending {amount} in a quarter"),
    "year": mark("{points} for spending {amount} in a year"),
}
_NAMED_DEED = mark("{points}: {name}")
_EARN = mark("Earn {points}")
_EARN_UP_TO = mark("Earn up to {points}")
_EXTENSION = Path(__file__).parents[3] / "extensions" / "loyalnest-theme" / "locales"
_STAMPS, _SPENT = 10, 10
_LARGEST_STEP = 100_000
_MOST = Decimal(10**9)


def localized(name: str, names: Mapping[str, str], locale: str) -> str:
    """The merchant's name for something in a language, else the one they always gave."""
    return names.get(locale) or name


def points(count: int, locale: str) -> str:
    """A number of points, such as "1,240 points"."""
    text = translations(locale).ngettext("{points} point", "{points} points", count)
    return text.format(points=number(count, locale))


def earns(count: int, locale: str, *, at_most: bool = False) -> str:
    """What buying would bring, such as "Earn 129 points"; "up to" when it may be less."""
    return translate(locale, _EARN_UP_TO if at_most else _EARN, points=points(count, locale))


def may_be_less(basket: BasketIn, terms: ProgramTerms) -> bool:
    """Whether tax that no theme knows is in the basket's prices and earns nothing. Tax on top only makes it more."""
    return basket.taxes_included and any(rule.exclusions.tax for rule in terms.on_orders)


def as_cart(basket: BasketIn, currency: str) -> CalculateIn:
    """A theme's basket in the shop's currency; what is off the whole of it is spread over its lines by their worth."""
    worth = [max(line.price * line.quantity - line.discount, 0) for line in basket.lines]
    total, off = sum(worth), min(basket.discount, sum(worth))
    ends = [off * so_far // total if total else 0 for so_far in accumulate(worth)]
    shares = [end - start for start, end in pairwise([0, *ends])]
    places = Decimal(1).scaleb(-money.exponent(currency))

    def amount(hundredths: int) -> str:
        return str(min(Decimal(hundredths) / 100 / basket.rate, _MOST).quantize(places, ROUND_HALF_UP))

    return CalculateIn(
        lines=[
            CartLine(
                product_id=line.product_id,
                variant_id=line.variant_id,
                quantity=line.quantity,
                price=amount(line.price),
                discount=amount(line.discount + share),
                gift_card=line.gift_card,
                vendor=line.vendor,
                product_type=line.type,
                tags=line.tags,
                collections=line.collections,
                on_sale=line.on_sale,
            )
            for line, share in zip(basket.lines, shares, strict=True)
        ],
        taxes_included=basket.taxes_included,
        currency=basket.currency,
        country=basket.country,
        customer_tags=basket.customer_tags,
        company=basket.company,
    )


def friend_status(status: str, locale: str) -> str:
    """How far an invitation has come, in words."""
    return translate(locale, _FRIEND_STATUS[status])


def number(count: int, locale: str) -> str:
    """A number with the language's grouping, Latin digits everywhere."""
    return format_decimal(count, locale=locale)


def signed(count: int, locale: str) -> str:
    """A change of points with its sign, such as "+245" or "−84"."""
    return ("+" if count > 0 else "\u2212") + number(abs(count), locale)


def day(moment: datetime, timezone: str, locale: str) -> str:
    """The day of an instant in the shop's zone."""
    return format_date(moment.astimezone(ZoneInfo(timezone)), format="long", locale=locale)


def whole_amount(units: int, currency: str, locale: str) -> str:
    """Money without decimals, such as "$10"."""
    known = Locale.parse(locale)
    pattern = copy.copy(known.currency_formats["standard"])
    pattern.frac_prec = (0, 0)
    return str(pattern.apply(Decimal(units), known, currency=currency, currency_digits=False))


def ways_to_earn(offer: Offer, locale: str, today: date) -> list[str]:
    """How points are earned; what only some members can earn by is left out.

    A rate with decimals is told for the smallest amount that gives whole points.
    """
    texts, ways = translations(locale), []
    if offer.points_per_unit > 0 and offer.type == "punch_card":
        ways.append(_card(offer, locale))
    elif offer.points_per_unit > 0 and offer.type == "spend_based":
        ways.append(_spent(int(offer.points_per_unit), int(offer.step or _SPENT), offer, locale))
    elif offer.points_per_unit > 0:
        step = 1
        while offer.points_per_unit * step % 1 and step < _LARGEST_STEP:
            step *= 10
        ways.append(_spent(int(offer.points_per_unit * step), step, offer, locale))
    if offer.signup_bonus:
        count = offer.signup_bonus
        text = texts.ngettext("{points} point for joining", "{points} points for joining", count)
        ways.append(text.format(points=number(count, locale)))
    return ways + [_deed(one, offer, locale) for one in offer.rules if _for_everybody(one, today)]


def _for_everybody(rule: Mapping[str, Any], today: date) -> bool:
    """Whether any member may earn by a rule today, so that it is told to everybody."""
    asked = rule.get("conditions") or {}
    if not rule.get("enabled", True) or Decimal(rule.get("points") or 0) < 1:
        return False
    if rule["kind"] not in _DEEDS and not (rule["kind"] == "custom_event" and rule.get("name")):
        return False
    begins, ends = asked.get("starts_on"), asked.get("ends_on")
    if (begins and str(today) < begins) or (ends and str(today) > ends):
        return False
    return not any(value for name, value in asked.items() if name not in ("starts_on", "ends_on"))


def _deed(rule: Mapping[str, Any], offer: Offer, locale: str) -> str:
    """What a rule gives for what, in the merchant's words where there are some."""
    counted = points(int(Decimal(rule["points"])), locale)
    if rule.get("name"):
        named = localized(
            rule["name"], {key: name for key, name in (rule.get("names") or {}).items() if name}, locale
        )
        return translate(locale, _NAMED_DEED, points=counted, name=isolated(named, locale))
    sentence = _DEEDS[rule["kind"]]
    if rule["kind"] == "goal_spend":
        sentence = _GOALS[rule.get("goal_period")]
    amount = whole_amount(int(Decimal(rule.get("step") or 0)), offer.currency, locale)
    hours = number(rule.get("within_hours") or 0, locale)
    return translate(locale, sentence, points=counted, amount=isolated(amount, locale, ltr=True), hours=hours)


def _spent(count: int, amount: int, offer: Offer, locale: str) -> str:
    """Points for every so much money."""
    text = translations(locale).ngettext(
        "{points} point for every {amount} spent",
        "{points} points for every {amount} spent",
        count,
    )
    shown = isolated(whole_amount(amount, offer.currency, locale), locale, ltr=True)
    return text.format(points=number(count, locale), amount=shown)


def _card(offer: Offer, locale: str) -> str:
    """Points for a full card; a card without a size has ten stamps, as its price has."""
    stamps = int(offer.step or _STAMPS)
    text = translations(locale).ngettext(
        "{points} after {stamps} stamp; each order is one",
        "{points} after {stamps} stamps; each order is one",
        stamps,
    )
    return text.format(points=points(int(offer.points_per_unit), locale), stamps=number(stamps, locale))


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


def standing(offer: Offer, holder: Holder) -> Standing:
    """Where a member is on the main ladder, lowest tier first; who was never placed stands where their points lead."""
    value = holder.qualifying if holder.tier_value is None else holder.tier_value
    reached = [level for level in offer.ladder if value >= level.threshold]
    held = next((level for level in offer.ladder if level.id == holder.tier_id), None)
    tier = held or (reached[-1] if reached else None)
    least = max(value, tier.threshold if tier else 0, 0)
    following = next((level for level in offer.ladder if level.threshold > least), None)
    needed = following.threshold - value if following else None
    return Standing(tier, following, value, needed, offer.metric, ends_at=holder.tier_ends_at)


def tier(offer: Offer, holder: Holder, locale: str) -> WidgetTier | None:
    """The member's tier, what leads to the next one, until when it stands and what it gives; None without tiers."""
    found = standing(offer, holder)
    if found.tier is None:
        return None
    following = found.next_tier.localized(locale) if found.next_tier else None
    text = translate(locale, _TOP_TIER)
    if following and found.needed:
        text = _to_reach(found.needed, following, offer, locale)
    return WidgetTier(
        name=found.tier.localized(locale),
        color=found.tier.color,
        next_name=following,
        needed=found.needed,
        progress_percent=found.progress_percent,
        progress_text=text,
        keeps_text=_keeps(found.tier.localized(locale), offer, holder, locale),
        perks_text=_perks(found.tier, locale),
    )


def _to_reach(needed: int, following: str, offer: Offer, locale: str) -> str:
    texts, tier_name = translations(locale), isolated(following, locale)
    if offer.metric == "spend":
        amount = format_currency(money.to_decimal(needed, offer.currency), offer.currency, locale=locale)
        return translate(locale, _SPEND_TO_REACH, amount=isolated(amount, locale, ltr=True), tier=tier_name)
    if offer.metric == "orders":
        text = texts.ngettext(
            "{orders} more order to reach {tier}", "{orders} more orders to reach {tier}", needed
        )
        return text.format(orders=number(needed, locale), tier=tier_name)
    if offer.metric == "rfm":
        return translate(locale, _NEXT_TIER, tier=tier_name)
    text = texts.ngettext(
        "{points} more point to reach {tier}", "{points} more points to reach {tier}", needed
    )
    return text.format(points=number(needed, locale), tier=tier_name)


def _keeps(name: str, offer: Offer, holder: Holder, locale: str) -> str | None:
    """Until which day the tier stands; None when nothing takes it away."""
    if holder.tier_ends_at is None:
        return None
    last = holder.tier_ends_at - timedelta(seconds=1)
    shown = isolated(day(last, offer.timezone, locale), locale)
    return translate(locale, _KEEPS_UNTIL, tier=isolated(name, locale), date=shown)


def _perks(level: Level, locale: str) -> str | None:
    """What the tier gives, in one line; None when it gives nothing of its own."""
    perks = []
    if level.multiplier_bp > BASIS_POINTS:
        times = format_decimal(Decimal(level.multiplier_bp) / BASIS_POINTS, locale=locale)
        perks.append(translate(locale, _TIMES_POINTS, multiplier=times))
    if level.gift_reward_id is not None:
        perks.append(translate(locale, _GIFTS[level.gift_every]))
    if level.early_days:
        text = translations(locale).ngettext(
            "New rewards {days} day early", "New rewards {days} days early", level.early_days
        )
        perks.append(text.format(days=number(level.early_days, locale)))
    return " · ".join(perks) or None


def card(found: Card) -> WidgetCard:
    """A punch card or a spending goal as the panel draws it."""
    return WidgetCard(
        name=found.name or None,
        unit="money" if found.money else "stamp",
        filled=found.filled,
        size=found.size,
        missing=found.missing,
        points=found.points,
        progress_percent=found.filled * 100 // found.size,
        progress_text=found.text,
        missing_text=found.rest or None,
        period_text=found.note or None,
    )


def reward(offered: Offered, offer: Offer, holder: Holder | None, locale: str) -> WidgetReward:
    """A reward as this shopper (None: a guest, or one we do not know yet) sees it."""
    price = offered.least_points or offered.points_cost
    missing = max(price - holder.available, 0) if holder else 0
    refusal = _refusal(offered, offer, holder, missing, locale) if holder else None
    name = localized(offered.name, offered.names, locale)
    confirm = translations(locale).ngettext(
        "Use {points} point for {reward}?",
        "Use {points} points for {reward}?",
        price,
    )
    return WidgetReward(
        id=offered.id,
        name=name,
        description=localized(offered.description, offered.descriptions, locale),
        points=price,
        missing=missing,
        redeemable=holder is not None and refusal is None,
        price_text=points(price, locale),
        confirm_text=confirm.format(points=number(price, locale), reward=isolated(name, locale)),
        slider=_slider(offered, offer, holder),
        note=refusal or _conditions(offered, offer, locale),
        terms=localized("", offered.conditions, locale) or next(iter(offered.conditions.values()), None),
        image_url=offered.image_url or None,
    )


def _slider(offered: Offered, offer: Offer, holder: Holder | None) -> WidgetSlider | None:
    """What a member may choose with the points they have; None for a fixed price."""
    least, most, step = offered.least_points, offered.most_points, offered.points_cost
    if offered.kind != "any_amount" or least is None or most is None:
        return None
    reach = holder.available // step * step if holder else most
    return WidgetSlider(
        least=least,
        most=max(least, min(most, reach)),
        step=step,
        step_amount=float(money.to_decimal(offered.value_minor or 0, offer.currency)),
        currency=offer.currency,
    )


def _refusal(offered: Offered, offer: Offer, holder: Holder, missing: int, locale: str) -> str | None:
    texts = translations(locale)
    if offered.per_member_limit is not None and offered.uses >= offered.per_member_limit:
        return translate(locale, _USED_UP)
    if offered.sold_out:
        return translate(locale, _SOLD_OUT)
    if offered.for_other_tiers:
        return translate(locale, _OTHER_TIERS)
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
    elif owned.returning:
        note = translate(locale, _BEING_RETURNED)
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
        status="reserved" if owned.status == "reserved" else "returning" if owned.returning else "issued",
        code=owned.code,
        note=note,
        return_text=_return_text(owned, locale) if owned.returnable else None,
    )


def _return_text(owned: Owned, locale: str) -> str:
    text = translations(locale).ngettext(
        "Give {reward} back for {points} point? Its code stops working.",
        "Give {reward} back for {points} points? Its code stops working.",
        owned.points,
    )
    name = isolated(localized(owned.name, owned.names, locale), locale)
    return text.format(reward=name, points=number(owned.points, locale))


def ending(count: int, ends_at: datetime, timezone: str, locale: str) -> WidgetEnding:
    """Points that end at an instant, told by the last day on which they can be spent: "120 points on March 3, 2027"."""
    last = ends_at - timedelta(seconds=1)
    shown = isolated(day(last, timezone, locale), locale)
    return WidgetEnding(
        points=count,
        last_day=last.astimezone(ZoneInfo(timezone)).date(),
        text=translate(locale, _ENDING, points=points(count, locale), date=shown),
    )


def outcome(status: str, locale: str) -> str | None:
    """What to tell about a redemption without a working code; None for others."""
    sentence = {
        "failed": _MAKING_FAILED,
        "cancelled": _TAKEN_BACK,
        "returning": _BEING_RETURNED,
    }.get(status)
    return translate(locale, sentence) if sentence else None


def offer_under(offer: Offer, name: str, terms: ProgramTerms) -> Offer:
    """What the storefront would know of a program under terms that are not saved."""
    purchase, signup = terms.rule(PURCHASE), terms.rule(SIGNUP)
    return replace(
        offer,
        program_name=name,
        points_per_unit=purchase.points if purchase and purchase.enabled else Decimal(0),
        type=terms.type,
        step=purchase.step if purchase else None,
        signup_bonus=int(signup.points) if signup and signup.enabled else 0,
        minimum_redemption=terms.minimum_redemption,
        ladder=offer.ladder if terms.type == "tiered" else (),
        rules=tuple(one.model_dump(mode="json") for one in terms.rules if one.id not in (PURCHASE, SIGNUP)),
    )


def somebody(offer: Offer | None, tier_id: UUID | None) -> Holder:
    """A member who just joined, or who just reached a tier, for a preview; nobody has this id."""
    level = next((one for one in offer.ladder if one.id == tier_id), None) if offer else None
    reached = level.threshold if level else 0
    return Holder(
        UUID(int=0), "active", reached, 0, 0, reached, 0, 0, None, tier_id=tier_id, tier_value=reached
    )


def seen_from(view: View, holder: Holder) -> list[Offered]:
    """Rewards as somebody sees them who stands where nobody was placed."""
    tier = standing(view.offer, holder).tier if view.offer else None
    at = tier.id if tier else None
    return [replace(one, for_other_tiers=bool(one.tiers) and at not in one.tiers) for one in view.rewards]


@cache
def panel_texts(locale: str) -> dict[str, Any]:
    """The panel's own texts in a language, as the theme extension has them."""
    name = "en.default" if locale == "en" else locale
    texts: dict[str, Any] = orjson.loads((_EXTENSION / f"{name}.json").read_bytes())
    return texts

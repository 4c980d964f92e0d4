"""Entries as a person reads them: each can say in a sentence why it is there."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import reduce
from typing import Any
from uuid import UUID

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from app.core.db import UnitOfWork
from app.core.i18n import enumerated, isolated, mark, plural_number, translate, translations
from app.domains.points import queries
from app.domains.programs import service as programs

_PURCHASE = mark("{points} for order {order}: {base} at {rate} per {unit}.")
_PURCHASE_MULTIPLIED = mark("{points} for order {order}: {base} at {rate} per {unit}, times {multiplier}.")
_PURCHASE_BY_RULES = mark("{points} for order {order}: {parts}.")
_PURCHASE_MORE = mark("{points} more for order {order}; it now earns {kept}.")
_CART = mark("{points} for this cart: {base} at {rate} per {unit}.")
_CART_MULTIPLIED = mark("{points} for this cart: {base} at {rate} per {unit}, times {multiplier}.")
_CART_BY_RULES = mark("{points} for this cart: {parts}.")
_NOTHING = mark("Nothing is earned: {why}.")
_PART = mark("{rule}: {points}")
_AND_PART = mark("{parts}; {part}")
_TIMES = mark("times {multiplier}")
_TIMES_BY = mark("times {multiplier}, {campaigns}")
_TIMES_GOODS = mark("times {multiplier} for some items, {campaign}")
_CAPPED = mark("no more than {limit} {cap}")
_SENTENCES = {
    "refund": mark("{points}: order {order} was refunded; it now earns {kept}."),
    "order_cancelled": mark("{points}: order {order} was canceled."),
    "order_deleted": mark("{points}: order {order} was deleted."),
    "order_edited": mark("{points}: order {order} was changed; it now earns {kept}."),
    "signup": mark("{points} for joining."),
    "redemption": mark("{points} for the reward {reward}."),
    "reward_failed": mark("{points} back: the reward could not be issued."),
    "reward_cancelled": mark("{points} back: the reward was canceled."),
    "reward_expired": mark("{points} back: the code expired unused."),
    "reward_order_canceled": mark("{points} back: the order that used the reward was canceled."),
    "checkout_hold": mark("{points} at a checkout."),
    "checkout_released": mark("{points} back: the checkout let them go."),
    "checkout_expired": mark("{points} back: the checkout took too long."),
    "checkout_order_canceled": mark("{points} back: the order was canceled."),
    "holding_period_over": mark("{points} to spend: their waiting time is over."),
    "merged": mark("{points}: two customer accounts became one."),
    "unmerged": mark("{points}: two customer accounts were separated again."),
    "duplicate_bonus": mark("{points}: two accounts of one person both got this bonus."),
    "not_first_order": mark("{points}: another account of the same person had ordered before order {order}."),
    "adjustment_undone": mark("{points}: an adjustment by hand was undone."),
    "transfer": mark("{points}: a transfer between two members."),
    "expired": mark("{points}: past their expiry date."),
    "expiry_terms": mark("{points} with another expiry date: the program's terms changed."),
    "expiry_terms_undone": mark("{points} with the earlier expiry date again."),
    "expiry_extended": mark("{points} kept for longer: the shop gave another expiry date."),
    "expiry_extended_undone": mark("{points} with the expiry date again from before the shop changed it."),
    "inactive": mark("{points}: nothing was earned or spent for too long, last on {date}."),
    "referral_advocate": mark("{points} for inviting a friend."),
    "referral_reversed": mark("{points}: the friend's order no longer counts."),
    "referral_friend": mark("{points} for accepting an invitation."),
    "birthday": mark("{points} for a birthday."),
    "newsletter": mark("{points} for subscribing to the newsletter."),
    "review": mark("{points} for a review."),
    "social_follow": mark("{points} for following the shop."),
    "social_share": mark("{points} for sharing the shop."),
    "store_visit": mark("{points} for visiting the store."),
    "referral": mark("{points} for a recommendation."),
    "tier_entry": mark("{points} for reaching {tier}."),
}
_EVENT = mark("{points} for: {event}.")
CAPS = {
    "per_order": mark("per order"),
    "per_day": mark("per day"),
    "per_period": mark("in this period"),
    "per_member": mark("per member"),
    "budget": mark("left in the budget"),
    "campaign_budget": mark("left in the campaign's budget"),
}
WHY_NOTHING = {
    "no_member": mark("the order has no member"),
    "deleted": mark("the order was deleted"),
    "cancelled": mark("the order was canceled"),
    "waits_for_paid": mark("the order is not paid yet"),
    "waits_for_fulfilled": mark("the order is not fulfilled yet"),
    "test_order": mark("test orders earn nothing"),
    "b2b": mark("orders of companies earn nothing"),
    "staff": mark("orders of staff earn nothing"),
    "minimum_subtotal": mark("the order is below the minimum"),
    "not_first_order": mark("it is not the member's first order"),
    "not_in_time": mark("it is not the member's first purchase, or it came too late"),
    "not_eligible_segment": mark("the member is not in a segment that earns"),
    "not_eligible_age": mark("the account is too new"),
    "not_eligible_tags": mark("customers with these tags do not earn"),
    "not_eligible_country": mark("orders from this country do not earn"),
}
_CONDITIONS = mark("no rule applies")
_COUNTED = mark("the order is counted, and points come when a card or an amount is full")
_FILLED_BY_ORDERS = frozenset({"stamp_order", "stamp_item", "spend_step"})
_OWED = mark("{points} of it had been used already; the next points make up for them.")
_WAIVED = mark("{points} of it had been used already; they need not be given back.")
_SET_ASIDE = mark("{points} set aside for the reward {reward}.")
_BY_HAND = mark("{points}: {reason}")
_BY_HAND_NOTED = mark("{points}: {reason} ({note})")
REASONS = {
    "goodwill": mark("Goodwill"),
    "correction": mark("Correction"),
    "promotion": mark("Promotion"),
    "missing_points": mark("Missing points"),
    "misuse": mark("Misuse"),
    "migration": mark("Migration"),
    "other": mark("Other reason"),
}


def counted(points: int | Decimal, locale: str) -> str:
    """A number of points with its noun: "1 point", "−30 points"; other than English has up to six forms."""
    number = format_decimal(abs(Decimal(points)), locale=locale)
    texts = translations(locale)
    return texts.ngettext("{count} point", "{count} points", plural_number(points)).format(
        count=isolated(f"\u2212{number}", locale, ltr=True) if points < 0 else number
    )


def explain(entry: dict[str, Any], locale: str) -> str:
    """Why an entry (a row of queries) was written, as a sentence in the locale."""
    trace, reason = entry["trace"], entry["reason"]
    data: dict[str, Any] = {
        "points": counted(entry["points"] or entry["moved"], locale),
        "reason": reason,
        "order": isolated(trace.get("order_name", ""), locale),
    }
    data["kept"] = counted(trace.get("order_points", 0), locale)
    if reason == "purchase":
        added = trace.get("added", False)
        return translate(locale, _PURCHASE_MORE, **data) if added else _explain_purchase(trace, data, locale)
    if reason in REASONS:
        data |= {"reason": translate(locale, REASONS[reason]), "note": trace.get("note", "")}
        return translate(locale, _BY_HAND_NOTED if data["note"] else _BY_HAND, **data)
    if reason == "custom_event":
        data["event"] = rule_name(trace.get("rule", {}), locale)
        return translate(locale, _EVENT, **data)
    if reason == "redemption":
        data["points"] = counted(abs(entry["points"]) or entry["moved"], locale)
    if reason == "inactive":
        last = datetime.fromisoformat(trace["last_activity"])
        data["date"] = isolated(format_date(last, format="long", locale=locale), locale)
    data["reward"] = trace.get("reward_names", {}).get(locale) or trace.get("reward_name", "")
    data["tier"] = trace.get("tier_names", {}).get(locale) or trace.get("tier", "")
    if entry["kind"] == "hold" and reason == "redemption":
        return translate(locale, _SET_ASIDE, **data)
    told = translate(locale, _SENTENCES.get(reason, _BY_HAND), **data)
    return " ".join([told, *_short(entry, locale)]) if entry["kind"] == "reverse" else told


def _short(entry: dict[str, Any], locale: str) -> list[str]:
    """What a reversal could not take, because the points were used: what is owed, and what is waived."""
    parts = ((_OWED, -entry["points"] - entry["moved"]), (_WAIVED, entry["waived"]))
    return [translate(locale, text, points=counted(points, locale)) for text, points in parts if points > 0]


def _explain_purchase(trace: dict[str, Any], data: dict[str, Any], locale: str) -> str:
    cart = trace.get("preview", False)
    if cart and not trace.get("order_points"):
        return translate(locale, _NOTHING, why=_why_nothing(trace, locale))
    times = format_decimal(Decimal(trace["multiplier_bp"]) / 10_000, locale=locale)
    goods = any(one.get("goods") for one in trace.get("multipliers", []))
    if "rules" in trace or "caps" in trace or goods or "points_per_unit" not in trace:
        parts = _parts(trace, times, locale) or [""]
        data["parts"] = reduce(lambda told, part: translate(locale, _AND_PART, parts=told, part=part), parts)
        return translate(locale, _CART_BY_RULES if cart else _PURCHASE_BY_RULES, **data)
    base = Decimal(trace["base_minor"]).scaleb(-trace["exponent"])
    data["base"] = isolated(format_currency(base, trace["currency"], locale=locale), locale, ltr=True)
    data["unit"] = isolated(format_currency(1, trace["currency"], locale=locale), locale, ltr=True)
    data["rate"] = counted(Decimal(trace["points_per_unit"]), locale)
    data["multiplier"] = times
    if trace["multiplier_bp"] == 10_000:
        return translate(locale, _CART if cart else _PURCHASE, **data)
    return translate(locale, _CART_MULTIPLIED if cart else _PURCHASE_MULTIPLIED, **data)


def _parts(trace: dict[str, Any], times: str, locale: str) -> list[str]:
    given = trace.get("given", {})
    told = trace.get("rules") or [
        {"kind": "purchase", "id": "purchase", "points": trace.get("order_points", 0)}
    ]
    parts = [
        translate(
            locale,
            _PART,
            rule=rule_name(rule, locale),
            points=counted(given.get(rule["id"], rule["points"]), locale),
        )
        for rule in told
        if given.get(rule["id"], rule["points"])
    ]
    campaigns = trace.get("multipliers", [])
    if trace["multiplier_bp"] != 10_000:
        names = [_campaign_name(one, locale) for one in campaigns if not one.get("goods")]
        sentence = _TIMES_BY if names else _TIMES
        parts.append(translate(locale, sentence, multiplier=times, campaigns=enumerated(locale, names)))
    for one in campaigns:
        if one.get("goods"):
            own = format_decimal(Decimal(one["bp"]) / 10_000, locale=locale)
            parts.append(
                translate(locale, _TIMES_GOODS, multiplier=own, campaign=_campaign_name(one, locale))
            )
    for cap in trace.get("caps", []):
        words = translate(locale, CAPS[cap["cap"]])
        parts.append(translate(locale, _CAPPED, limit=counted(cap["limit"], locale), cap=words))
    return parts


def _campaign_name(campaign: dict[str, Any], locale: str) -> str:
    name: str = campaign.get("names", {}).get(locale) or campaign["name"]
    return name


def rule_name(rule: dict[str, Any], locale: str) -> str:
    """What a rule of a trace is called: by its own name, else by its kind."""
    name: str = rule.get("names", {}).get(locale) or rule.get("name") or ""
    return name or translate(locale, programs.KINDS.get(rule.get("kind", ""), mark("Points")))


def _why_nothing(trace: dict[str, Any], locale: str) -> str:
    caps = trace.get("caps")
    if caps:
        words = translate(locale, CAPS[caps[0]["cap"]])
        return translate(locale, _CAPPED, limit=counted(caps[0]["limit"], locale), cap=words)
    if any(_counted(rule) for rule in trace.get("rules", [])):
        return translate(locale, _COUNTED)
    whys = [trace.get("refusal", ""), *(one["why"] for one in trace.get("skipped", []))]
    return translate(locale, next((WHY_NOTHING[why] for why in whys if why in WHY_NOTHING), _CONDITIONS))


def _counted(rule: dict[str, Any]) -> bool:
    """Whether a rule of a trace took the order into its count over several orders."""
    over_orders = rule["kind"] == "goal_spend" or rule["per"] in _FILLED_BY_ORDERS
    return over_orders and bool(rule.get("count") or rule.get("base_minor"))


def explained(rows: Sequence[dict[str, Any]], locale: str) -> list[dict[str, Any]]:
    """Entries with their `why`."""
    return [row | {"why": explain(row, locale)} for row in rows]


def of_order(uow: UnitOfWork, order_id: UUID, locale: str) -> list[dict[str, Any]]:
    """What was posted for an order, or for what stands in an order's place (a referral), oldest first, explained."""
    return explained(queries.of_order(uow, order_id), locale)


def recent(uow: UnitOfWork, member_id: UUID, locale: str, limit: int = 10) -> list[dict[str, Any]]:
    """A member's newest entries that changed what they have, with their sentences."""
    page = queries.history(uow, member_id, limit * 2, None)
    return explained([row for row in page.items if row["points"]][:limit], locale)

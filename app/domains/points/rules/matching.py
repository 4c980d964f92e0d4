"""Whether a rule or a multiplier applies to an order, and to which of its lines. Each refusal has a reason code."""

from datetime import datetime, timedelta

from app.domains.points.rules.orders import SHIPPING, TIP, Line, MemberState, OrderState
from app.domains.programs.schemas import EarningRule, Eligibility, Exclusions, Goods, When

STAFF_TAGS = frozenset({"staff", "employee"})


def _among(texts: list[str], found: frozenset[str]) -> bool:
    return any(text.lower() in found for text in texts)


def outside(when: When, order: OrderState, member: MemberState) -> str | None:
    """Why conditions on order and member do not hold; None when they do."""
    if not when.asks:
        return None
    day, channels = order.day, {one.lower() for one in when.channels}
    held = (
        (not when.starts_on or (day is not None and day >= when.starts_on), "not_yet"),
        (not when.ends_on or (day is not None and day <= when.ends_on), "over"),
        (not when.weekdays or (day is not None and day.isoweekday() in when.weekdays), "weekday"),
        (not channels or order.channel.lower() in channels, "channel"),
        (not when.countries or order.country in when.countries, "country"),
        (not when.currencies or order.presentment in when.currencies, "currency"),
        (not when.customer_tags or _among(when.customer_tags, order.customer_tags), "customer_tags"),
        (not when.segments or bool(member.segments.intersection(when.segments)), "segment"),
        (not when.tiers or member.tier in when.tiers, "tier"),
    )
    return next((reason for holds, reason in held if not holds), None)


def ineligible(
    who: Eligibility, order: OrderState | None, member: MemberState, at: datetime | None
) -> str | None:
    """Why somebody earns nothing in the program, for an order or (None) for what they did without one at an instant."""
    if not who.asks:
        return None
    if who.segments and not member.segments.intersection(who.segments):
        return "not_eligible_segment"
    if member.segments.intersection(who.excluded_segments):
        return "not_eligible_segment"
    if who.account_days and not _old_enough(who, member, at):
        return "not_eligible_age"
    return _ineligible_order(who, order) if order is not None else None


def _old_enough(who: Eligibility, member: MemberState, at: datetime | None) -> bool:
    if member.enrolled_at is None or at is None:
        return False
    return at >= member.enrolled_at + timedelta(days=who.account_days)


def _ineligible_order(who: Eligibility, order: OrderState) -> str | None:
    tags = order.customer_tags
    barred = (
        (not who.companies and order.company, "b2b"),
        (not who.staff and bool(tags & STAFF_TAGS), "staff"),
        (_among(who.excluded_customer_tags, tags), "not_eligible_tags"),
        (bool(who.customer_tags) and not _among(who.customer_tags, tags), "not_eligible_tags"),
        (order.country in who.excluded_countries, "not_eligible_country"),
        (bool(who.countries) and order.country not in who.countries, "not_eligible_country"),
    )
    return next((reason for bars, reason in barred if bars), None)


def refused(rule: EarningRule, order: OrderState, member: MemberState, subtotal_minor: int) -> str | None:
    """Why a rule does not apply to the order at all; None when it does. `subtotal_minor` is what is left of the goods."""
    wanted = rule.conditions
    reason = outside(wanted, order, member) or _excluded(rule.exclusions, order)
    if reason:
        return reason
    if wanted.first_order and not member.first_order:
        return "not_first_order"
    minimum = wanted.minimum_subtotal
    if minimum is not None and subtotal_minor < minimum.scaleb(order.currency_exponent):
        return "minimum_subtotal"
    if rule.kind == "first_purchase" and not _in_time(rule, order, member):
        return "not_in_time"
    return None


def _excluded(excluded: Exclusions, order: OrderState) -> str | None:
    if excluded.test_orders and order.test:
        return "test_order"
    if excluded.b2b and order.company:
        return "b2b"
    if excluded.staff and order.customer_tags & STAFF_TAGS:
        return "staff"
    return "excluded_customer" if _among(excluded.customer_tags, order.customer_tags) else None


def _in_time(rule: EarningRule, order: OrderState, member: MemberState) -> bool:
    if not member.first_order or member.enrolled_at is None or order.placed_at is None:
        return False
    return order.placed_at <= member.enrolled_at + timedelta(hours=rule.within_hours)


def earns(rule: EarningRule, line: Line) -> bool:
    """Whether a line earns under a rule that applies to its order."""
    excluded = rule.exclusions
    if line.id == SHIPPING:
        return not excluded.shipping and not rule.conditions.names_goods
    if line.id == TIP:
        return not excluded.tips and not rule.conditions.names_goods
    return not _excludes(excluded, line) and (not rule.conditions.names_goods or meets(rule.conditions, line))


def _excludes(excluded: Exclusions, line: Line) -> bool:
    return (
        (excluded.gift_cards and line.gift_card)
        or (excluded.discounted and line.discounted)
        or (excluded.sale and line.on_sale)
        or (bool(excluded.tags) and _among(excluded.tags, line.tags))
    )


def meets(wanted: Goods, line: Line) -> bool:
    """Whether a line is of the goods that conditions name. Shipping and tips are of none."""
    return line.id >= 0 and not (
        (wanted.products and line.product_id not in wanted.products)
        or (wanted.variants and line.variant_id not in wanted.variants)
        or (wanted.collections and line.collections.isdisjoint(wanted.collections))
        or (wanted.tags and not _among(wanted.tags, line.tags))
        or (wanted.vendors and line.vendor.lower() not in {one.lower() for one in wanted.vendors})
        or (wanted.types and line.type.lower() not in {one.lower() for one in wanted.types})
    )

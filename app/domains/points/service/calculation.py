"""What a cart, an order or a deed would earn: the same arithmetic as an award, without giving anything."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import money
from app.core.db import UnitOfWork
from app.domains.members.schemas import Member
from app.domains.orders import service as orders
from app.domains.points import queries, rules
from app.domains.points.errors import MemberCannotEarn, NoProgramActive
from app.domains.points.schemas import Calculated, CalculateIn, CartLine
from app.domains.points.service import earning, order_state, standing
from app.domains.points.service.statement import explain
from app.domains.programs import service as programs
from app.domains.programs.schemas import Eligibility, Goods, ProgramTerms
from app.domains.shops import service as shops


@dataclass(frozen=True)
class Preview:
    """A pricing that nobody got, with the currency of its amounts."""

    pricing: rules.Pricing
    currency: str
    terms: ProgramTerms


def calculate(uow: UnitOfWork, member: Member | None, wanted: CalculateIn, locale: str) -> Calculated:
    """What the member (None: somebody new) would earn for a cart, a known order or a deed.

    Raises NoProgramActive, MemberCannotEarn, OrderNotFound, Invalid.
    """
    terms = programs.active_terms(uow)
    if terms is None:
        raise NoProgramActive()
    if member is not None and not member.active:
        raise MemberCannotEarn()
    if wanted.action_type != "purchase":
        return _deed(uow, terms, member, wanted, locale)
    if wanted.order_id:
        found = _order(uow, terms, earning.order_number(wanted.order_id))
    else:
        found = preview_cart(uow, terms, member.id if member else None, wanted)
    return _told(found, locale)


def preview_cart(
    uow: UnitOfWork,
    terms: ProgramTerms,
    member_id: UUID | None,
    wanted: CalculateIn,
    at: datetime | None = None,
) -> Preview:
    """What a paid order of this cart would earn at an instant, now when None."""
    at = at or uow.now
    day = standing.local_day(uow, terms, at)
    currency = shops.get(uow).currency
    order = cart_state(wanted, currency, day, at)
    return Preview(rules.price(order, terms, _member_state(uow, terms, member_id, day)), currency, terms)


def example(uow: UnitOfWork, terms: ProgramTerms, rule_id: str, locale: str) -> tuple[int, str]:
    """What a rule gives somebody new for an example of what it rewards, and the sentence about all of the example."""
    rule = terms.rule(rule_id)
    if rule is None:
        return 0, ""
    if not rule.on_orders:
        wanted = CalculateIn.model_validate({"action_type": rule.kind, "event": rule.event})
        found = _deed(uow, replace(terms, eligibility=Eligibility()), None, wanted, locale)
        return found.points, found.why
    told = _suiting(uow, terms, rule.conditions, locale)
    return told.by_rule.get(rule_id, 0), told.why


def example_of_campaign(
    uow: UnitOfWork, terms: ProgramTerms, campaign_id: str, locale: str
) -> tuple[int, str]:
    """What an order that a campaign is for gives, and the sentence about it."""
    campaign = next((one for one in terms.multipliers if one.id == campaign_id), None)
    if campaign is None:
        return 0, ""
    told = _suiting(uow, terms, campaign.conditions, locale)
    return told.points, told.why


def _suiting(uow: UnitOfWork, terms: ProgramTerms, asked: Goods, locale: str) -> Calculated:
    """An order of EXAMPLE_AMOUNT by somebody new that meets conditions, priced for somebody who may earn."""
    line = CartLine(
        price=EXAMPLE_AMOUNT,
        product_id=next(iter(asked.products), None),
        variant_id=next(iter(asked.variants), None),
        vendor=next(iter(asked.vendors), ""),
        product_type=next(iter(asked.types), ""),
        tags=asked.tags[:1],
        collections=asked.collections[:1],
    )
    wanted = CalculateIn(
        lines=[line],
        country=next(iter(asked.countries), None),
        currency=next(iter(asked.currencies), None),
        channel=next(iter(asked.channels), "web"),
        customer_tags=asked.customer_tags[:1],
    )
    state = rules.MemberState(
        first_order=True,
        enrolled_at=uow.now,
        tier=next(iter(asked.tiers), None),
        segments=frozenset(asked.segments),
    )
    currency = shops.get(uow).currency
    order = cart_state(wanted, currency, _day_for(uow, terms, asked), uow.now)
    pricing = rules.price(order, replace(terms, eligibility=Eligibility()), state)
    return _told(Preview(pricing, currency, terms), locale)


def _day_for(uow: UnitOfWork, terms: ProgramTerms, asked: Goods) -> date:
    """The first day from today, or from the conditions' first day, that their weekdays allow."""
    day = max(asked.starts_on or date.min, standing.local_day(uow, terms, uow.now))
    if asked.ends_on and day > asked.ends_on:
        day = asked.starts_on or asked.ends_on
    week = (day + timedelta(days=n) for n in range(7))
    return next((one for one in week if not asked.weekdays or one.isoweekday() in asked.weekdays), day)


EXAMPLE_AMOUNT = "100"


def example_order(uow: UnitOfWork, terms: ProgramTerms, amount: Decimal, locale: str) -> tuple[int, str]:
    """What an order of so much money (major units) gives somebody who ordered before, and the sentence about it."""
    currency = shops.get(uow).currency
    wanted = CalculateIn(lines=[CartLine(price=str(amount))])
    day = standing.local_day(uow, terms, uow.now)
    state = rules.MemberState(enrolled_at=uow.now - _LONG_AGO)
    pricing = rules.price(cart_state(wanted, currency, day, uow.now), replace(terms, multipliers=()), state)
    told = _told(Preview(pricing, currency, terms), locale)
    return told.points, told.why


_LONG_AGO = timedelta(days=3650)


def _member_state(
    uow: UnitOfWork, terms: ProgramTerms, member_id: UUID | None, day: date
) -> rules.MemberState:
    if member_id is None:
        return rules.MemberState(first_order=True, enrolled_at=uow.now)
    return standing.load(uow, terms, [member_id], preview=True).of(member_id, day)


def cart_state(wanted: CalculateIn, currency: str, day: date, at: datetime) -> rules.OrderState:
    """A cart as the order it would become. Amounts are in the shop's currency."""
    lines = [
        _line(number, line, currency, wanted.taxes_included) for number, line in enumerate(wanted.lines, 1)
    ]
    shipping, tip = money.to_minor(wanted.shipping, currency), money.to_minor(wanted.tip, currency)
    if shipping:
        lines.append(rules.Line(rules.SHIPPING, shipping, 0))
    if tip:
        lines.append(rules.Line(rules.TIP, tip, 0))
    return rules.OrderState(
        lines=lines,
        refunded=rules.Refunded(),
        currency_exponent=money.exponent(currency),
        fulfilled=True,
        placed_at=at,
        day=day,
        channel=wanted.channel,
        country=wanted.country or "",
        presentment=wanted.currency or currency,
        customer_tags=frozenset(tag.lower() for tag in wanted.customer_tags),
        company=wanted.company,
    )


def _line(number: int, line: CartLine, currency: str, taxes_included: bool) -> rules.Line:
    tax, discount = money.to_minor(line.tax, currency), money.to_minor(line.discount, currency)
    total = max(money.to_minor(line.price, currency) * line.quantity - discount, 0)
    return rules.Line(
        number,
        max(total - tax, 0) if taxes_included else total,
        tax,
        line.gift_card,
        line.quantity,
        line.product_id,
        line.variant_id,
        line.vendor,
        line.product_type,
        frozenset(tag.lower() for tag in line.tags),
        frozenset(line.collections),
        line.on_sale,
        discount > 0,
    )


def _order(uow: UnitOfWork, terms: ProgramTerms, order_id: int) -> Preview:
    """What a known order deserves as it is, under the terms of its award or those that hold now."""
    event = orders.seen(uow, order_id)
    before = queries.posted_for_orders(uow, [event.id]).get(event.id)
    if before:
        terms = programs.terms(uow, [before["version_id"]]).get(before["version_id"], terms)
    day = standing.local_day(uow, terms, order_state.placed(event) or uow.now)
    if before:
        state = rules.MemberState.read(before["first_trace"])
        if standing.late(uow, [event], {event.id: before}):
            state = replace(state, first_order=False)
    elif event.member_id:
        state = standing.load(uow, terms, [event.member_id], preview=True).of(event.member_id, day, event.id)
    else:
        state = rules.MemberState(first_order=True, enrolled_at=uow.now)
    return Preview(
        rules.price(order_state.state(event, day, terms.earn_trigger), terms, state), event.currency, terms
    )


def _deed(
    uow: UnitOfWork, terms: ProgramTerms, member: Member | None, wanted: CalculateIn, locale: str
) -> Calculated:
    day = standing.local_day(uow, terms, uow.now)
    state = _member_state(uow, terms, member.id if member else None, day)
    given: dict[str, int] = {}
    why: list[str] = []
    for rule in terms.of_kind(wanted.action_type):
        if rule.kind == "custom_event" and rule.event != wanted.event:
            continue
        points, trace = rules.price_deed(rule, terms, day, state)
        given[rule.id] = points
        why.append(explain(_as_entry(wanted.action_type, points, trace), locale))
    return Calculated(
        points=sum(given.values()),
        multiplier=1.0,
        currency=shops.get(uow).currency,
        by_rule=given,
        by_line=[],
        why=" ".join(why),
        refusal=None if given else "no_rule",
        skipped={},
    )


def _told(found: Preview, locale: str) -> Calculated:
    pricing = found.pricing
    trace = dict(pricing.trace) | {
        "currency": found.currency,
        "order_points": pricing.points,
        "order_name": "",
        "given": dict(pricing.given),
    }
    return Calculated(
        points=pricing.points,
        multiplier=trace["multiplier_bp"] / rules.BASIS_POINTS,
        currency=found.currency,
        by_rule=dict(pricing.given),
        by_line=[{"line": line, "points": points} for line, points in sorted(pricing.by_line.items())],
        why=explain(_as_entry("purchase", pricing.points, trace | {"preview": True}), locale),
        refusal=trace.get("refusal"),
        skipped={one["rule"]: one["why"] for one in trace.get("skipped", [])},
    )


def _as_entry(reason: str, points: int, trace: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "award", "points": points, "moved": points, "reason": reason, "trace": trace}

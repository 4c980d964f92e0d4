"""What orders and sign-ups earn. An order's points always follow its present state, under the rule of its first award."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core import money
from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.core.i18n import mark
from app.domains.members import service as members
from app.domains.members.events import MemberRegistered
from app.domains.members.schemas import Member
from app.domains.orders import service as orders
from app.domains.orders.events import OrderChanged
from app.domains.points import queries, rules
from app.domains.points.errors import MemberCannotEarn, NotAnEarningOrder, NothingToEarn
from app.domains.points.schemas import Credit, Entry
from app.domains.points.service import posting
from app.domains.programs import service as programs
from app.domains.programs.schemas import ProgramTerms
from app.domains.shops import service as shops

_ORDER = re.compile(r"(?:gid://shopify/Order/)?(\d{1,18})")


def settle_orders(uow: UnitOfWork, events: Sequence[OrderChanged]) -> list[Entry]:
    """Post the difference between what each order deserves now and what it gave so far. Returns the entries written."""
    known = [event for event in events if event.known]
    if not known:
        return []
    posted = queries.posted_for_orders(uow, [event.id for event in known])
    terms = _terms(uow, posted)
    may_earn = _members_that_may_earn(uow, known)
    multipliers = queries.multipliers(uow, {event.member_id for event in known if event.member_id})
    awards: list[Credit] = []
    entries: list[Entry] = []
    for event in known:
        before = posted.get(event.id)
        rule = terms.get(before["version_id"]) if before else terms.get(None)
        owner = before["member_id"] if before else event.member_id
        if rule is None or owner is None:
            continue
        bp = before["multiplier_bp"] if before else multipliers.get(owner, rules.BASIS_POINTS)
        target = rules.target(_state(event), _pure(rule), bp or rules.BASIS_POINTS)
        change = target.points - (before["points"] if before else 0)
        key = f"order:{event.id}:{before['entries'] if before else 0}"
        trace = target.trace | {
            "order_name": event.name,
            "order_points": target.points,
            "currency": event.currency,
        }
        if change > 0 and owner in may_earn:
            awards.append(_credit(uow, owner, change, key, event.id, rule, trace))
        elif change < 0:
            entries.append(
                posting.reverse(
                    uow,
                    owner,
                    -change,
                    key=key,
                    reason=_why_less(event),
                    order_id=event.id,
                    program_version_id=rule.version_id,
                    trace=trace,
                )
            )
    entries += posting.credit(uow, awards)
    return entries


def _terms(uow: UnitOfWork, posted: dict[UUID, dict[str, Any]]) -> dict[UUID | None, ProgramTerms]:
    """The terms by version; under None those that hold for a first award now."""
    found: dict[UUID | None, ProgramTerms] = {}
    versions = {row["version_id"] for row in posted.values() if row["version_id"]}
    if versions:
        found.update((version, one) for version, one in programs.terms(uow, versions).items())
    now = programs.active_terms(uow)
    if now is not None:
        found[None] = now
    return found


def _members_that_may_earn(uow: UnitOfWork, events: Sequence[OrderChanged]) -> set[UUID]:
    found = members.by_ids(uow, {event.member_id for event in events if event.member_id})
    return {member_id for member_id, member in found.items() if member.active}


def _credit(
    uow: UnitOfWork,
    member_id: UUID,
    points: int,
    key: str,
    order_id: UUID,
    rule: ProgramTerms,
    trace: dict[str, Any],
) -> Credit:
    waits = uow.now + timedelta(days=rule.holding_days) if rule.holding_days else None
    expires = (
        rules.expiry(uow.now, rule.expiry_months, ZoneInfo(shops.get(uow).timezone))
        if rule.expiry_months
        else None
    )
    return Credit(
        member_id,
        points,
        key,
        "purchase",
        order_id=order_id,
        program_version_id=rule.version_id,
        trace=trace,
        activates_at=waits,
        expires_at=expires,
    )


def _pure(rule: ProgramTerms) -> rules.Terms:
    return rules.Terms(rule.points_per_unit, rule.rounding, rule.earn_on_tax, rule.earn_trigger)


def _state(event: OrderChanged) -> rules.OrderState:
    net: dict[int, int] = {}
    tax: dict[int, int] = {}
    amount = 0
    for refund in event.refunds.values():
        lines, extra = rules.money_back(refund["lines"], refund["amount"])
        amount += extra
        for line_id, line_net, line_tax in lines:
            net[line_id] = net.get(line_id, 0) + line_net
            tax[line_id] = tax.get(line_id, 0) + line_tax
    return rules.OrderState(
        lines=[rules.Line(line["id"], line["net"], line["tax"], line["gift_card"]) for line in event.lines],
        refunded=rules.Refunded(net, tax, amount),
        currency_exponent=money.exponent(event.currency),
        created=True,
        paid=event.paid_at is not None,
        fulfilled=event.fulfilled_at is not None,
        cancelled=event.cancelled_at is not None,
        deleted=event.deleted_at is not None,
        test=event.test,
        has_member=True,
    )


def _why_less(event: OrderChanged) -> str:
    if event.deleted_at is not None:
        return "order_deleted"
    if event.cancelled_at is not None:
        return "order_cancelled"
    return "refund" if event.refunds else "order_edited"


def give_signup_bonus(uow: UnitOfWork, events: Sequence[MemberRegistered]) -> list[Entry]:
    """Give the bonus for registering, once per customer, if an active program has one."""
    rule = programs.active_terms(uow)
    if rule is None or rule.signup_bonus == 0:
        return []
    may_earn = members.by_ids(uow, {event.member_id for event in events})
    bonuses = {
        event.customer_id: Credit(
            event.member_id,
            rule.signup_bonus,
            _signup_key(uow, event.customer_id),
            "signup",
            program_version_id=rule.version_id,
            trace={"signup_bonus": rule.signup_bonus},
            expires_at=rules.expiry(uow.now, rule.expiry_months, ZoneInfo(shops.get(uow).timezone))
            if rule.expiry_months
            else None,
        )
        for event in events
        if may_earn[event.member_id].active
    }
    already = queries.entries_by_key(uow, [credit.key for credit in bonuses.values()])
    return posting.credit(uow, [credit for credit in bonuses.values() if credit.key not in already])


def _signup_key(uow: UnitOfWork, customer_id: int) -> str:
    """Names the customer without telling who it is: the ledger outlives the person's erasure."""
    return f"signup:{uow.blind_index(str(customer_id), 'points.signup').hex()}"


def earn(uow: UnitOfWork, member: Member, action: str, order_reference: str | None) -> Entry:
    """The entry of an order ("purchase") or of the sign-up ("signup"), made now if it is missing.

    Raises OrderNotFound, MemberCannotEarn, NotAnEarningOrder, Invalid.
    """
    if not member.active:
        raise MemberCannotEarn()
    if action == "purchase":
        return earn_for_order(uow, member.id, _order_number(order_reference))
    if member.customer_id is None:
        raise MemberCannotEarn()
    give_signup_bonus(uow, [MemberRegistered(member.id, member.customer_id)])
    key = _signup_key(uow, member.customer_id)
    row = queries.entries_by_key(uow, [key]).get(key)
    if row is None:
        raise NothingToEarn()
    return posting.as_entry(row)


def _order_number(reference: str | None) -> int:
    match = _ORDER.fullmatch((reference or "").strip())
    if match is None:
        raise Invalid(fields={"order_id": mark("Enter a Shopify order id or its gid.")})
    return int(match.group(1))


def earn_for_order(uow: UnitOfWork, member_id: UUID, order_id: int) -> Entry:
    """The award of a known order of this member, made now if it is still missing.

    Raises OrderNotFound, NotAnEarningOrder.
    """
    row_id, owner = orders.owner(uow, order_id)
    if owner != member_id:
        raise NotAnEarningOrder(mark("This order belongs to another customer."))
    orders.again(uow, order_id)
    row = queries.award_of_order(uow, row_id)
    if row is None:
        raise NotAnEarningOrder()
    return posting.as_entry(row)

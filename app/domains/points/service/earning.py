"""What orders earn. An order's points always follow its present state, under the rules of its first award."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.core.i18n import mark
from app.core.values import value
from app.domains.members import service as members
from app.domains.orders import service as orders
from app.domains.orders.events import OrderChanged
from app.domains.points import queries, rules
from app.domains.points.errors import NotAnEarningOrder
from app.domains.points.schemas import Credit, Entry, Reversal
from app.domains.points.service import order_state, posting, standing
from app.domains.programs import service as programs
from app.domains.programs.schemas import PURCHASE, EarningRule, ProgramTerms

_ORDER = re.compile(r"(?:gid://shopify/Order/)?(\d{1,18})")

_SAVE_COUNTS = """
INSERT INTO earning_counts (shop_id, order_id, program_id, rule_id, member_id, period, units_before, completed_before,
  units, completed)
SELECT %(shop)s, v.* FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (order_id uuid, program_id uuid, rule_id text,
  member_id uuid, period text, units_before bigint, completed_before bigint, units bigint, completed bigint)
ON CONFLICT (shop_id, order_id, program_id, rule_id) DO UPDATE SET units = excluded.units, completed = excluded.completed
"""


@value
class Due:
    """An order with its member and terms; `before` is what it gave so far, `counted` its rows of counts.

    `late` says that it is no longer its member's first order, since another account of theirs had ordered before.
    """

    event: OrderChanged
    owner: UUID
    terms: ProgramTerms
    day: date
    before: dict[str, Any] | None
    counted: dict[str, dict[str, Any]]
    late: bool = False

    @property
    def owed(self) -> int:
        """What the order gave so far, less what reversals had to leave with the member."""
        return self.before["owed"] if self.before else 0


@value
class Priced:
    """What an order deserves now, and what its entries say about it."""

    due: Due
    pricing: rules.Pricing
    trace: dict[str, Any]
    given_before: dict[str, int]


def settle_orders(
    uow: UnitOfWork, events: Sequence[OrderChanged], merge_id: UUID | None = None
) -> list[Entry]:
    """Post the difference between what each order deserves now and what it gave so far. Returns the entries written.

    With a merge, what has to go goes because of it.
    """
    found = reckon(uow, events)
    if not found:
        return []
    may_earn = members.earning(uow, {one.due.event.member_id for one in found if one.due.event.member_id})
    awards: list[Credit] = []
    entries: list[Entry] = []
    for one in found:
        given = one.due.before["points"] if one.due.before else 0
        # What a reversal had to leave with the member counts when the order earns again, and is not taken twice.
        if one.pricing.points > given and one.due.owner in may_earn:
            awards += _credits(uow, one, one.pricing.points - given)
        elif one.pricing.points < one.due.owed:
            entries.append(_take_back(uow, one, one.due.owed - one.pricing.points, merge_id))
    return entries + posting.credit(uow, awards)


def reckon(uow: UnitOfWork, events: Sequence[OrderChanged]) -> list[Priced]:
    """What each order deserves now; budgets and counts follow it."""
    dues = find_dues(uow, [event for event in events if event.known])
    return [
        one
        for version in {due.terms.version_id: due.terms for due in dues}.values()
        for one in _price(uow, version, [due for due in dues if due.terms is version])
    ]


def find_dues(uow: UnitOfWork, events: Sequence[OrderChanged]) -> list[Due]:
    """Orders with the terms that hold for them and what they gave so far, without those that nobody can earn from."""
    if not events:
        return []
    told_before = [event.id for event in events if not event.new]
    posted = queries.posted_for_orders(uow, told_before) if told_before else {}
    terms = _terms(uow, posted)
    counted = _counted(uow, told_before, terms)
    late = standing.late(uow, events, posted)
    found: list[Due] = []
    for event in events:
        before = posted.get(event.id)
        rule = terms.get(before["version_id"]) if before else terms.get(None)
        owner = event.member_id or (before["member_id"] if before else None)
        if rule is None or owner is None:
            continue
        day = standing.local_day(uow, rule, order_state.placed(event) or uow.now)
        found.append(Due(event, owner, rule, day, before, counted.get(event.id, {}), event.id in late))
        if before is None and standing.asked(rule).products and not _read(event):
            orders.read_again(uow, event.order_id)
    return found


def _read(event: OrderChanged) -> bool:
    return all("product" in line for line in event.lines) and "customer_tags" in event.facts


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


def _counted(
    uow: UnitOfWork, order_ids: Sequence[UUID], terms: dict[UUID | None, ProgramTerms]
) -> dict[UUID, dict[str, dict[str, Any]]]:
    if not order_ids or not any(standing.asked(one).counts for one in terms.values()):
        return {}
    return queries.counts_of_orders(uow, order_ids)


def _price(uow: UnitOfWork, terms: ProgramTerms, dues: Sequence[Due]) -> list[Priced]:
    """Price orders of one version, one after the other: what one takes of a cap is not there for the next."""
    fresh = {due.owner for due in dues if due.before is None}
    asks = standing.asked(terms)
    stand = standing.load(uow, terms, sorted(fresh if not asks.budgets else {due.owner for due in dues}))
    found: list[Priced] = []
    for due in sorted(dues, key=lambda due: (order_state.placed(due.event) or uow.now, due.event.order_id)):
        state = _member_state(stand, due)
        pricing = rules.price(order_state.state(due.event, due.day, terms.earn_trigger), terms, state)
        given_before = _given(due.before)
        stand.note(due.owner, due.day, _changes(given_before, pricing.given))
        stand.spend(_extra_changes(due.before, pricing.extra))
        stand.ordered(due.owner, due.event.id)
        if not due.counted:
            stand.count(due.owner, due.day, pricing.counts)
        found.append(Priced(due, pricing, _trace(due, pricing, state), given_before))
    if asks.counts:
        _save_counts(uow, terms, found)
    if asks.budgets:
        stand.save_budgets()
    return found


def _member_state(stand: standing.Standing, due: Due) -> rules.MemberState:
    """The member as they stood when the order first earned, or stand now when it never did."""
    if due.before is None:
        return _with_counts(stand.of(due.owner, due.day, due.event.id), due)
    return kept_state(due, due.before)


def kept_state(due: Due, before: Mapping[str, Any]) -> rules.MemberState:
    """The member as they stood when an order first earned; `before` is what it gave."""
    state = rules.MemberState.read(before["first_trace"])
    return _with_counts(replace(state, first_order=False) if due.late else state, due)


def _with_counts(state: rules.MemberState, due: Due) -> rules.MemberState:
    if not due.counted:
        return state
    counts = {rule: (row["units_before"], row["completed_before"]) for rule, row in due.counted.items()}
    return replace(state, counts=dict(state.counts) | counts)


def _given(before: dict[str, Any] | None) -> dict[str, int]:
    """What an order gave so far by rule; entries that do not say it are all of the base rule."""
    if before is None:
        return {}
    given: dict[str, int] | None = before["last_trace"].get("given")
    return given if given is not None else {PURCHASE: before["points"]}


def _extra_changes(before: dict[str, Any] | None, extra: Mapping[str, int]) -> Mapping[str, int]:
    """What campaigns with a budget add to the order now, less what they added so far."""
    return _changes(before["last_trace"].get("extra", {}), extra) if before else extra


def _changes(old: Mapping[str, int], new: Mapping[str, int]) -> Mapping[str, int]:
    return {key: new.get(key, 0) - old.get(key, 0) for key in {*old, *new}} if old else new


def _trace(due: Due, pricing: rules.Pricing, state: rules.MemberState) -> dict[str, Any]:
    trace = dict(pricing.trace) | {
        "order_name": due.event.name,
        "order_points": pricing.points,
        "currency": due.event.currency,
        "day": due.day.isoformat(),
        "state": state.kept(),
    }
    if set(pricing.given) - {PURCHASE}:
        trace["given"] = dict(pricing.given)
    return trace


def _save_counts(uow: UnitOfWork, terms: ProgramTerms, found: Sequence[Priced]) -> None:
    rows = []
    for one in found:
        for rule in standing.asked(terms).counts:
            count = one.pricing.counts[rule.id]
            before = one.trace["state"].get("counts", {}).get(rule.id, [0, 0])
            rows.append(
                {
                    "order_id": one.due.event.id,
                    "program_id": terms.program_id,
                    "rule_id": rule.id,
                    "member_id": one.due.owner,
                    "period": standing.period_key(rule, one.due.day),
                    "units_before": before[0],
                    "completed_before": before[1],
                    "units": count.units,
                    "completed": count.completed,
                }
            )
    uow.execute(_SAVE_COUNTS, {"shop": uow.shop, "rows": orjson.dumps(rows).decode()})


_FOLLOW = """
UPDATE earning_counts c SET member_id = o.member_id FROM orders o
WHERE c.shop_id = %(shop)s AND c.member_id = ANY(%(members)s) AND o.shop_id = c.shop_id AND o.id = c.order_id
  AND o.member_id IS NOT NULL AND o.member_id <> c.member_id
"""


def follow_orders(uow: UnitOfWork, member_ids: Sequence[UUID]) -> None:
    """Stamps and money counted for these members belong to whoever has the orders now, after a merge or its undoing."""
    uow.execute(_FOLLOW, {"shop": uow.shop, "members": list(member_ids)})


def _credits(uow: UnitOfWork, one: Priced, change: int) -> list[Credit]:
    """The credits for more points: one for each holding time and expiry that the rules behind them have."""
    terms, event, before = one.due.terms, one.due.event, one.due.before
    by_times: dict[tuple[int, int | None], int] = {}
    for rule_id, points in one.pricing.given.items():
        more = max(points - one.given_before.get(rule_id, 0), 0)
        if more:
            times = lifetime(terms, terms.rule(rule_id))
            by_times[times] = by_times.get(times, 0) + more
    if not by_times:
        by_times = {lifetime(terms, None): 1}
    number = before["entries"] if before else 0
    return [
        Credit(
            one.due.owner,
            points,
            f"order:{event.id}:{number + n}",
            "purchase",
            order_id=event.id,
            program_version_id=terms.version_id,
            trace=one.trace | {"added": True} if before else one.trace,
            activates_at=activation(uow.now, holding),
            expires_at=_lasts_until(uow, terms, own_months),
        )
        for n, ((holding, own_months), points) in enumerate(
            zip(by_times, rules.split(change, list(by_times.values())), strict=True)
        )
        if points
    ]


def _lasts_until(uow: UnitOfWork, terms: ProgramTerms, own_months: int | None) -> datetime | None:
    """When points given now expire; worked out once for all orders of a batch."""
    return uow.once(
        f"lasts_until:{terms.version_id}:{own_months}",
        lambda: rules.lasts_until(
            uow.now, terms.expiry, terms.expiry_months, standing.zone_of(uow, terms), own_months
        ),
    )


def lifetime(terms: ProgramTerms, rule: EarningRule | None) -> tuple[int, int | None]:
    """Days before points of a rule can be spent, and its own months until they expire (None: as the program says)."""
    if rule is None:
        return terms.holding_days, None
    return terms.holding_days if rule.holding_days is None else rule.holding_days, rule.expiry_months


def activation(now: datetime, holding_days: int) -> datetime | None:
    """When points that are given now can be spent; None for at once."""
    return now + timedelta(days=holding_days) if holding_days else None


def _take_back(uow: UnitOfWork, one: Priced, points: int, merge_id: UUID | None) -> Entry:
    """What the order gave too much goes. A bonus that a person has twice goes whatever the debt policy is."""
    event, before = one.due.event, one.due.before
    return posting.reverse(
        uow,
        Reversal(
            one.due.owner,
            points,
            f"merge:{merge_id}:first:{event.id}"
            if merge_id
            else f"order:{event.id}:{before['entries'] if before else 0}",
            "not_first_order" if merge_id else _why_less(event),
            event.id,
            one.due.terms.version_id,
            one.trace | {"merge": merge_id} if merge_id else one.trace,
            "negative" if merge_id else one.due.terms.debt_policy,
        ),
    )


def _why_less(event: OrderChanged) -> str:
    if event.deleted_at is not None:
        return "order_deleted"
    if event.cancelled_at is not None:
        return "order_cancelled"
    return "refund" if event.refunds else "order_edited"


def order_number(reference: str | None) -> int:
    """Shopify's number of an order from the number or its gid. Raises Invalid."""
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

"""Members as pricing sees them: their tier and segments, what caps still allow, what stands on their counts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.orders import service as orders
from app.domains.orders.events import OrderChanged
from app.domains.points import queries, rules
from app.domains.points.schemas import MemberFacts
from app.domains.programs.schemas import Caps, EarningRule, ProgramTerms, When
from app.domains.shops import service as shops

Facts = Callable[[UnitOfWork, Iterable[UUID]], Mapping[UUID, MemberFacts]]
_PROGRAM = ""
_NO_FACTS = MemberFacts()
_FACTS: dict[str, Facts] = {}


def register_member_facts(key: str, facts: Facts) -> None:
    """Let a domain above say which tier members are on, or which segments they are in.

    `facts(uow, member_ids)` is asked only when terms depend on it.
    """
    _FACTS[key] = facts


@dataclass(frozen=True)
class Asked:
    """What terms ask about members besides their multiplier, so that nothing else is looked up."""

    facts: bool
    caps: bool
    counts: tuple[EarningRule, ...]
    first_order: bool
    enrolled: bool
    budgets: tuple[str, ...]
    products: bool

    @property
    def locks(self) -> bool:
        """Whether members must be locked before they are looked at."""
        return self.caps or bool(self.counts) or bool(self.budgets)


_ASKED: dict[UUID, Asked] = {}


def asked(terms: ProgramTerms) -> Asked:
    """What the terms ask; worked out once per version."""
    found = _ASKED.get(terms.version_id)
    if found is None:
        if len(_ASKED) > 2048:
            _ASKED.clear()
        found = _ASKED[terms.version_id] = _asked(terms)
    return found


def _asked(terms: ProgramTerms) -> Asked:
    on = [rule for rule in terms.rules if rule.enabled]
    times = [one for one in terms.multipliers if one.enabled]
    conditions: list[When] = [*(rule.conditions for rule in on), *(one.conditions for one in times)]
    return Asked(
        facts=terms.eligibility.asks_segments or any(one.segments or one.tiers for one in conditions),
        caps=terms.caps.of_member or any(rule.caps.of_member for rule in on),
        counts=tuple(rule for rule in on if rule.on_orders and rule.counts),
        first_order=any(rule.kind == "first_purchase" or rule.conditions.first_order for rule in on),
        enrolled=bool(terms.eligibility.account_days),
        budgets=tuple(
            [_PROGRAM] * (terms.caps.budget is not None)
            + [rule.id for rule in on if rule.caps.budget is not None]
            + [one.budget_key for one in times if one.budget is not None]
        ),
        products=any(_needs_products(rule) for rule in on if rule.on_orders)
        or any(one.conditions.collections or one.conditions.tags or one.conditions.types for one in times)
        or any(one.customer_tags for one in conditions)
        or terms.eligibility.asks_tags,
    )


def _needs_products(rule: EarningRule) -> bool:
    wanted, excluded = rule.conditions, rule.exclusions
    return bool(
        wanted.collections
        or wanted.tags
        or wanted.types
        or excluded.tags
        or excluded.sale
        or excluded.staff
        or excluded.customer_tags
    )


@dataclass
class Standing:
    """Members under terms, loaded for a batch; what the batch gives is added, so that caps hold within it."""

    uow: UnitOfWork
    terms: ProgramTerms
    asks: Asked
    zone: ZoneInfo
    multipliers: dict[UUID, int]
    facts: dict[UUID, MemberFacts]
    enrolled: dict[UUID, datetime]
    first_orders: dict[UUID, UUID]
    given: dict[tuple[UUID, str], dict[date, int]]
    counts: dict[tuple[UUID, str, str], tuple[int, int]]
    budgets: dict[str, int]
    owed: dict[str, int] = field(default_factory=dict)

    def of(self, member_id: UUID, day: date, order_id: UUID | None = None) -> rules.MemberState:
        """The member on a day, before an order that earns for the first time."""
        asks, facts = self.asks, self.facts.get(member_id, _NO_FACTS)
        return rules.MemberState(
            tier_bp=self.multipliers.get(member_id, rules.BASIS_POINTS)
            if self.terms.type == "tiered"
            else rules.BASIS_POINTS,
            tier=facts.tier,
            segments=facts.segments,
            first_order=asks.first_order and self.first_orders.get(member_id, order_id) == order_id,
            enrolled_at=self.enrolled.get(member_id),
            room=self._room(member_id, day) if asks.caps or asks.budgets else {},
            counts={
                rule.id: self.counts.get((member_id, rule.id, period_key(rule, day)), (0, 0))
                for rule in asks.counts
            },
        )

    def _room(self, member_id: UUID, day: date) -> dict[str, dict[str, int]]:
        found = {_PROGRAM: self._room_under(self.terms.caps, _PROGRAM, member_id, day)}
        for rule in self.terms.rules:
            if rule.enabled:
                found[rule.id] = self._room_under(rule.caps, rule.id, member_id, day)
        for one in self.terms.times:
            if one.budget is not None:
                left = one.budget - self.budgets.get(one.budget_key, 0)
                found[one.budget_key] = {"budget": max(left, 0)}
        return {rule_id: room for rule_id, room in found.items() if room}

    def _room_under(self, caps: Caps, rule_id: str, member_id: UUID, day: date) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, limit, period in (
            ("per_day", caps.per_day, "day"),
            ("per_period", caps.per_period, caps.period),
            ("per_member", caps.per_member, None),
        ):
            if limit is not None:
                first, last = rules.period_of(day, period)
                days = self.given.get((member_id, rule_id), {})
                found[name] = max(limit - sum(n for one, n in days.items() if first <= one <= last), 0)
        if caps.budget is not None:
            found["budget"] = max(caps.budget - self.budgets.get(rule_id, 0), 0)
        return found

    def ordered(self, member_id: UUID, order_id: UUID) -> None:
        """An order that is not stored yet is the member's first, unless there was one."""
        if self.asks.first_order:
            self.first_orders.setdefault(member_id, order_id)

    def note(self, member_id: UUID, day: date, given: Mapping[str, int]) -> None:
        """Points by rule were given (or, negative, taken back)."""
        if not (self.asks.caps or self.asks.budgets):
            return
        for rule_id, points in [*given.items(), (_PROGRAM, sum(given.values()))]:
            days = self.given.setdefault((member_id, rule_id), {})
            days[day] = days.get(day, 0) + points
            if rule_id in self.asks.budgets:
                self.budgets[rule_id] = self.budgets.get(rule_id, 0) + points
                self.owed[rule_id] = self.owed.get(rule_id, 0) + points

    def spend(self, extra: Mapping[str, int]) -> None:
        """Campaigns added points (or, negative, less than before), by the keys of their budgets."""
        for key, points in extra.items():
            self.budgets[key] = self.budgets.get(key, 0) + points
            self.owed[key] = self.owed.get(key, 0) + points

    def count(self, member_id: UUID, day: date, counts: Mapping[str, rules.Count]) -> None:
        """An order that was not counted before adds to the member's counts."""
        for rule in self.asks.counts:
            added = counts.get(rule.id)
            if added:
                key = (member_id, rule.id, period_key(rule, day))
                units, completed = self.counts.get(key, (0, 0))
                self.counts[key] = (units + added.units, completed + added.completed)

    def save_budgets(self) -> None:
        """Write what the batch took from budgets."""
        self.uow.execute(
            "UPDATE earning_budgets b SET given = b.given + v.points"
            " FROM unnest(%(rules)s::text[], %(points)s::bigint[]) AS v (rule, points)"
            " WHERE b.shop_id = %(shop)s AND b.program_id = %(program)s AND b.rule_id = v.rule",
            {
                "shop": self.uow.shop,
                "program": self.terms.program_id,
                "rules": list(self.owed),
                "points": list(self.owed.values()),
            },
        )
        self.owed = {}


def period_key(rule: EarningRule, day: date) -> str:
    """The period that a day's count belongs to; empty when it never starts again."""
    return rules.period_of(day, rule.goal_period)[0].isoformat() if rule.goal_period else ""


def local_day(uow: UnitOfWork, terms: ProgramTerms, at: datetime) -> date:
    """The program's day of an instant."""
    return at.astimezone(zone_of(uow, terms)).date()


def zone_of(uow: UnitOfWork, terms: ProgramTerms) -> ZoneInfo:
    """The program's time zone: its own, else the shop's."""
    return ZoneInfo(terms.zone or shops.get(uow).timezone)


def load(
    uow: UnitOfWork, terms: ProgramTerms, member_ids: Sequence[UUID], *, preview: bool = False
) -> Standing:
    """Members under terms. Whoever has caps, counts or a budget is locked first, so that two orders do not share room.

    A preview gives nothing, so it locks nothing and writes nothing.
    """
    asks = asked(terms)
    if asks.locks and not preview:
        queries.lock_accounts(uow, member_ids)
    facts: dict[UUID, MemberFacts] = {}
    if asks.facts:
        for provider in _FACTS.values():
            for member_id, found in provider(uow, member_ids).items():
                known = facts.get(member_id, MemberFacts())
                facts[member_id] = replace(
                    known, tier=found.tier or known.tier, segments=known.segments | found.segments
                )
    if asks.budgets and not preview:
        uow.execute(
            "INSERT INTO earning_budgets (shop_id, program_id, rule_id, given)"
            " SELECT %(shop)s, %(program)s, r, 0 FROM unnest(%(rules)s::text[]) AS r ON CONFLICT DO NOTHING",
            {"shop": uow.shop, "program": terms.program_id, "rules": sorted(asks.budgets)},
        )
    zone = zone_of(uow, terms)
    heirs = _heirs(uow, member_ids) if asks.caps or asks.counts else {}
    family = [*member_ids, *heirs]
    return Standing(
        uow,
        terms,
        asks,
        zone,
        {one: row["multiplier_bp"] for one, row in queries.accounts(uow, member_ids).items()},
        facts,
        {one.id: one.enrolled_at for one in members.by_ids(uow, member_ids).values()}
        if asks.first_order or asks.enrolled
        else {},
        orders.first_of(uow, member_ids) if asks.first_order else {},
        _given(queries.given_by_rule(uow, family, zone.key), heirs) if asks.caps else {},
        _counted(queries.counts_of_members(uow, terms.program_id, family), heirs) if asks.counts else {},
        queries.budgets(uow, terms.program_id, asks.budgets, lock=not preview) if asks.budgets else {},
    )


def late(
    uow: UnitOfWork, events: Iterable[OrderChanged], posted: Mapping[UUID, Mapping[str, Any]]
) -> set[UUID]:
    """Orders that earned as the first of an account while another account of the same person had ordered before.

    `posted` is what orders gave. It is asked anew each time, so merging and parting need no mark on the orders.
    """
    found: set[UUID] = set()
    by_owner: dict[UUID, list[OrderChanged]] = {}
    for event in events:
        if event.member_id and event.placed_at and event.id in posted and was_first(posted[event.id]):
            by_owner.setdefault(event.member_id, []).append(event)
    if not by_owner:
        return found
    for owner, merges in members.standing_merges(uow, by_owner).items():
        for merge in merges:
            moved = {UUID(one) for one in merge.followed.get("orders", [])}
            firsts = orders.first_of_sides(uow, owner, moved)
            for event in by_owner[owner]:
                other = firsts.get(event.id not in moved)
                if event.placed_at and other and other < (event.placed_at, event.order_id):
                    found.add(event.id)
    return found


def was_first(posted: Mapping[str, Any]) -> bool:
    """Whether an order earned as its account's first."""
    return bool(posted["first_trace"].get("state", {}).get("first_order"))


def _heirs(uow: UnitOfWork, member_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Whoever was merged into one of these members, and into whom: what they got before counts under caps too."""
    return {
        removed: kept for kept, merged in members.merged_into(uow, member_ids).items() for removed in merged
    }


def _given(
    rows: Iterable[dict[str, Any]], heirs: Mapping[UUID, UUID]
) -> dict[tuple[UUID, str], dict[date, int]]:
    found: dict[tuple[UUID, str], dict[date, int]] = {}
    for row in rows:
        member_id, day = heirs.get(row["member_id"], row["member_id"]), date.fromisoformat(row["day"])
        for rule_id in (row["rule"], _PROGRAM):
            days = found.setdefault((member_id, rule_id), {})
            days[day] = days.get(day, 0) + row["points"]
    return found


def _counted(
    counts: Mapping[tuple[UUID, str, str], tuple[int, int]], heirs: Mapping[UUID, UUID]
) -> dict[tuple[UUID, str, str], tuple[int, int]]:
    found: dict[tuple[UUID, str, str], tuple[int, int]] = {}
    for (member_id, rule_id, period), (units, completed) in counts.items():
        key = (heirs.get(member_id, member_id), rule_id, period)
        before = found.get(key, (0, 0))
        found[key] = (before[0] + units, before[1] + completed)
    return found

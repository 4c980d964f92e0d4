"""Rehearsal: what orders and deeds of the last months would have earned under other terms, before these are saved."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from app.core import ids
from app.core.db import UnitOfWork, unit_of_work
from app.domains.members import service as members
from app.domains.orders import service as orders
from app.domains.orders.events import OrderChanged
from app.domains.points import queries, rules
from app.domains.points.errors import RehearsalNotFound
from app.domains.points.service import order_state, standing
from app.domains.programs import service as programs
from app.domains.programs.schemas import EarningRule, ProgramTerms

_PAGE = 500
_SHOWN = 10
Ladder = Callable[[UnitOfWork], Sequence[tuple[int, str]]]
_LADDERS: list[Ladder] = []


def register_ladder(ladder: Ladder) -> None:
    """Let the domain of tiers say the thresholds and names of the active ladder, lowest first."""
    _LADDERS.append(ladder)


def tier_by_points(uow: UnitOfWork, qualifying: int) -> str:
    """The tier that so many qualifying points lead to on the active ladder; empty below it, or where points lead nowhere."""
    return _level([level for one in _LADDERS for level in one(uow)], qualifying)


Worth = Callable[[UnitOfWork], int | None]
_WORTH: list[Worth] = []


def worth(uow: UnitOfWork) -> int:
    """What 1,000 points are worth in minor units of the shop's currency; 0 until the shop said so."""
    return next((found for one in _WORTH if (found := one(uow))), 0)


def register_worth(worth: Worth) -> None:
    """Let the domain of liability say what 1,000 points are worth, in minor units; None until the shop said so."""
    _WORTH.append(worth)


def rehearse(
    uow: UnitOfWork,
    program_id: UUID,
    settings: Mapping[str, Any],
    *,
    months: int,
    version: int,
) -> UUID:
    """Start a rehearsal of settings over the last months; a job does it. Returns its id.

    `version` is the program's, on which saving is based. The cost is told when the shop said what points are worth.
    """
    rehearsal_id = ids.new_id()
    uow.execute(
        "INSERT INTO rehearsals (shop_id, id, program_id, program_version, months, worth_minor, settings, created_at)"
        " VALUES (%(shop)s, %(id)s, %(program)s, %(version)s, %(months)s, %(worth)s, %(settings)s::jsonb, %(now)s)",
        {
            "shop": uow.shop,
            "id": rehearsal_id,
            "program": program_id,
            "version": version,
            "months": months,
            "worth": worth(uow),
            "settings": orjson.dumps(settings).decode(),
            "now": uow.now,
        },
    )
    uow.enqueue("points.rehearse", rehearsal=str(rehearsal_id))
    return rehearsal_id


def rehearsal(uow: UnitOfWork, rehearsal_id: UUID) -> dict[str, Any]:
    """A rehearsal with its progress and, when it is done, its result. Raises RehearsalNotFound."""
    found = queries.rehearsal(uow, rehearsal_id)
    if found is None:
        raise RehearsalNotFound()
    return found


def run(shop_id: UUID, rehearsal_id: UUID) -> None:
    """Replay everything, a page of orders per transaction; safe to run again from the start."""
    with unit_of_work(shop_id) as uow:
        found = rehearsal(uow, rehearsal_id)
        if found["status"] == "done":
            return
        since = _since(found["created_at"], found["months"])
        terms = programs.draft_terms(found["program_id"], found["settings"])
        _note(uow, rehearsal_id, "running", 0, orders.count_since(uow, since))
        replay = Replay(terms, standing.zone_of(uow, terms).key)
    after: tuple[datetime, int] | None = None
    while True:
        with unit_of_work(shop_id) as uow:
            events = orders.replay(uow, since, after, _PAGE)
            replay.orders(uow, events)
            _note(uow, rehearsal_id, "running", replay.seen)
        if len(events) < _PAGE:
            break
        last = events[-1]
        assert last.placed_at is not None
        after = (last.placed_at, last.order_id)
    with unit_of_work(shop_id) as uow:
        replay.deeds(uow, queries.deeds_since(uow, since))
        result = orjson.dumps(replay.result(uow, found["worth_minor"])).decode()
        uow.execute(
            "UPDATE rehearsals SET status = 'done', result = %(result)s::jsonb, seen = %(seen)s"
            " WHERE shop_id = %(shop)s AND id = %(id)s",
            {"shop": uow.shop, "id": rehearsal_id, "result": result, "seen": replay.seen},
        )


def _since(at: datetime, months: int) -> datetime:
    index = at.year * 12 + at.month - 1 - months
    return at.replace(year=index // 12, month=index % 12 + 1, day=min(at.day, 28))


def _note(uow: UnitOfWork, rehearsal_id: UUID, status: str, seen: int, total: int | None = None) -> None:
    uow.execute(
        "UPDATE rehearsals SET status = %(status)s, seen = %(seen)s, total = coalesce(%(total)s, total)"
        " WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": rehearsal_id, "status": status, "seen": seen, "total": total},
    )


@dataclass
class Replay:
    """Orders and deeds priced one after the other under terms, beside what they really gave.

    An order that earned under the same terms is priced for its member as its award kept them; otherwise the member's
    tier, segments and first order are the award's, and caps and counts are those of the replay.
    """

    terms: ProgramTerms
    zone: str
    seen: int = 0
    was: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    would: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    by_rule: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    _same: dict[UUID, bool] = field(default_factory=dict)
    _standing: standing.Standing | None = None
    _late: set[UUID] = field(default_factory=set)

    def orders(self, uow: UnitOfWork, events: Sequence[OrderChanged]) -> None:
        """Price orders, oldest first."""
        posted = queries.posted_for_orders(uow, [event.id for event in events])
        counted = queries.counts_of_orders(uow, [event.id for event in events])
        owners = {event.member_id for event in events if event.member_id}
        active = {one.id for one in members.by_ids(uow, owners).values() if one.active}
        stand = self._load(uow, sorted(owners))
        self._late = standing.late(uow, events, posted)
        for event in events:
            self.seen += 1
            owner, before = event.member_id, posted.get(event.id)
            if owner is None:
                continue
            given = before["owed"] if before else 0
            self.was[owner] += given
            self._tell(0, _split(before))
            if owner not in active and before is None:
                continue
            pricing = self._price(uow, stand, event, owner, before, counted.get(event.id, {}))
            self.would[owner] += pricing.points
            self._tell(1, pricing.given)

    def _load(self, uow: UnitOfWork, owners: list[UUID]) -> standing.Standing:
        """The members' standing; what caps and counts gave in the replay stays from page to page."""
        fresh = standing.load(uow, self.terms, owners, preview=True)
        old = self._standing
        fresh.given, fresh.counts, fresh.budgets = (
            (old.given, old.counts, old.budgets) if old else ({}, {}, dict.fromkeys(fresh.budgets, 0))
        )
        self._standing = fresh
        return fresh

    def _price(
        self,
        uow: UnitOfWork,
        stand: standing.Standing,
        event: OrderChanged,
        owner: UUID,
        before: dict[str, Any] | None,
        counted: Mapping[str, dict[str, Any]],
    ) -> rules.Pricing:
        day = standing.local_day(uow, self.terms, order_state.placed(event) or uow.now)
        state = stand.of(owner, day, event.id)
        if before is not None:
            kept = rules.MemberState.read(before["first_trace"])
            if event.id in self._late:
                kept = replace(kept, first_order=False)
            if self._is_same(uow, before["version_id"]):
                counts = {
                    rule: (row["units_before"], row["completed_before"]) for rule, row in counted.items()
                }
                state = replace(kept, counts=dict(kept.counts) | counts)
            else:
                state = replace(
                    state,
                    tier_bp=kept.tier_bp if self.terms.type == "tiered" else rules.BASIS_POINTS,
                    segments=kept.segments or state.segments,
                    tier=kept.tier or state.tier,
                )
        pricing = rules.price(order_state.state(event, day, self.terms.earn_trigger), self.terms, state)
        stand.note(owner, day, pricing.given)
        stand.spend(pricing.extra)
        stand.count(owner, day, pricing.counts)
        return pricing

    def _is_same(self, uow: UnitOfWork, version_id: UUID | None) -> bool:
        if version_id is None:
            return False
        if version_id not in self._same:
            old = programs.terms(uow, [version_id]).get(version_id)
            self._same[version_id] = (
                old is not None and replace(old, version_id=self.terms.version_id) == self.terms
            )
        return self._same[version_id]

    def deeds(self, uow: UnitOfWork, rows: Sequence[dict[str, Any]]) -> None:
        """What members got without an order, under the same rule of the new terms."""
        by_id = {rule.id: rule for rule in self.terms.rules if rule.enabled}
        stand = self._load(uow, sorted({row["member_id"] for row in rows}))
        for row in rows:
            rule_id = row["trace"].get("rule", {}).get("id") or row["reason"]
            self.was[row["member_id"]] += row["points"]
            self._tell(0, {rule_id: row["points"]})
            points = self._deed(uow, stand, row, by_id.get(rule_id))
            self.would[row["member_id"]] += points
            self._tell(1, {rule_id: points})

    def _deed(
        self, uow: UnitOfWork, stand: standing.Standing, row: dict[str, Any], rule: EarningRule | None
    ) -> int:
        if rule is None:
            return 0
        if self._is_same(uow, row["program_version_id"]):
            return int(row["points"])
        day = date.fromisoformat(row["trace"]["day"]) if "day" in row["trace"] else row["day"]
        points, _ = rules.price_deed(rule, self.terms, day, stand.of(row["member_id"], day))
        stand.note(row["member_id"], day, {rule.id: points})
        return points

    def _tell(self, side: int, given: Mapping[str, int]) -> None:
        for rule_id, points in given.items():
            self.by_rule[rule_id][side] += points

    def result(self, uow: UnitOfWork, worth_minor: int) -> dict[str, Any]:
        """The comparison as JSON values: points before and after, cost, by rule, tier moves, who gains and loses most."""
        changes = {
            member: (self.was[member], self.would[member])
            for member in {*self.was, *self.would}
            if self.was[member] != self.would[member]
        }
        order = sorted(changes, key=lambda one: (changes[one][1] - changes[one][0], str(one)))
        before, after = sum(self.was.values()), sum(self.would.values())
        return {
            "orders": self.seen,
            "members": len({*self.was, *self.would}),
            "before": before,
            "after": after,
            "cost_minor": (after - before) * worth_minor // 1_000,
            "gain": sum(would > was for was, would in changes.values()),
            "lose": sum(would < was for was, would in changes.values()),
            "by_rule": [
                {"rule": rule_id, "before": was, "after": would}
                for rule_id, (was, would) in sorted(self.by_rule.items())
                if was or would
            ],
            "losers": [_line(one, changes[one]) for one in order if changes[one][1] < changes[one][0]][
                :_SHOWN
            ],
            "winners": [
                _line(one, changes[one]) for one in reversed(order) if changes[one][1] > changes[one][0]
            ][:_SHOWN],
            "moves": self._moves(uow, changes),
        }

    def _moves(self, uow: UnitOfWork, changes: Mapping[UUID, tuple[int, int]]) -> list[dict[str, Any]]:
        ladder = [level for one in _LADDERS for level in one(uow)] if self.terms.type == "tiered" else []
        found: dict[tuple[str, str], int] = defaultdict(int)
        for member, account in queries.accounts(uow, list(changes)).items():
            (was, would), qualifying = changes[member], account["qualifying"]
            start, end = _level(ladder, qualifying), _level(ladder, qualifying + would - was)
            if start != end:
                found[(start, end)] += 1
        return [{"from": start, "to": end, "members": count} for (start, end), count in sorted(found.items())]


def _level(ladder: Sequence[tuple[int, str]], qualifying: int) -> str:
    return next((name for threshold, name in reversed(ladder) if qualifying >= threshold), "")


def _line(member: UUID, change: tuple[int, int]) -> dict[str, Any]:
    return {"member_id": str(member), "before": change[0], "after": change[1]}


def _split(before: dict[str, Any] | None) -> dict[str, int]:
    if before is None:
        return {}
    given: dict[str, int] | None = before["last_trace"].get("given")
    return given if given is not None else {"purchase": before["owed"]}

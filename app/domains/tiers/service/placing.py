"""Keeping members where they belong: a few statements for many members, whatever made somebody look."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.points import service as points
from app.domains.shops import service as shops
from app.domains.tiers import queries, rules
from app.domains.tiers.events import TierChanged
from app.domains.tiers.queries.values import held_by, values
from app.domains.tiers.schemas import (
    BASIS_POINTS,
    Held,
    Ladder,
    Level,
    Reason,
    Standing,
    Value,
    Verdict,
    Window,
)
from app.domains.tiers.service import granting


@dataclass(frozen=True)
class Placed:
    """A member's new row on a ladder, beside the one before."""

    member_id: UUID
    ladder: Ladder
    before: Held | None
    verdict: Verdict
    value: Value
    base: int
    ends_at: datetime | None

    @property
    def level(self) -> Level | None:
        """Where the member belongs."""
        return self.ladder.levels[self.verdict.rank] if self.verdict.rank is not None else None

    @property
    def is_move(self) -> bool:
        """Whether the member changed places; a first place at the bottom is no move."""
        tier_id = self.level.id if self.level else None
        if self.before is None:
            return bool(self.verdict.rank)
        return self.before.tier_id != tier_id

    @property
    def is_news(self) -> bool:
        """Whether the row has to be written."""
        held = self.before
        if held is None or self.is_move:
            return True
        return (held.value, held.base, held.grace_until, held.ends_at) != (
            self.value.now,
            self.base,
            self.verdict.grace_until,
            self.ends_at,
        )


def ladder(uow: UnitOfWork) -> list[Level]:
    """The main ladder's tiers, lowest first; empty when the active program has none."""
    return next((list(one.levels) for one in ladders(uow) if one.main), [])


def ladders(uow: UnitOfWork) -> list[Ladder]:
    """The active program's ladders that are on, the main one first."""
    return uow.once("tiers.ladders", lambda: queries.ladders(uow))


def called(uow: UnitOfWork, locale: str) -> dict[str | None, str]:
    """Tiers' names in a language by those the merchant always gave."""
    return {level.name: level.localized(locale) for one in ladders(uow) for level in one.levels}


def options(uow: UnitOfWork, locale: str = "en") -> list[tuple[UUID, str]]:
    """(id, name) of every tier of the active program; those of further ladders say which."""
    return [
        (level.id, level.localized(locale) if one.main else f"{one.name}: {level.localized(locale)}")
        for one in ladders(uow)
        for level in one.levels
    ]


def zone(uow: UnitOfWork) -> ZoneInfo:
    """The zone whose midnights begin the days of ladders: the shop's."""
    return ZoneInfo(shops.get(uow).timezone)


def windows_of(uow: UnitOfWork, one: Ladder, member_ids: Sequence[UUID], at: ZoneInfo) -> dict[UUID, Window]:
    """The window of each member on a ladder; only anniversaries differ between members."""
    if one.period != "anniversary":
        same = rules.window(one.period, one.months, at, None, uow.now)
        return dict.fromkeys(member_ids, same)
    joined = queries.enrolled(uow, member_ids)
    return {
        member: rules.window(one.period, one.months, at, joined.get(member, uow.now), uow.now)
        for member in member_ids
    }


def place_members(
    uow: UnitOfWork, qualifying: Mapping[UUID, int], *, refunded: Collection[UUID] = frozenset()
) -> None:
    """Put members where the points that were just posted lead; `qualifying` are their points of all time."""
    if qualifying:
        review(uow, sorted(qualifying), refunded=refunded, qualifying=qualifying)


def review(
    uow: UnitOfWork,
    member_ids: Sequence[UUID],
    *,
    refunded: Collection[UUID] = frozenset(),
    qualifying: Mapping[UUID, int] | None = None,
    reason: Reason | None = None,
    keep: bool = False,
) -> int:
    """Put members where they belong on every ladder. Returns how many changed places.

    The ledger is told the multiplier of later purchases and the band of points in which nothing changes; TierChanged is
    told for those who moved, and what tiers give on entering is given. `refunded` lost something to a refund; `reason`
    replaces the one that a move would have; `keep` moves nobody who has a place and notes only until when it stands.
    """
    found = [one for one in ladders(uow) if one.levels]
    if not found or not member_ids:
        return 0
    held = queries.held(uow, member_ids)
    points_now = qualifying if qualifying is not None else queries.qualifying(uow, member_ids)
    placed = [
        one
        for each in found
        for one in _judge(uow, each, member_ids, held, points_now, frozenset(refunded), keep=keep)
    ]
    _watch(uow, placed)
    news = [one for one in placed if one.is_news]
    _write(uow, news)
    moved = [one for one in news if one.is_move]
    _tell(uow, moved, refunded, reason)
    return len(moved)


def _judge(
    uow: UnitOfWork,
    one: Ladder,
    member_ids: Sequence[UUID],
    held: Mapping[tuple[UUID, UUID], Held],
    qualifying: Mapping[UUID, int],
    refunded: frozenset[UUID],
    *,
    keep: bool,
) -> list[Placed]:
    at = zone(uow)
    windows = windows_of(uow, one, member_ids, at)
    lifetime = one.period == "lifetime"
    if one.metric == "points" and lifetime:
        found = {member: Value(qualifying.get(member, 0)) for member in member_ids}
    else:
        found = values(uow, one.metric, windows, lifetime=lifetime, months=one.months)
    verdicts = {}
    for member in member_ids:
        before, value = held.get((one.id, member)), found.get(member, Value())
        if keep and before is not None and (rank := one.rank(before.tier_id)) is not None:
            verdicts[member] = Verdict(rank, before.grace_until)
        else:
            verdicts[member] = rules.decide(
                one, windows[member], value, before, uow.now, at, refunded=member in refunded
            )
    lapsing = _lapsing(uow, one, windows, verdicts, found, at)
    placed = []
    for member, verdict in verdicts.items():
        before, value = held.get((one.id, member)), found.get(member, Value())
        base = qualifying.get(member, 0) - value.now if one.metric == "points" else 0
        locked = before.locked_until if before else None
        ends = rules.ends_at(one, windows[member], value, verdict, locked, lapsing.get(member), uow.now)
        placed.append(Placed(member, one, before, verdict, value, base, ends))
    return placed


def _lapsing(
    uow: UnitOfWork,
    one: Ladder,
    windows: Mapping[UUID, Window],
    verdicts: Mapping[UUID, Verdict],
    found: Mapping[UUID, Value],
    at: ZoneInfo,
) -> dict[UUID, datetime]:
    """When what tiers stand on leaves a sliding window."""
    if one.period != "rolling" or one.downgrade == "none":
        return {}
    standing_on = {
        member: one.levels[verdict.rank].threshold
        for member, verdict in verdicts.items()
        if verdict.rank and found.get(member, Value()).now >= one.levels[verdict.rank].threshold
    }
    since = held_by(uow, one.metric, windows, standing_on)
    return {member: rules.lapses(moment, one.months, at) for member, moment in since.items()}


def _watch(uow: UnitOfWork, placed: Iterable[Placed]) -> None:
    places: dict[UUID, list[tuple[Ladder, int | None, int, int]]] = {}
    multipliers: dict[UUID, int] = {}
    for one in placed:
        places.setdefault(one.member_id, []).append((one.ladder, one.verdict.rank, one.value.now, one.base))
        if one.ladder.main:
            multipliers[one.member_id] = one.level.multiplier_bp if one.level else BASIS_POINTS
    points.watch(
        uow,
        {
            member: rules.band(found, multipliers.get(member, BASIS_POINTS))
            for member, found in places.items()
        },
    )


_PLACE = """
INSERT INTO member_tiers (shop_id, member_id, ladder_id, main, tier_id, since, value, base, grace_until, ends_at)
SELECT %(shop)s, v.member, v.ladder, v.main, v.tier, %(now)s, v.value, v.base, v.grace, v.ends
FROM unnest(%(members)s::uuid[], %(ladders)s::uuid[], %(mains)s::boolean[], %(tiers)s::uuid[], %(values)s::bigint[],
  %(bases)s::bigint[], %(graces)s::timestamptz[], %(ends)s::timestamptz[])
  AS v (member, ladder, main, tier, value, base, grace, ends)
ON CONFLICT (shop_id, member_id, ladder_id) DO UPDATE SET
  since = CASE WHEN member_tiers.tier_id IS DISTINCT FROM excluded.tier_id THEN excluded.since ELSE member_tiers.since END,
  tier_id = excluded.tier_id, main = excluded.main, value = excluded.value, base = excluded.base,
  grace_until = excluded.grace_until, ends_at = excluded.ends_at
"""


def _write(uow: UnitOfWork, news: Sequence[Placed]) -> None:
    if not news:
        return
    uow.execute(
        _PLACE,
        {
            "shop": uow.shop,
            "now": uow.now,
            "members": [one.member_id for one in news],
            "ladders": [one.ladder.id for one in news],
            "mains": [one.ladder.main for one in news],
            "tiers": [one.level.id if one.level else None for one in news],
            "values": [one.value.now for one in news],
            "bases": [one.base for one in news],
            "graces": [one.verdict.grace_until for one in news],
            "ends": [one.ends_at for one in news],
        },
    )


def _tell(
    uow: UnitOfWork, moved: Sequence[Placed], refunded: Collection[UUID], reason: Reason | None
) -> None:
    changes = [_event(one, reason or _reason(one, refunded)) for one in moved]
    note_changes(uow, changes, {(one.member_id, one.ladder.id): one.value.now for one in moved})
    granting.entered(uow, [(one.member_id, level) for one in moved for level in _passed(one)])


def _reason(one: Placed, refunded: Collection[UUID]) -> Reason:
    if one.verdict.lapsed:
        return "lapsed"
    if one.before is not None and one.member_id in refunded and _rank(one) > (one.verdict.rank or 0):
        return "refund"
    return "earned"


def _rank(one: Placed) -> int:
    return (one.ladder.rank(one.before.tier_id) or 0) if one.before else 0


def _passed(one: Placed) -> Sequence[Level]:
    """The tiers that a member climbed over and to; whoever rises two at once misses nothing."""
    if one.verdict.rank is None:
        return ()
    had = one.ladder.rank(one.before.tier_id) if one.before else 0
    return one.ladder.levels[(0 if had is None else had + 1) : one.verdict.rank + 1]


def _event(one: Placed, reason: Reason) -> TierChanged:
    levels = one.ladder.levels
    had = 0 if one.before is None else one.ladder.rank(one.before.tier_id)
    now = one.verdict.rank
    return TierChanged(
        one.member_id,
        levels[had].name if had is not None else None,
        one.level.name if one.level else None,
        "up" if (-1 if now is None else now) >= (-1 if had is None else had) else "down",
        one.ladder.id,
        one.level.id if one.level else None,
        reason,
    )


_NOTE = """
INSERT INTO tier_changes (shop_id, id, member_id, ladder_id, tier_id, from_name, to_name, direction, value, reason, note,
  actor_kind, actor_id, created_at)
SELECT %(shop)s, v.*, %(note)s, %(actor_kind)s, %(actor_id)s, %(now)s
FROM unnest(%(ids)s::uuid[], %(members)s::uuid[], %(ladders)s::uuid[], %(tiers)s::uuid[], %(from_names)s::text[],
  %(to_names)s::text[], %(directions)s::text[], %(values)s::bigint[], %(reasons)s::text[]) AS v
"""


def note_changes(
    uow: UnitOfWork,
    changes: Sequence[TierChanged],
    values_of: Mapping[tuple[UUID, UUID], int],
    note: str = "",
) -> list[UUID]:
    """Keep moves in the history and tell them; values are by member and ladder. Gives their ids there."""
    if not changes:
        return []
    change_ids = [ids.new_id() for _ in changes]
    uow.execute(
        _NOTE,
        {
            "shop": uow.shop,
            "now": uow.now,
            "note": note,
            "actor_kind": uow.actor.kind,
            "actor_id": uow.actor.id,
            "ids": change_ids,
            "members": [one.member_id for one in changes],
            "ladders": [one.ladder_id for one in changes],
            "tiers": [one.tier_id for one in changes],
            "from_names": [one.from_name for one in changes],
            "to_names": [one.to_name for one in changes],
            "directions": [one.direction for one in changes],
            "values": [values_of.get((one.member_id, one.ladder_id), 0) for one in changes],
            "reasons": [one.reason for one in changes],
        },
    )
    uow.publish(changes)
    return change_ids


def standing(uow: UnitOfWork, member_id: UUID) -> Standing:
    """Where a member is on the main ladder."""
    found = standings(uow, member_id)
    return found[0] if found else Standing(None, None, 0, None)


def standings(uow: UnitOfWork, member_id: UUID) -> list[Standing]:
    """Where a member is on each ladder, the main one first."""
    found = [one for one in ladders(uow) if one.levels]
    if not found:
        return []
    held = queries.held(uow, [member_id])
    reasons = queries.lock_reasons(uow, member_id)
    qualifying = queries.qualifying(uow, [member_id]).get(member_id, 0)
    at = zone(uow)
    return [
        rules.standing(
            one,
            held.get((one.id, member_id)),
            live_value(one, held.get((one.id, member_id)), qualifying),
            windows_of(uow, one, [member_id], at)[member_id],
            reasons.get(one.id, ""),
        )
        for one in found
    ]


def live_value(one: Ladder, held: Held | None, qualifying: int) -> int:
    """What a member has on a ladder now: points follow the ledger between two looks, the rest is noted when it changes."""
    if one.metric == "points":
        return qualifying - (held.base if held else 0)
    return held.value if held else 0


def risen(uow: UnitOfWork, member_ids: Iterable[UUID], at: datetime) -> dict[UUID, Level]:
    """The tiers of the main ladder that members rose to in the transaction of an instant."""
    found = queries.risen(uow, member_ids, at)
    levels: dict[Any, Level] = {level.id: level for level in ladder(uow)} if found else {}
    return {member: levels[tier] for member, tier in found.items() if tier in levels}

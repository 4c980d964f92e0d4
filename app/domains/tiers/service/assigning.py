"""Moves by hand: a tier that staff give, kept until a last day."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.errors import MemberNotFound
from app.domains.points import service as points
from app.domains.tiers import queries
from app.domains.tiers.errors import LockInThePast, TierNotFound
from app.domains.tiers.events import TierChanged
from app.domains.tiers.schemas import Ladder, Level
from app.domains.tiers.service import granting
from app.domains.tiers.service.placing import ladders, note_changes, review, zone

_SET = """
INSERT INTO member_tiers (shop_id, member_id, ladder_id, main, tier_id, since, locked_until, lock_reason)
SELECT %(shop)s, v.member, v.ladder, v.main, v.tier, %(now)s, %(until)s, %(reason)s
FROM unnest(%(members)s::uuid[], %(ladders)s::uuid[], %(mains)s::boolean[], %(tiers)s::uuid[])
  AS v (member, ladder, main, tier)
ON CONFLICT (shop_id, member_id, ladder_id) DO UPDATE SET
  since = CASE WHEN member_tiers.tier_id IS DISTINCT FROM excluded.tier_id THEN excluded.since ELSE member_tiers.since END,
  tier_id = excluded.tier_id, locked_until = excluded.locked_until, lock_reason = excluded.lock_reason,
  grace_until = NULL
"""


def assign(
    uow: UnitOfWork,
    wanted: Mapping[UUID, UUID],
    *,
    reason: str,
    lock_until: datetime | None = None,
) -> set[UUID]:
    """Put members on tiers by hand, with a few statements for all of them. Returns the ids of those who moved.

    `wanted` names a tier of an active ladder by member. Until `lock_until` the tier cannot be lost; without it the
    ladder decides again at the next review. What the tiers give on entering is given. Raises TierNotFound,
    MemberNotFound, LockInThePast.
    """
    if lock_until is not None and lock_until <= uow.now:
        raise LockInThePast(fields={"locked_until": LockInThePast.default_message})
    places = {level.id: (one, level) for one in ladders(uow) for level in one.levels}
    if any(tier not in places for tier in wanted.values()):
        raise TierNotFound()
    known = members.by_ids(uow, wanted)
    if any(member not in known or known[member].status in ("merged", "erased") for member in wanted):
        raise MemberNotFound()
    review(uow, sorted(wanted))
    held = queries.held(uow, wanted)
    moves: list[tuple[UUID, Ladder, Level, int | None]] = []
    for member, tier in sorted(wanted.items()):
        one, level = places[tier]
        before = held.get((one.id, member))
        moves.append((member, one, level, one.rank(before.tier_id) if before else None))
    _set(uow, moves, lock_until, reason)
    moved = [move for move in moves if move[1].rank(move[2].id) != move[3]]
    changes = [_event(*move) for move in moved]
    values = {key: one.value for key, one in held.items()}
    noted = note_changes(
        uow, changes, {(member, one): value for (one, member), value in values.items()}, reason
    )
    change_of = {member: change_id for (member, *_), change_id in zip(moved, noted, strict=True)}
    granting.entered(
        uow, [(member, level) for member, one, to, had in moved for level in _climbed(one, to, had)]
    )
    for member, one, level, had in moves:
        compliance.record(
            uow,
            "tier.assigned",
            ("member", str(member)),
            {"tier": one.levels[had].name if had is not None else None},
            {
                "tier": level.name,
                "reason": reason,
                "locked_until": lock_until.isoformat() if lock_until else None,
            }
            | ({"change_id": str(change_of[member])} if member in change_of else {}),
        )
    points.open_accounts(uow, wanted)
    review(uow, sorted(wanted), keep=True)
    return {member for member, *_ in moved}


def held_beside(
    uow: UnitOfWork, tier_id: UUID, member_ids: Collection[UUID]
) -> dict[UUID, tuple[UUID | None, datetime | None]]:
    """The tier of members on the ladder of a tier, and until when it is locked. Raises TierNotFound."""
    place = next((one for one in ladders(uow) if any(level.id == tier_id for level in one.levels)), None)
    if place is None:
        raise TierNotFound()
    return {
        member: (one.tier_id, one.locked_until)
        for (ladder_id, member), one in queries.held(uow, member_ids).items()
        if ladder_id == place.id
    }


def end_of_day(uow: UnitOfWork, day: date) -> datetime:
    """The first instant after a day of the shop, until which a lock with that last day holds."""
    return datetime.combine(day + timedelta(days=1), time.min, zone(uow)).astimezone(UTC)


def release(uow: UnitOfWork, member_id: UUID, ladder_id: UUID) -> None:
    """End a lock before its day; the ladder decides again at once."""
    ended = uow.execute(
        "UPDATE member_tiers SET locked_until = NULL, lock_reason = '' WHERE shop_id = %(shop)s"
        " AND member_id = %(member)s AND ladder_id = %(ladder)s AND locked_until IS NOT NULL",
        {"shop": uow.shop, "member": member_id, "ladder": ladder_id},
    )
    if ended.rowcount:
        compliance.record(uow, "tier.released", ("member", str(member_id)), None, None)
        review(uow, [member_id])


def _set(
    uow: UnitOfWork,
    moves: list[tuple[UUID, Ladder, Level, int | None]],
    lock_until: datetime | None,
    reason: str,
) -> None:
    uow.execute(
        _SET,
        {
            "shop": uow.shop,
            "now": uow.now,
            "until": lock_until,
            "reason": reason,
            "members": [member for member, *_ in moves],
            "ladders": [one.id for _, one, *_ in moves],
            "mains": [one.main for _, one, *_ in moves],
            "tiers": [level.id for _, _, level, _ in moves],
        },
    )


def _event(member: UUID, one: Ladder, level: Level, had: int | None) -> TierChanged:
    rank = one.rank(level.id) or 0
    return TierChanged(
        member,
        one.levels[had].name if had is not None else None,
        level.name,
        "up" if rank >= (-1 if had is None else had) else "down",
        one.id,
        level.id,
        "by_hand",
    )


def _climbed(one: Ladder, to: Level, had: int | None) -> tuple[Level, ...]:
    return one.levels[(0 if had is None else had) + 1 : (one.rank(to.id) or 0) + 1]

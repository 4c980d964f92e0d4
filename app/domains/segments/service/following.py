"""Segments follow what happens: facts of the members concerned are summed anew, and their segments evaluated, in sets.

Nothing is written on the way of an order. A job asks the ledger and the other tables who changed since it last looked.
"""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core import rfm
from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.segments import queries
from app.domains.segments.queries import conditions, facts
from app.domains.segments.schemas import Moment, Rules, Segment
from app.domains.shops import service as shops

SLICE = 5_000
# A transaction that began before we looked may commit afterwards with the time of its beginning.
_OVERLAP = timedelta(seconds=60)
# A shop of this size is counted while the person waits, a larger one by a job.
_AT_ONCE = 2_000

# One statement moves a segment to what its conditions say about the members of a slice, or about all.
_EVALUATE = """
WITH found AS (SELECT f.member_id FROM {base} AND {condition} {among}),
  gone AS (DELETE FROM segment_members s WHERE s.shop_id = %(shop)s AND s.segment_id = %(segment)s {those}
    AND NOT EXISTS (SELECT 1 FROM found WHERE found.member_id = s.member_id) RETURNING 1),
  come AS (INSERT INTO segment_members (shop_id, segment_id, member_id, since)
    SELECT %(shop)s, %(segment)s, member_id, %(now)s FROM found ON CONFLICT DO NOTHING RETURNING 1)
UPDATE segments SET counted_at = CASE WHEN %(all)s THEN %(now)s ELSE counted_at END,
  size = greatest(size - (SELECT count(*) FROM gone) + (SELECT count(*) FROM come), 0)
WHERE shop_id = %(shop)s AND id = %(segment)s
"""


def moment(uow: UnitOfWork) -> Moment:
    """When conditions are asked: now, with the month of the shop's zone and the scores of its buyers."""
    month = uow.now.astimezone(ZoneInfo(shops.get(uow).timezone)).month
    return Moment(uow.now, month, rfm.fifths(facts.progress(uow)))


def birthdays(uow: UnitOfWork, rules: Rules, at: Moment) -> dict[int, list[bytes]]:
    """The blind indexes of the days in the months that conditions ask for."""
    return {month: members.birthday_indexes(uow, month) for month in conditions.birthdays_of(rules, at)}


def ready(uow: UnitOfWork) -> bool:
    """Whether the facts are there. A small shop's are made or brought up to date at once, a large one's by a job."""
    known = facts.progress(uow)
    if known["built_at"] is None:
        if facts.is_large(uow, _AT_ONCE):
            uow.enqueue("segments.build")
            return False
        build(uow)
    else:
        catch_up(uow)
    return True


def count_soon(uow: UnitOfWork, segment_id: UUID) -> None:
    """Look for a segment's members: at once in a small shop, else by a job."""
    found = queries.get(uow, segment_id)
    if found is None or found.kind == "manual":
        return
    if facts.progress(uow)["built_at"] is None or facts.is_large(uow, _AT_ONCE):
        uow.enqueue("segments.count", segment_id=str(segment_id))
    else:
        count(uow, found)


def count(uow: UnitOfWork, segment: Segment) -> None:
    """Look for all members of one segment."""
    evaluate(uow, [segment], None)
    note_sizes(uow)


def evaluate(uow: UnitOfWork, segments: list[Segment], member_ids: list[UUID] | None) -> None:
    """Bring segments with conditions up to the facts: for these members, or for all when None."""
    at = moment(uow)
    for segment in segments:
        condition, values = conditions.compiled(segment.rules, at, birthdays(uow, segment.rules, at))
        some = member_ids is not None
        uow.execute(
            _EVALUATE.format(
                base=conditions.BASE,
                condition=condition,
                among="AND f.member_id = ANY(%(ids)s)" if some else "",
                those="AND s.member_id = ANY(%(ids)s)" if some else "",
            ),
            values
            | {
                "shop": uow.shop,
                "segment": segment.id,
                "now": uow.now,
                "ids": member_ids or [],
                "all": not some,
            },
        )


def build(uow: UnitOfWork) -> bool:
    """Sum up the facts of the next slice of members; after the last one every segment is evaluated.

    Returns whether there is more to do. Whoever comes while another one does it has nothing to do.
    """
    known = facts.lock_progress(uow)
    if known is None:
        return False
    first = known["after_id"] is None
    found = facts.slice_of_members(uow, known["after_id"], SLICE)
    if found:
        facts.refresh(uow, found)
    if len(found) == SLICE:
        # What happens while the slices are made is caught up with afterwards, from their beginning on.
        _save(uow, "after_id = %(after)s" + (", seen_until = %(now)s" if first else ""), after=found[-1])
        return True
    seen = ", seen_until = %(now)s" if first else ""
    found_fifths = facts.fifths(uow)
    _save(
        uow,
        "after_id = NULL, built_at = %(now)s, recency = %(recency)s, frequency = %(frequency)s, money = %(money)s"
        + seen,
        recency=list(found_fifths.recency),
        frequency=list(found_fifths.frequency),
        money=list(found_fifths.money),
    )
    by_rules = queries.every(uow, kind="rules")
    evaluate(uow, by_rules, None)
    _drop_nobodies(uow)
    recount(uow, {one.id for one in queries.options(uow)})
    note_sizes(uow)
    return False


def _save(uow: UnitOfWork, assignments: str, **values: object) -> None:
    uow.execute(
        f"UPDATE segment_progress SET {assignments} WHERE shop_id = %(shop)s",
        {"shop": uow.shop, "now": uow.now, **values},
    )


def _drop_nobodies(uow: UnitOfWork, member_ids: list[UUID] | None = None) -> None:
    """Merged and erased members stand in no segment, also in none by hand."""
    rows = uow.all(
        "DELETE FROM segment_members s USING members m WHERE s.shop_id = %(shop)s"
        " AND m.shop_id = s.shop_id AND m.id = s.member_id AND m.status IN ('merged', 'erased')"
        + (" AND s.member_id = ANY(%(ids)s)" if member_ids is not None else "")
        + " RETURNING s.segment_id",
        {"shop": uow.shop, "ids": member_ids},
    )
    if rows:
        recount(uow, {row["segment_id"] for row in rows})


def recount(uow: UnitOfWork, segment_ids: set[UUID]) -> None:
    """Write how many members segments have now."""
    uow.execute(
        "UPDATE segments g SET size = (SELECT count(*) FROM segment_members s"
        " WHERE s.shop_id = g.shop_id AND s.segment_id = g.id)"
        " WHERE g.shop_id = %(shop)s AND g.id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": sorted(segment_ids)},
    )


def changed(uow: UnitOfWork) -> list[UUID] | None:
    """Members about whom something happened since the last time, by id.

    None when the facts are not built yet or somebody else follows at this moment.
    """
    known = facts.lock_progress(uow)
    if known is None or known["built_at"] is None:
        return None
    return facts.changed_since(uow, known["seen_until"] - _OVERLAP)


def follow(uow: UnitOfWork, member_ids: list[UUID]) -> bool:
    """Sum up these members anew and let their segments follow. False when somebody else does it at this moment."""
    if facts.lock_progress(uow) is None:
        return False
    # Deleted before the facts are read: whoever marks one of them meanwhile waits, or is seen.
    uow.execute(
        "DELETE FROM segment_stale WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": member_ids},
    )
    facts.refresh(uow, member_ids)
    evaluate(uow, queries.every(uow, kind="rules"), member_ids)
    _drop_nobodies(uow, member_ids)
    return True


def followed(uow: UnitOfWork, until: datetime) -> None:
    """Remember that everything up to an instant was followed."""
    _save(uow, "seen_until = greatest(seen_until, %(until)s)", until=until)


def catch_up(uow: UnitOfWork, most: int = _AT_ONCE) -> bool:
    """Follow what happened since the last time, in this transaction. False when it is too much, or somebody else's."""
    found = changed(uow)
    if found is None or len(found) > most:
        return False
    if found:
        follow(uow, found)
    followed(uow, uow.now)
    return True


def note_sizes(uow: UnitOfWork) -> None:
    """Keep how many members each segment has today."""
    uow.execute(
        "INSERT INTO segment_sizes (shop_id, segment_id, day, members)"
        " SELECT shop_id, id, %(day)s, size FROM segments WHERE shop_id = %(shop)s AND counted_at IS NOT NULL"
        " ON CONFLICT (shop_id, segment_id, day) DO UPDATE SET members = excluded.members",
        {"shop": uow.shop, "day": uow.now.astimezone(ZoneInfo(shops.get(uow).timezone)).date()},
    )


def follow_merge(uow: UnitOfWork, kept_id: UUID, removed_id: UUID) -> None:
    """Two members are one: what staff put one into, the other is in now."""
    uow.execute(
        "INSERT INTO segment_members (shop_id, segment_id, member_id, since)"
        " SELECT s.shop_id, s.segment_id, %(kept)s, s.since FROM segment_members s"
        " JOIN segments g ON g.shop_id = s.shop_id AND g.id = s.segment_id AND g.kind = 'manual'"
        " WHERE s.shop_id = %(shop)s AND s.member_id = %(removed)s ON CONFLICT DO NOTHING",
        {"shop": uow.shop, "kept": kept_id, "removed": removed_id},
    )
    _drop_nobodies(uow, [removed_id])
    recount(uow, set(queries.of_members(uow, [kept_id]).get(kept_id, [])))


def forget(uow: UnitOfWork, member_id: UUID) -> None:
    """Drop what conditions knew of a member and whoever was merged into them, and take them out of every segment."""
    family = members.family(uow, member_id)
    found = {one for segments in queries.of_members(uow, family).values() for one in segments}
    for table in ("segment_members", "segment_facts", "segment_stale"):
        uow.execute(
            f"DELETE FROM {table} WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s)",
            {"shop": uow.shop, "ids": family},
        )
    if found:
        recount(uow, found)


def mark_stale(uow: UnitOfWork, member_ids: set[UUID]) -> None:
    """Remember members about whom something happened that no row with a time tells."""
    uow.execute(
        "INSERT INTO segment_stale (shop_id, member_id) SELECT %(shop)s, v FROM unnest(%(ids)s::uuid[]) AS v"
        " ON CONFLICT (shop_id, member_id) DO UPDATE SET member_id = excluded.member_id",
        {"shop": uow.shop, "ids": sorted(member_ids)},
    )

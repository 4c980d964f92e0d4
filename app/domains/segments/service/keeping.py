"""Making, changing and deleting segments, and trying conditions before they are saved."""

from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.segments import queries, rules
from app.domains.segments.errors import (
    ConditionRefused,
    SegmentInUse,
    SegmentNameTaken,
    SegmentNotFound,
    SegmentNotManual,
    StaleSegment,
    TooManySegments,
)
from app.domains.segments.schemas import (
    MOST_SEGMENTS,
    Kind,
    Option,
    Preview,
    Rules,
    Segment,
    SegmentIn,
    SegmentUpdate,
    Use,
)
from app.domains.segments.service import following

_SAMPLE = 5


def get(uow: UnitOfWork, segment_id: UUID) -> Segment:
    """One segment. Raises SegmentNotFound."""
    found = queries.get(uow, segment_id)
    if found is None:
        raise SegmentNotFound()
    return found


def options(uow: UnitOfWork) -> list[Option]:
    """The shop's segments by name, to choose from."""
    return queries.options(uow)


def member_ids(uow: UnitOfWork, segment_id: UUID, after: UUID | None, limit: int) -> list[UUID]:
    """At most `limit` members of a segment after an id, by id; fewer than `limit` when these are the last."""
    return queries.member_ids(uow, segment_id, after, limit)


def uses(uow: UnitOfWork, segment_id: UUID) -> list[Use]:
    """Where a segment is named and still acts."""
    return queries.uses(uow, segment_id)


def create(uow: UnitOfWork, wanted: SegmentIn, copy_of: UUID | None = None) -> Segment:
    """Make a segment and look for its members; one by hand gets those of another that it is a copy of.

    Raises SegmentNameTaken, ConditionRefused, TooManySegments.
    """
    if len(queries.options(uow)) >= MOST_SEGMENTS:
        raise TooManySegments(limit=MOST_SEGMENTS)
    _check(uow, wanted.name, wanted.kind, wanted.rules, None)
    segment_id = ids.new_id()
    uow.execute(
        "INSERT INTO segments (shop_id, id, name, description, kind, rules, counted_at, created_at, updated_at)"
        " VALUES (%(shop)s, %(id)s, %(name)s, %(description)s, %(kind)s, %(rules)s,"
        " CASE WHEN %(kind)s = 'manual' THEN %(now)s END, %(now)s, %(now)s)",
        {
            "shop": uow.shop,
            "id": segment_id,
            "name": wanted.name.strip(),
            "description": wanted.description,
            "kind": wanted.kind,
            "rules": Jsonb(_stored(wanted.kind, wanted.rules)),
            "now": uow.now,
        },
    )
    compliance.record(
        uow, "segment.created", ("segment", str(segment_id)), None, snapshot(get(uow, segment_id))
    )
    if copy_of is not None and wanted.kind == "manual":
        uow.execute(
            "INSERT INTO segment_members (shop_id, segment_id, member_id, since)"
            " SELECT shop_id, %(id)s, member_id, %(now)s FROM segment_members"
            " WHERE shop_id = %(shop)s AND segment_id = %(source)s",
            {"shop": uow.shop, "id": segment_id, "source": copy_of, "now": uow.now},
        )
        following.recount(uow, {segment_id})
    following.count_soon(uow, segment_id)
    return get(uow, segment_id)


def update(uow: UnitOfWork, segment_id: UUID, changes: SegmentUpdate) -> Segment:
    """Change a segment and, when its conditions changed, look for its members anew.

    Raises SegmentNotFound, StaleSegment, SegmentNameTaken, ConditionRefused, SegmentNotManual for conditions of a
    segment by hand.
    """
    before = queries.get(uow, segment_id, for_update=True)
    if before is None:
        raise SegmentNotFound()
    if before.version != changes.version:
        raise StaleSegment(current=before.version)
    if changes.rules is not None and before.kind == "manual":
        raise SegmentNotManual()
    name = before.name if changes.name is None else changes.name.strip()
    description = before.description if changes.description is None else changes.description
    asked = before.rules if changes.rules is None else changes.rules
    _check(uow, name, before.kind, asked, segment_id)
    anew = asked != before.rules
    if not anew and (name, description) == (before.name, before.description):
        return before
    uow.execute(
        "UPDATE segments SET name = %(name)s, description = %(description)s, rules = %(rules)s,"
        " counted_at = CASE WHEN %(anew)s THEN NULL ELSE counted_at END, version = version + 1, updated_at = %(now)s"
        " WHERE shop_id = %(shop)s AND id = %(id)s",
        {
            "shop": uow.shop,
            "id": segment_id,
            "name": name,
            "description": description,
            "rules": Jsonb(_stored(before.kind, asked)),
            "anew": anew,
            "now": uow.now,
        },
    )
    after = get(uow, segment_id)
    compliance.record(uow, "segment.updated", ("segment", str(segment_id)), snapshot(before), snapshot(after))
    if anew:
        following.count_soon(uow, segment_id)
    return get(uow, segment_id)


def remove(uow: UnitOfWork, segment_id: UUID) -> None:
    """Delete a segment that nothing names. Raises SegmentNotFound, SegmentInUse."""
    found = queries.get(uow, segment_id, for_update=True)
    if found is None:
        raise SegmentNotFound()
    places = queries.uses(uow, segment_id)
    if places:
        raise SegmentInUse(name=found.name, places=[one.name for one in places])
    uow.execute(
        "DELETE FROM segments WHERE shop_id = %(shop)s AND id = %(id)s", {"shop": uow.shop, "id": segment_id}
    )
    compliance.record(uow, "segment.removed", ("segment", str(segment_id)), snapshot(found), None)


def preview(uow: UnitOfWork, wanted: Rules) -> Preview:
    """How many members conditions lead to now, and the newest few. Raises ConditionRefused."""
    _check_rules(wanted)
    moment = following.moment(uow)
    return queries.preview(uow, wanted, moment, following.birthdays(uow, wanted, moment), _SAMPLE)


def snapshot(segment: Segment) -> dict[str, Any]:
    """A segment's settings as JSON values."""
    return {
        "name": segment.name,
        "description": segment.description,
        "kind": segment.kind,
        "rules": segment.rules.model_dump(mode="json"),
    }


def _check(uow: UnitOfWork, name: str, kind: Kind, wanted: Rules, segment_id: UUID | None) -> None:
    if kind == "rules":
        _check_rules(wanted)
    if queries.name_taken(uow, name.strip(), segment_id):
        raise SegmentNameTaken(name=name.strip())


def _check_rules(wanted: Rules) -> None:
    """Refuse what cannot be asked; each field is named by its place in the conditions."""
    wrong = rules.problems(wanted)
    if not wrong:
        return
    fields = {".".join(part for part in (place, one.part) if part): one.sentence for place, one in wrong}
    data: dict[str, Any] = {name: value for _, one in wrong for name, value in one.data.items()}
    raise ConditionRefused(fields=fields, **data)


def _stored(kind: Kind, wanted: Rules) -> dict[str, Any]:
    return wanted.model_dump(mode="json") if kind == "rules" else {}

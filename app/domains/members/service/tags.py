"""The tags that staff put on members."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.members import queries
from app.domains.members.queries import references as reading
from app.domains.members.schemas import Merge

_FOLLOWED = "member_tags"
_TAG = """
INSERT INTO member_tags (shop_id, member_id, tag, created_at)
SELECT %(shop)s, v.member, v.tag, %(now)s FROM unnest(%(members)s::uuid[], %(tags)s::text[]) AS v (member, tag)
ON CONFLICT DO NOTHING RETURNING member_id, tag
"""
_UNTAG = """
DELETE FROM member_tags t USING unnest(%(members)s::uuid[], %(tags)s::text[]) AS v (member, tag)
WHERE t.shop_id = %(shop)s AND t.member_id = v.member AND t.tag = v.tag RETURNING t.member_id, t.tag
"""


def tag(uow: UnitOfWork, wanted: Mapping[UUID, Sequence[str]]) -> dict[UUID, list[str]]:
    """Put tags on members. Returns by member those that were not there before."""
    return _changed(uow, _TAG, wanted)


def untag(uow: UnitOfWork, wanted: Mapping[UUID, Sequence[str]]) -> dict[UUID, list[str]]:
    """Take tags off members. Returns by member those that were there."""
    return _changed(uow, _UNTAG, wanted)


def set_tags(uow: UnitOfWork, member_id: UUID, tags: Sequence[str]) -> None:
    """Let a member have exactly these tags; what came and what went is noted."""
    before = set(tags_of(uow, [member_id]).get(member_id, []))
    came = tag(uow, {member_id: sorted(set(tags) - before)}) if set(tags) - before else {}
    went = untag(uow, {member_id: sorted(before - set(tags))}) if before - set(tags) else {}
    for action, changed in (("member.tagged", came), ("member.untagged", went)):
        for one in changed.values():
            compliance.record(uow, action, ("member", str(member_id)), None, {"tags": sorted(one)})


def tags_of(uow: UnitOfWork, member_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """The tags of members, in order; members without any are left out."""
    return reading.tags_of(uow, member_ids)


def _changed(uow: UnitOfWork, statement: str, wanted: Mapping[UUID, Sequence[str]]) -> dict[UUID, list[str]]:
    pairs = sorted((member, one) for member, tags in wanted.items() for one in tags)
    rows = uow.all(
        statement,
        {
            "shop": uow.shop,
            "now": uow.now,
            "members": [member for member, _ in pairs],
            "tags": [one for _, one in pairs],
        },
    )
    found: dict[UUID, list[str]] = {}
    for row in rows:
        found.setdefault(row["member_id"], []).append(row["tag"])
    # Whoever follows members by when they changed, as segments do, sees it.
    uow.execute(
        "UPDATE members SET updated_at = %(now)s WHERE shop_id = %(shop)s AND id = ANY(%(ids)s)",
        {"shop": uow.shop, "now": uow.now, "ids": sorted(found)},
    )
    return found


def give(uow: UnitOfWork, merge_id: UUID, kept: UUID, removed: UUID) -> None:
    """In a merge: the kept member has the tags of both; the merge remembers which of them were new there."""
    theirs = tags_of(uow, [removed]).get(removed, [])
    new = tag(uow, {kept: theirs}).get(kept, []) if theirs else []
    if new:
        _note(uow, merge_id, new)


def take(uow: UnitOfWork, merge: Merge) -> None:
    """After two parted: tags that came with the one go, but those that others brought too stay until these part."""
    came = set(merge.followed.get(_FOLLOWED, []))
    for other in queries.standing_merges(uow, [merge.kept_id]).get(merge.kept_id, []) if came else []:
        theirs = set(tags_of(uow, [other.removed_id]).get(other.removed_id, []))
        if other.kept_id == merge.kept_id and came & theirs:
            _note(uow, other.id, sorted((came & theirs).union(other.followed.get(_FOLLOWED, []))))
            came -= theirs
    if came:
        untag(uow, {merge.kept_id: sorted(came)})


def _note(uow: UnitOfWork, merge_id: UUID, tags: Sequence[str]) -> None:
    uow.execute(
        "UPDATE member_merges SET followed = followed || %(tags)s WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": merge_id, "tags": Jsonb({_FOLLOWED: list(tags)})},
    )

"""Two members become one, and part again. Members say who is who; each domain above moves what it holds."""

from collections.abc import Callable, Iterable
from typing import Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.members import queries
from app.domains.members.errors import MemberNotFound, MergeNotFound, MergeRefused
from app.domains.members.events import MembersMerged, MembersParted
from app.domains.members.schemas import Member, Merge, MergeFact, Person
from app.domains.members.service import people, tags

Origin = Literal["shopify", "staff", "claim"]
Facts = Callable[[UnitOfWork, UUID, UUID], list[MergeFact]]

_FACTS: dict[str, Facts] = {}
# Rows that act for a member in the future and therefore follow the merge; what is only history stays where it was
# written and is read over the family.
_FOLLOWING: dict[str, str] = {}

_NOTE = """
INSERT INTO member_merges (shop_id, id, kept_id, removed_id, origin, removed_status, kept_status, created_at)
VALUES (%(shop)s, %(id)s, %(kept)s, %(removed)s, %(origin)s, %(removed_status)s, %(kept_status)s, %(now)s)
"""


def register_merge_facts(name: str, facts: Facts) -> None:
    """Say what a merge would do to a domain's part: `facts(uow, kept_id, removed_id)`, shown before it is confirmed."""
    _FACTS[name] = facts


def follow_merges(table: str, column: str = "member_id") -> None:
    """Let a domain's rows (key `id`) go to the kept member in a merge, and back when the members part."""
    _FOLLOWING[table] = column


def merge(uow: UnitOfWork, kept_id: UUID, removed_id: UUID, *, origin: Origin = "staff") -> UUID | None:
    """Let one member take over from another. Returns the merge's id; None when they are one member already.

    A blocked person stays blocked. Raises MemberNotFound, MergeRefused.
    """
    found = queries.lock(uow, [kept_id, removed_id])
    kept, removed = found.get(kept_id), found.get(removed_id)
    if kept is None or removed is None:
        raise MemberNotFound()
    if removed.status == "merged" and removed.merged_into == kept.id:
        return None
    if kept.id == removed.id or not (_stands(kept) and _stands(removed)):
        raise MergeRefused()
    merge_id = ids.new_id()
    uow.execute(
        _NOTE,
        {
            "shop": uow.shop,
            "id": merge_id,
            "kept": kept.id,
            "removed": removed.id,
            "origin": origin,
            "removed_status": removed.status,
            "kept_status": kept.status,
            "now": uow.now,
        },
    )
    blocked = "blocked" in (kept.status, removed.status)
    _set(uow, [kept.id], status="blocked" if blocked else kept.status, merged_into=None)
    earlier = [one.id for one in queries.merged_into(uow, removed.id)]
    _set(uow, [removed.id, *earlier], status="merged", merged_into=kept.id)
    _follow(uow, merge_id, kept.id, removed.id)
    tags.give(uow, merge_id, kept.id, removed.id)
    uow.publish([MembersMerged(merge_id, kept.id, removed.id)])
    for subject, other in ((removed, kept), (kept, removed)):
        compliance.record(
            uow,
            "member.merged",
            ("member", str(subject.id)),
            {"status": subject.status},
            {"with": str(other.id), "kept": str(kept.id), "merge_id": str(merge_id), "origin": origin},
        )
    return merge_id


def _stands(member: Member) -> bool:
    return member.status in ("active", "blocked", "guest")


def _set(uow: UnitOfWork, member_ids: Iterable[UUID], *, status: str, merged_into: UUID | None) -> None:
    uow.execute(
        "UPDATE members SET status = %(status)s, merged_into = %(into)s, updated_at = %(now)s"
        " WHERE shop_id = %(shop)s AND id = ANY(%(ids)s)",
        {
            "shop": uow.shop,
            "ids": list(member_ids),
            "status": status,
            "into": merged_into,
            "now": uow.now,
        },
    )
    uow.forget(people.STATUSES)


def _follow(uow: UnitOfWork, merge_id: UUID, kept: UUID, removed: UUID) -> None:
    moved: dict[str, list[str]] = {}
    for table, column in sorted(_FOLLOWING.items()):
        rows = uow.all(
            f"UPDATE {table} SET {column} = %(kept)s WHERE shop_id = %(shop)s AND {column} = %(removed)s RETURNING id",
            {"shop": uow.shop, "kept": kept, "removed": removed},
        )
        moved[table] = [str(row["id"]) for row in rows]
    uow.execute(
        "UPDATE member_merges SET followed = %(moved)s WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": merge_id, "moved": Jsonb(moved)},
    )


def merge_customers(uow: UnitOfWork, kept_customer: int, removed_customer: int) -> bool:
    """The shop merged two customers. False when there is nothing to do, also when it was done before.

    A removed customer whom we meet only later is already known to be the kept one then.
    """
    if kept_customer == removed_customer:
        return False
    removed, kept = (people.by_customer(uow, one) for one in (removed_customer, kept_customer))
    if removed is None and kept is None:
        return False
    if kept is None:
        kept = people.enroll(uow, [Person(kept_customer)])[kept_customer]
    if removed is None:
        return people.remember_merged_customer(uow, removed_customer, kept.id)
    if kept.id == removed.id:
        return False
    return merge(uow, kept.id, removed.id, origin="shopify") is not None


def unmerge(uow: UnitOfWork, merge_id: UUID) -> Merge:
    """Let two members part again, as far as points are unspent; exact when nothing happened in between.

    Raises MergeNotFound, MergeRefused when one of them was merged on since.
    """
    found = queries.merge(uow, merge_id, for_update=True)
    if found is None:
        raise MergeNotFound()
    if found.undone_at is not None:
        return found
    both = queries.lock(uow, [found.kept_id, found.removed_id])
    kept, removed = both[found.kept_id], both[found.removed_id]
    if kept.status not in ("active", "blocked", "guest") or removed.status != "merged":
        raise MergeRefused()
    uow.execute(
        "UPDATE member_merges SET undone_at = %(now)s WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": merge_id, "now": uow.now},
    )
    if kept.status == "blocked" and found.removed_status == "blocked" != found.kept_status:
        _set(uow, [kept.id], status=found.kept_status, merged_into=None)
    _set(uow, [removed.id], status=found.removed_status, merged_into=None)
    _set(uow, queries.merged_through(uow, removed.id), status="merged", merged_into=removed.id)
    for table, column in sorted(_FOLLOWING.items()):
        uow.execute(
            f"UPDATE {table} SET {column} = %(removed)s"
            f" WHERE shop_id = %(shop)s AND {column} = %(kept)s AND id = ANY(%(ids)s::uuid[])",
            {
                "shop": uow.shop,
                "kept": kept.id,
                "removed": removed.id,
                "ids": found.followed.get(table, []),
            },
        )
    tags.take(uow, found)
    uow.publish([MembersParted(merge_id, kept.id, removed.id)])
    for subject in (removed, kept):
        compliance.record(
            uow,
            "member.unmerged",
            ("member", str(subject.id)),
            {"merge_id": str(merge_id)},
            {"kept": str(kept.id), "parted": str(removed.id), "merge_id": str(merge_id)},
        )
    return found


def merge_preview(uow: UnitOfWork, kept_id: UUID, removed_id: UUID) -> list[MergeFact]:
    """What a merge would do, line by line, as the domains say; nothing is changed. Raises MemberNotFound, MergeRefused."""
    found = queries.by_ids(uow, [kept_id, removed_id])
    if len(found) < 2:
        raise MemberNotFound() if kept_id != removed_id else MergeRefused()
    if not all(_stands(member) for member in found.values()):
        raise MergeRefused()
    return [fact for _, facts in sorted(_FACTS.items()) for fact in facts(uow, kept_id, removed_id)]


def merges_of(uow: UnitOfWork, member_id: UUID) -> list[Merge]:
    """The merges that made this member, newest first."""
    return queries.merges(uow, member_id)


def family(uow: UnitOfWork, member_id: UUID) -> list[UUID]:
    """The member and everybody who was merged into them: whose history is theirs."""
    return [member_id, *(one.id for one in queries.merged_into(uow, member_id))]


def merged_into(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Who was merged into each of these members; those without are left out."""
    return queries.merged_into_each(uow, member_ids)


def standing_merges(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, list[Merge]]:
    """The merges that made each of these members what they are; those without are left out."""
    return queries.standing_merges(uow, member_ids)


def sides(uow: UnitOfWork, kept_id: UUID, removed_id: UUID) -> tuple[list[UUID], list[UUID]]:
    """Whose history stands on either side of a merge, before or after it was made."""
    removed = [removed_id, *queries.merged_through(uow, removed_id)]
    return [one for one in family(uow, kept_id) if one not in removed], removed


def merge_path(uow: UnitOfWork, member_id: UUID) -> list[Merge]:
    """The standing merges from a member to the one who was kept in the end, in their order; empty for a member."""
    path: list[Merge] = []
    while (step := queries.standing_merge(uow, path[-1].kept_id if path else member_id)) is not None:
        path.append(step)
    return path

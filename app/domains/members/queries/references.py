"""Members by what a file or a caller names them by, many at once."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.db import UnitOfWork
from app.domains.members.schemas import Member, MembersFilter

_COLUMNS = "m.id, m.customer_id, m.status, m.locale, m.enrolled_at, m.merged_into"


def by_emails(uow: UnitOfWork, emails: Sequence[str]) -> dict[str, list[Member]]:
    """Members by e-mail as it was written; several may share one, and those who were erased or merged away have none."""
    indexes = [uow.blind_index(email, "members.email") for email in emails]
    rows = uow.all(
        f"SELECT m.email_index, {_COLUMNS} FROM members m WHERE m.shop_id = %(shop)s"
        " AND m.email_index = ANY(%(indexes)s) AND m.status <> 'merged' ORDER BY m.enrolled_at, m.id",
        {"shop": uow.shop, "indexes": indexes},
    )
    found: dict[bytes, list[Member]] = {}
    for row in rows:
        found.setdefault(bytes(row.pop("email_index")), []).append(Member(**row))
    return {email: found[index] for email, index in zip(emails, indexes, strict=True) if index in found}


def inactive(uow: UnitOfWork, member_ids: Sequence[UUID]) -> list[UUID]:
    """Of these members those who are not active."""
    rows = uow.all(
        "SELECT id FROM members WHERE shop_id = %(shop)s AND id = ANY(%(ids)s) AND status <> 'active'",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return [row["id"] for row in rows]


def enrolled(uow: UnitOfWork, member_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these members whom the shop enrolled by e-mail."""
    rows = uow.all(
        "SELECT id FROM members WHERE shop_id = %(shop)s AND id = ANY(%(ids)s) AND source = 'enrolled'",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["id"] for row in rows}


def unasked(uow: UnitOfWork, after: UUID | None, limit: int) -> dict[UUID, str]:
    """Guests whom the shop enrolled and about whom Shopify was not asked yet: e-mails by id, in order, behind an id."""
    rows = uow.all(
        "SELECT id, email_sealed FROM members WHERE shop_id = %(shop)s AND status = 'guest' AND source = 'enrolled'"
        " AND looked_up_at IS NULL AND email_index IS NOT NULL AND (%(after)s::uuid IS NULL OR id > %(after)s)"
        " ORDER BY id LIMIT %(limit)s",
        {"shop": uow.shop, "after": after, "limit": limit},
    )
    emails = {row["id"]: uow.unseal(row["email_sealed"], "members.email") for row in rows}
    return {member: email for member, email in emails.items() if email}


def still_unasked(uow: UnitOfWork, member_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Those of these who are such guests still, locked, with the blind index of their e-mail."""
    rows = uow.all(
        "SELECT id, email_index FROM members WHERE shop_id = %(shop)s AND id = ANY(%(ids)s) AND status = 'guest'"
        " AND source = 'enrolled' AND looked_up_at IS NULL ORDER BY id FOR UPDATE",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["id"]: bytes(row["email_index"]) for row in rows if row["email_index"]}


def tags_of(uow: UnitOfWork, member_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """The tags that staff put on members, in order; members without any are left out."""
    rows = uow.all(
        "SELECT member_id, array_agg(tag ORDER BY tag) AS tags FROM member_tags"
        " WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s) GROUP BY member_id",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["member_id"]: row["tags"] for row in rows}


_MATCHING = """
SELECT m.id FROM members m
LEFT JOIN points_accounts a ON a.shop_id = m.shop_id AND a.member_id = m.id
WHERE m.shop_id = %(shop)s AND (%(after)s::uuid IS NULL OR m.id > %(after)s) AND m.status <> 'merged'
  AND (%(status)s::text IS NULL OR m.status = %(status)s) AND (%(source)s::text IS NULL OR m.source = %(source)s)
  AND (%(tier)s::uuid IS NULL OR EXISTS (SELECT 1 FROM member_tiers t WHERE t.shop_id = m.shop_id
    AND t.member_id = m.id AND t.tier_id = %(tier)s))
  AND (%(segment)s::uuid IS NULL OR EXISTS (SELECT 1 FROM segment_members g WHERE g.shop_id = m.shop_id
    AND g.segment_id = %(segment)s AND g.member_id = m.id))
  AND (%(found)s::uuid[] IS NULL OR m.id = ANY(%(found)s))
  AND m.enrolled_at >= %(since)s AND m.enrolled_at < %(until)s
  AND coalesce(a.available, 0) BETWEEN %(least)s AND %(most)s
ORDER BY m.id LIMIT %(limit)s
"""


def matching(
    uow: UnitOfWork,
    wanted: MembersFilter,
    found: Sequence[UUID] | None,
    zone: str,
    after: UUID | None,
    limit: int,
) -> list[UUID]:
    """At most `limit` members that a filter of the list leaves, by id, after one; days are those of the zone.

    `found` narrows to these ids.
    """
    here = ZoneInfo(zone)
    first, last = wanted.enrolled_from or _FIRST, (wanted.enrolled_to or _LAST) + timedelta(days=1)
    rows = uow.all(
        _MATCHING,
        {
            "shop": uow.shop,
            "after": after,
            "status": wanted.status,
            "source": wanted.source,
            "tier": wanted.tier,
            "segment": wanted.segment,
            "found": None if found is None else list(found),
            "since": datetime.combine(first, time(), here),
            "until": datetime.combine(last, time(), here),
            "least": wanted.points_from or 0,
            "most": 2**62 if wanted.points_to is None else wanted.points_to,
            "limit": limit,
        },
    )
    return [row["id"] for row in rows]


_FIRST, _LAST = date(1970, 1, 1), date(9000, 1, 1)

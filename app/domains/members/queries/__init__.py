"""Every SELECT on members."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from app.core import paging
from app.core.db import UnitOfWork
from app.domains.members import rules
from app.domains.members.queries import listing
from app.domains.members.schemas import (
    Duplicate,
    Guest,
    Member,
    MembersFilter,
    Merge,
    Note,
    Profile,
    TimelineSlice,
)

_COLUMNS = "id, customer_id, status, locale, enrolled_at, merged_into"


def phone_index(uow: UnitOfWork, phone: str | None) -> bytes | None:
    """The blind index of a phone number, however it is written; None when it is none."""
    plain = rules.plain_phone(phone) if phone else ""
    return uow.blind_index(plain, "members.phone") if plain else None


def prefix(uow: UnitOfWork, text: str) -> bytes:
    """The keyed hash of the beginning of a name's word."""
    return uow.blind_index(text, "members.name_prefix")[:10]


def get(uow: UnitOfWork, member_id: UUID) -> Member | None:
    """One member by id."""
    row = uow.one(
        f"SELECT {_COLUMNS} FROM members WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": member_id},
    )
    return Member(**row) if row else None


def by_customers(uow: UnitOfWork, customer_ids: Iterable[int]) -> dict[int, Member]:
    """Members by Shopify customer id; a customer who was merged away leads to the member who was kept."""
    found = exactly_by_customers(uow, customer_ids)
    merged = {member.merged_into for member in found.values() if member.merged_into}
    if not merged:
        return found
    kept = by_ids(uow, merged)
    return {one: kept[member.merged_into] if member.merged_into else member for one, member in found.items()}


def exactly_by_customers(uow: UnitOfWork, customer_ids: Iterable[int]) -> dict[int, Member]:
    """Members by Shopify customer id, those included who were merged into another."""
    rows = uow.all(
        f"SELECT {_COLUMNS} FROM members WHERE shop_id = %(shop)s AND customer_id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(customer_ids)},
    )
    return {row["customer_id"]: Member(**row) for row in rows}


def lock(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, Member]:
    """Members by id, locked in the order of their ids."""
    rows = uow.all(
        f"SELECT {_COLUMNS} FROM members WHERE shop_id = %(shop)s AND id = ANY(%(ids)s) ORDER BY id FOR UPDATE",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["id"]: Member(**row) for row in rows}


def merged_into(uow: UnitOfWork, member_id: UUID) -> list[Member]:
    """Everybody whose points this member has now, however many merges ago."""
    rows = uow.all(
        f"SELECT {_COLUMNS} FROM members WHERE shop_id = %(shop)s AND merged_into = %(id)s ORDER BY id",
        {"shop": uow.shop, "id": member_id},
    )
    return [Member(**row) for row in rows]


def merged_into_each(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Who was merged into each of these members; those without are left out."""
    rows = uow.all(
        "SELECT id, merged_into FROM members WHERE shop_id = %(shop)s AND merged_into = ANY(%(ids)s) ORDER BY id",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    found: dict[UUID, list[UUID]] = {}
    for row in rows:
        found.setdefault(row["merged_into"], []).append(row["id"])
    return found


_THROUGH = """
WITH RECURSIVE below AS (
  SELECT removed_id FROM member_merges WHERE shop_id = %(shop)s AND kept_id = %(id)s AND undone_at IS NULL
  UNION
  SELECT m.removed_id FROM member_merges m JOIN below b ON m.kept_id = b.removed_id
  WHERE m.shop_id = %(shop)s AND m.undone_at IS NULL)
SELECT removed_id FROM below
"""


def merged_through(uow: UnitOfWork, member_id: UUID) -> list[UUID]:
    """Members who were merged into this one, directly or through others, by the standing merges."""
    return [row["removed_id"] for row in uow.all(_THROUGH, {"shop": uow.shop, "id": member_id})]


_MERGE = "id, kept_id, removed_id, origin, removed_status, kept_status, followed, undone_at, created_at"


def merge(uow: UnitOfWork, merge_id: UUID, *, for_update: bool = False) -> Merge | None:
    """One merge."""
    row = uow.one(
        f"SELECT {_MERGE} FROM member_merges WHERE shop_id = %(shop)s AND id = %(id)s"
        + (" FOR UPDATE" if for_update else ""),
        {"shop": uow.shop, "id": merge_id},
    )
    return Merge(**row) if row else None


def standing_merge(uow: UnitOfWork, removed_id: UUID) -> Merge | None:
    """The merge that stands and that a member went away in."""
    row = uow.one(
        f"SELECT {_MERGE} FROM member_merges WHERE shop_id = %(shop)s AND removed_id = %(id)s AND undone_at IS NULL",
        {"shop": uow.shop, "id": removed_id},
    )
    return Merge(**row) if row else None


def standing_merges(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, list[Merge]]:
    """The merges that stand and that led to each of these members, directly or through others."""
    rows = uow.all(
        f"SELECT m.merged_into AS owner, {', '.join('g.' + one for one in _MERGE.split(', '))} FROM members m"
        " JOIN member_merges g ON g.shop_id = m.shop_id AND g.removed_id = m.id AND g.undone_at IS NULL"
        " WHERE m.shop_id = %(shop)s AND m.merged_into = ANY(%(ids)s) ORDER BY g.created_at, g.id",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    found: dict[UUID, list[Merge]] = {}
    for row in rows:
        found.setdefault(row.pop("owner"), []).append(Merge(**row))
    return found


def merges(uow: UnitOfWork, member_id: UUID, limit: int = 50) -> list[Merge]:
    """Merges into this member, newest first."""
    rows = uow.all(
        f"SELECT {_MERGE} FROM member_merges WHERE shop_id = %(shop)s AND kept_id = %(id)s"
        " ORDER BY created_at DESC, id DESC LIMIT %(limit)s",
        {"shop": uow.shop, "id": member_id, "limit": limit},
    )
    return [Merge(**row) for row in rows]


_MERGES_BETWEEN = """
SELECT e.*, coalesce(p.points, 0) AS points, coalesce(p.brought, 0) AS brought FROM (
SELECT at, id, what, kept_id, removed_id, origin FROM (
  SELECT g.created_at AS at, g.id, 'merged' AS what, g.kept_id, g.removed_id, g.origin FROM member_merges g
  WHERE g.shop_id = %(shop)s AND (g.kept_id = ANY(%(members)s) OR g.removed_id = ANY(%(members)s))
  UNION ALL
  SELECT g.undone_at, g.id, 'parted', g.kept_id, g.removed_id, g.origin FROM member_merges g
  WHERE g.shop_id = %(shop)s AND (g.kept_id = ANY(%(members)s) OR g.removed_id = ANY(%(members)s))
    AND g.undone_at IS NOT NULL) e
WHERE true{within} ORDER BY {by} LIMIT %(limit)s) e
LEFT JOIN LATERAL (SELECT sum(x.points)::bigint AS points,
    (sum(x.points) FILTER (WHERE x.kind = 'move_in'))::bigint AS brought
  FROM points_entries x WHERE x.shop_id = %(shop)s AND x.member_id IN (e.kept_id, e.removed_id)
    AND x.member_id = ANY(%(members)s) AND x.reason IN ('merged', 'unmerged') AND x.created_at = e.at) p ON %(with_points)s
ORDER BY {by}
"""


def merges_between(uow: UnitOfWork, part: TimelineSlice) -> list[dict[str, Any]]:
    """That members became one, and that they parted, in a slice of a member's timeline.

    Where points are shown beside it: `points` that it left these members with, and those that it `brought`.
    """
    values = part.values(uow.shop) | {"with_points": "points" in part.kinds}
    return uow.all(_MERGES_BETWEEN.format(within=part.within(), by=part.by()), values)


def by_ids(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, Member]:
    """Members by id."""
    rows = uow.all(
        f"SELECT {_COLUMNS} FROM members WHERE shop_id = %(shop)s AND id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["id"]: Member(**row) for row in rows}


def statuses(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The status of each of these members."""
    rows = uow.all(
        "SELECT id, status FROM members WHERE shop_id = %(shop)s AND id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["id"]: row["status"] for row in rows}


def by_email(uow: UnitOfWork, email: str) -> list[Member]:
    """Members whose e-mail is exactly this one; several may share it."""
    rows = uow.all(
        f"SELECT {_COLUMNS} FROM members WHERE shop_id = %(shop)s AND email_index = %(index)s ORDER BY enrolled_at",
        {"shop": uow.shop, "index": uow.blind_index(email, "members.email")},
    )
    return [Member(**row) for row in rows]


_PROFILE = "id, first_name_sealed, last_name_sealed, email_sealed, phone_sealed, locale, status"


def profiles(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, Profile]:
    """Personal data of members, opened."""
    rows = uow.all(
        f"SELECT {_PROFILE} FROM members WHERE shop_id = %(shop)s AND id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["id"]: _profile(uow, row) for row in rows}


def _profile(uow: UnitOfWork, row: dict[str, Any]) -> Profile:
    return Profile(
        member_id=row["id"],
        first_name=uow.unseal(row["first_name_sealed"], "members.first_name"),
        last_name=uow.unseal(row["last_name_sealed"], "members.last_name"),
        email=uow.unseal(row["email_sealed"], "members.email"),
        phone=uow.unseal(row["phone_sealed"], "members.phone"),
        locale=row["locale"],
        status=row["status"],
    )


def listed(
    uow: UnitOfWork, query: MembersFilter, found: list[UUID] | None = None, zone: str = "UTC"
) -> paging.Found:
    """A page of members with their points and tier, and how many match; names are opened per row. See `listing`."""
    chosen = listing.page(uow, query, found, zone, counted=query.limit <= paging.MAX_LIMIT)
    for row in chosen.page.items:
        row["profile"] = _profile(uow, row)
    return chosen


def enrolled_by_day(uow: UnitOfWork, first: date, last: date, zone: str) -> dict[date, int]:
    """How many members enrolled on each local day, both days included."""
    rows = uow.all(
        "SELECT (enrolled_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS members FROM members"
        " WHERE shop_id = %(shop)s AND enrolled_at >= %(first)s::timestamp AT TIME ZONE %(zone)s"
        " AND enrolled_at < (%(last)s::timestamp + interval '1 day') AT TIME ZONE %(zone)s GROUP BY 1",
        {"shop": uow.shop, "first": first, "last": last, "zone": zone},
    )
    return {row["day"]: row["members"] for row in rows}


_BY_PREFIX = """
SELECT member_id FROM member_prefixes WHERE shop_id = %(shop)s AND prefix = ANY(%(prefixes)s)
GROUP BY member_id HAVING count(*) = %(count)s LIMIT %(limit)s
"""


def by_name(uow: UnitOfWork, text: str, limit: int = 200) -> list[UUID]:
    """Members one of whose names begins with each word of the text."""
    prefixes = list(dict.fromkeys(prefix(uow, word) for word in rules.sought(text)))
    if not prefixes:
        return []
    values = {"shop": uow.shop, "prefixes": prefixes, "count": len(prefixes), "limit": limit}
    return [row["member_id"] for row in uow.all(_BY_PREFIX, values)]


_GUESTS = """
SELECT id, email_index, phone_index, coalesce(merged_into, id) AS owner FROM members
WHERE shop_id = %(shop)s AND customer_id IS NULL AND status IN ('guest', 'merged')
  AND (email_index = ANY(%(emails)s) OR phone_index = ANY(%(phones)s)) ORDER BY status, id
"""


def guest_owners(uow: UnitOfWork, guests: Iterable[Guest]) -> dict[Guest, UUID]:
    """Who has the points of people who order as guests: the guest, or whoever proved to be them."""
    wanted = {guest: guest_key(uow, guest) for guest in guests}
    rows = uow.all(
        _GUESTS,
        {
            "shop": uow.shop,
            "emails": [email for email, _ in wanted.values() if email],
            "phones": [phone for email, phone in wanted.values() if phone and not email],
        },
    )
    by_email = {bytes(row["email_index"]): row["owner"] for row in reversed(rows) if row["email_index"]}
    by_phone = {bytes(row["phone_index"]): row["owner"] for row in reversed(rows) if row["phone_index"]}
    found = {
        guest: by_email.get(email) if email else by_phone.get(phone or b"")
        for guest, (email, phone) in wanted.items()
    }
    return {guest: owner for guest, owner in found.items() if owner}


def guest_key(uow: UnitOfWork, guest: Guest) -> tuple[bytes | None, bytes | None]:
    """The blind indexes of a guest's e-mail and phone."""
    return (
        uow.blind_index(guest.email, "members.email") if guest.email else None,
        phone_index(uow, guest.phone),
    )


_CLAIMS = """
SELECT m.id AS kept, g.id AS guest FROM members m
JOIN members g ON g.shop_id = m.shop_id AND g.status = 'guest' AND g.email_index = m.email_index
WHERE m.shop_id = %(shop)s AND m.customer_id = ANY(%(by_email)s) AND m.status IN ('active', 'blocked')
UNION
SELECT m.id, g.id FROM members m
JOIN members g ON g.shop_id = m.shop_id AND g.status = 'guest' AND g.email_index IS NULL AND g.phone_index = m.phone_index
WHERE m.shop_id = %(shop)s AND m.customer_id = ANY(%(by_phone)s) AND m.status IN ('active', 'blocked')
ORDER BY 1, 2
"""


def claims(uow: UnitOfWork, by_email: Iterable[int], by_phone: Iterable[int]) -> list[tuple[UUID, UUID]]:
    """Which guests the customers are whose e-mail or phone is proven: (member, guest)."""
    values = {"shop": uow.shop, "by_email": list(by_email), "by_phone": list(by_phone)}
    return [(row["kept"], row["guest"]) for row in uow.all(_CLAIMS, values)]


def unindexed(uow: UnitOfWork, limit: int) -> list[dict[str, Any]]:
    """Members whose search and duplicate indexes are still to be written, locked."""
    return uow.all(
        "SELECT id, email_sealed, first_name_sealed, last_name_sealed, birthday_sealed FROM members"
        " WHERE shop_id = %(shop)s AND NOT indexed ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED",
        {"shop": uow.shop, "limit": limit},
    )


_DUPLICATES = """
SELECT p.why, p.one, p.other FROM (
  SELECT DISTINCT ON (one, other) * FROM (
    (SELECT 1 AS rank, 'email' AS why, a.id AS one, b.id AS other FROM members a
     JOIN members b ON b.shop_id = a.shop_id AND b.email_match = a.email_match AND b.id > a.id
     WHERE a.shop_id = %(shop)s AND a.email_match IS NOT NULL
       AND a.status IN ('active', 'blocked', 'guest') AND b.status IN ('active', 'blocked', 'guest') LIMIT %(cap)s)
    UNION ALL
    (SELECT 2, 'phone', a.id, b.id FROM members a
     JOIN members b ON b.shop_id = a.shop_id AND b.phone_index = a.phone_index AND b.id > a.id
     WHERE a.shop_id = %(shop)s AND a.phone_index IS NOT NULL
       AND a.status IN ('active', 'blocked', 'guest') AND b.status IN ('active', 'blocked', 'guest') LIMIT %(cap)s)
    UNION ALL
    (SELECT 3, 'person', a.id, b.id FROM members a
     JOIN members b ON b.shop_id = a.shop_id AND b.person_index = a.person_index AND b.id > a.id
     WHERE a.shop_id = %(shop)s AND a.person_index IS NOT NULL
       AND a.status IN ('active', 'blocked', 'guest') AND b.status IN ('active', 'blocked', 'guest') LIMIT %(cap)s)
  ) every ORDER BY one, other, rank) p
WHERE NOT EXISTS (SELECT 1 FROM member_distinctions d
  WHERE d.shop_id = %(shop)s AND d.low_id = p.one AND d.high_id = p.other)
ORDER BY p.rank, p.one DESC, p.other LIMIT %(limit)s
"""


def duplicates(uow: UnitOfWork, limit: int = 50) -> list[Duplicate]:
    """Pairs of members who may be one person, the surest first."""
    rows = uow.all(_DUPLICATES, {"shop": uow.shop, "limit": limit, "cap": 2_000})
    return [Duplicate(**row) for row in rows]


def notes(uow: UnitOfWork, member_ids: Iterable[UUID], limit: int = 100) -> list[Note]:
    """What staff wrote about members, newest first."""
    rows = uow.all(
        "SELECT id, member_id, text_sealed, actor_label, created_at FROM member_notes"
        " WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s) ORDER BY created_at DESC, id DESC LIMIT %(limit)s",
        {"shop": uow.shop, "ids": list(member_ids), "limit": limit},
    )
    return [
        Note(
            row["id"],
            row["member_id"],
            uow.unseal(row["text_sealed"], "member_notes.text") or "",
            row["actor_label"],
            row["created_at"],
        )
        for row in rows
    ]


_HEADER = """
SELECT coalesce(a.available, 0) AS available, coalesce(a.pending, 0) AS pending, coalesce(a.held, 0) AS held,
  coalesce(a.debt, 0) AS debt,
  (SELECT l.code FROM referral_links l WHERE l.shop_id = m.shop_id AND l.member_id = m.id) AS code,
  (SELECT coalesce(x.names->>%(locale)s, x.name) FROM member_tiers t
    JOIN tiers x ON x.shop_id = t.shop_id AND x.id = t.tier_id
    WHERE t.shop_id = m.shop_id AND t.member_id = m.id AND t.main) AS tier
FROM members m LEFT JOIN points_accounts a ON a.shop_id = m.shop_id AND a.member_id = m.id
WHERE m.shop_id = %(shop)s AND m.id = %(id)s
"""


def header(uow: UnitOfWork, member_id: UUID, locale: str) -> dict[str, Any]:
    """What stands under a member's name: points by status, tier in a language, referral code."""
    return uow.one(_HEADER, {"shop": uow.shop, "id": member_id, "locale": locale}) or {}


def consents(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, bool]:
    """Whether members agreed to marketing by e-mail."""
    rows = uow.all(
        "SELECT id, coalesce(email_consent = 'subscribed', false) AS agreed FROM members"
        " WHERE shop_id = %(shop)s AND id = ANY(%(ids)s)",
        {"shop": uow.shop, "ids": list(member_ids)},
    )
    return {row["id"]: row["agreed"] for row in rows}


def sealed_birthday(uow: UnitOfWork, member_id: UUID) -> bytes | None:
    """A member's birthday as it is kept."""
    found: bytes | None = uow.scalar(
        "SELECT birthday_sealed FROM members WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": member_id},
    )
    return found


def with_birthday(
    uow: UnitOfWork, indexes: list[bytes], after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Active members with these hashes of month and day, by id."""
    return uow.all(
        "SELECT id, birthday_index FROM members WHERE shop_id = %(shop)s AND birthday_index = ANY(%(indexes)s)"
        " AND status = 'active' AND (%(after)s::uuid IS NULL OR id > %(after)s) ORDER BY id LIMIT %(limit)s",
        {"shop": uow.shop, "indexes": indexes, "after": after, "limit": limit},
    )

"""Finding members: search by what staff know of a person, people who may be the same, and the indexes behind both."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.members import queries, rules
from app.domains.members.errors import MemberNotFound, MergeRefused
from app.domains.members.schemas import Duplicate, Member, Note
from app.domains.members.service import merging, people

Finder = Callable[[UnitOfWork, str], Sequence[UUID]]

_FINDERS: list[Finder] = []

_WRITE = """
UPDATE members m SET email_match = decode(v.email_match, 'hex'), person_index = decode(v.person, 'hex'), indexed = true
FROM jsonb_to_recordset(%(rows)s) AS v (id uuid, email_match text, person text)
WHERE m.shop_id = %(shop)s AND m.id = v.id
"""
_PREFIXES = """
INSERT INTO member_prefixes (shop_id, prefix, member_id)
SELECT %(shop)s, v.prefix, v.member FROM unnest(%(prefixes)s::bytea[], %(members)s::uuid[]) AS v (prefix, member)
ON CONFLICT DO NOTHING
"""


def register_finder(finder: Finder) -> None:
    """Let a domain above find members by what it knows: `finder(uow, text)` gives member ids (an order's name, a code)."""
    _FINDERS.append(finder)


def search(uow: UnitOfWork, text: str) -> list[Member]:
    """Members by exact e-mail, Shopify customer id, gid, member id, beginnings of a name, order or reward code."""
    text = text.strip()
    if "@" in text:
        return queries.by_email(uow, text)
    try:
        return [people.resolve(uow, text)]
    except MemberNotFound:
        found = [one for finder in _FINDERS for one in finder(uow, text)] if text else []
    known = queries.by_ids(uow, found or queries.by_name(uow, text))
    return sorted(known.values(), key=lambda member: member.enrolled_at, reverse=True)


def index_profiles(uow: UnitOfWork, limit: int = 500) -> int:
    """Write the indexes of members whose names or e-mails changed. Returns how many; call again while it is `limit`."""
    rows = queries.unindexed(uow, limit)
    if not rows:
        return 0
    prefixes: list[tuple[bytes, UUID]] = []
    written: list[dict[str, Any]] = []
    for row in rows:
        email = uow.unseal(row["email_sealed"], "members.email")
        names = [
            uow.unseal(row[f"{part}_name_sealed"], f"members.{part}_name") or "" for part in ("first", "last")
        ]
        birthday = uow.unseal(row["birthday_sealed"], "members.birthday")
        name = " ".join(names).strip()
        prefixes += [(queries.prefix(uow, word), row["id"]) for word in rules.beginnings(name)]
        match = uow.blind_index(rules.plain_email(email), "members.email_match") if email else None
        who = f"{' '.join(sorted(rules.words(name)))} {birthday}"
        person = uow.blind_index(who, "members.person") if name and birthday else None
        written.append(
            {
                "id": str(row["id"]),
                "email_match": match.hex() if match else None,
                "person": person.hex() if person else None,
            }
        )
    values = {"shop": uow.shop, "ids": [row["id"] for row in rows]}
    uow.execute("DELETE FROM member_prefixes WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s)", values)
    uow.execute(
        _PREFIXES,
        {
            "shop": uow.shop,
            "prefixes": [hashed for hashed, _ in prefixes],
            "members": [member_id for _, member_id in prefixes],
        },
    )
    uow.execute(_WRITE, {"shop": uow.shop, "rows": Jsonb(written)})
    return len(rows)


def duplicates(uow: UnitOfWork) -> list[Duplicate]:
    """Members who may be one person and of whom nobody said otherwise: same mailbox, phone, or name and birthday."""
    return queries.duplicates(uow)


def tell_apart(uow: UnitOfWork, one: UUID, other: UUID) -> None:
    """Remember that two members are not the same person. Raises MemberNotFound, MergeRefused for one and the same."""
    if one == other:
        raise MergeRefused()
    low, high = sorted((one, other))
    if len(queries.by_ids(uow, [low, high])) < 2:
        raise MemberNotFound()
    fresh = uow.execute(
        "INSERT INTO member_distinctions (shop_id, low_id, high_id, created_at)"
        " VALUES (%(shop)s, %(low)s, %(high)s, %(now)s) ON CONFLICT DO NOTHING",
        {"shop": uow.shop, "low": low, "high": high, "now": uow.now},
    )
    if fresh.rowcount:
        compliance.record(uow, "member.told_apart", ("member", str(low)), None, {"from": str(high)})


def add_note(uow: UnitOfWork, member_id: UUID, text: str) -> None:
    """Keep what a staff member wrote about a member, sealed. Raises MemberNotFound."""
    if queries.get(uow, member_id) is None:
        raise MemberNotFound()
    note_id = ids.new_id()
    uow.execute(
        "INSERT INTO member_notes (shop_id, id, member_id, text_sealed, actor_kind, actor_id, actor_label, created_at)"
        " VALUES (%(shop)s, %(id)s, %(member)s, %(text)s, %(kind)s, %(actor)s, %(label)s, %(now)s)",
        {
            "shop": uow.shop,
            "id": note_id,
            "member": member_id,
            "text": uow.seal(text, "member_notes.text"),
            "kind": uow.actor.kind,
            "actor": uow.actor.id,
            "label": uow.actor.label,
            "now": uow.now,
        },
    )
    compliance.record(uow, "member.noted", ("member", str(member_id)), None, {"note_id": str(note_id)})


def remove_note(uow: UnitOfWork, member_id: UUID, note_id: UUID) -> None:
    """Drop a note about a member; what is gone already stays gone."""
    gone = uow.execute(
        "DELETE FROM member_notes WHERE shop_id = %(shop)s AND id = %(note)s AND member_id = ANY(%(members)s)",
        {"shop": uow.shop, "note": note_id, "members": list(merging.family(uow, member_id))},
    )
    if gone.rowcount:
        compliance.record(
            uow, "member.note_removed", ("member", str(member_id)), {"note_id": str(note_id)}, None
        )


def notes(uow: UnitOfWork, member_id: UUID) -> list[Note]:
    """What staff wrote about a member and whoever was merged into them, newest first."""
    return queries.notes(uow, merging.family(uow, member_id))

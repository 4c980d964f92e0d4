"""The verbs of members: enrolling, keeping profiles, looking people up, blocking and erasing."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from app.core import i18n, ids
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.members import queries
from app.domains.members.errors import MemberErased, MemberNotFound
from app.domains.members.events import MemberEnrolled, MemberRegistered, MembersMerged
from app.domains.members.schemas import Member, Panel, Person, Profile

_PANELS: dict[str, Panel] = {}
_GID = re.compile(r"gid://shopify/Customer/(\d{1,19})")

_INSERT = """
INSERT INTO members (shop_id, id, customer_id, email_sealed, email_index, first_name_sealed, last_name_sealed,
  phone_sealed, locale, customer_updated_at, enrolled_at)
SELECT %(shop)s, v.* FROM unnest(%(ids)s::uuid[], %(customers)s::bigint[], %(emails)s::bytea[], %(indexes)s::bytea[],
  %(firsts)s::bytea[], %(lasts)s::bytea[], %(phones)s::bytea[], %(locales)s::text[], %(updated)s::timestamptz[],
  %(enrolled)s::timestamptz[]) AS v
ON CONFLICT (shop_id, customer_id) WHERE customer_id IS NOT NULL DO NOTHING
RETURNING id, customer_id
"""

_UPDATE = """
UPDATE members m SET email_sealed = v.email, email_index = v.email_index, first_name_sealed = v.first,
  last_name_sealed = v.last, phone_sealed = v.phone, locale = coalesce(v.locale, m.locale),
  customer_updated_at = v.updated, updated_at = %(now)s
FROM unnest(%(customers)s::bigint[], %(emails)s::bytea[], %(indexes)s::bytea[], %(firsts)s::bytea[], %(lasts)s::bytea[],
  %(phones)s::bytea[], %(locales)s::text[], %(updated)s::timestamptz[])
  AS v (customer, email, email_index, first, last, phone, locale, updated)
WHERE m.shop_id = %(shop)s AND m.customer_id = v.customer AND m.status IN ('active', 'blocked')
  AND (m.customer_updated_at IS NULL OR v.updated IS NULL OR v.updated >= m.customer_updated_at)
"""


def register_panel(
    key: str, position: int, template: str, provider: Callable[[Any, UUID], dict[str, Any]]
) -> None:
    """Let a domain above add a section to the member page.

    `provider(ctx, member_id)` gives the view model that `template` gets as `panel`; sections stand by position.
    """
    _PANELS[key] = Panel(key, position, template, provider)


def panels() -> list[Panel]:
    """The sections of the member page, in order."""
    return sorted(_PANELS.values(), key=lambda one: (one.position, one.key))


def enroll(uow: UnitOfWork, persons: Sequence[Person]) -> dict[int, Member]:
    """Make sure that these customers are members. Returns the members by customer id, existing ones included."""
    people = {person.customer_id: person for person in persons}
    known = queries.by_customers(uow, people)
    missing = [person for customer_id, person in sorted(people.items()) if customer_id not in known]
    if not missing:
        return known
    rows = uow.all(
        _INSERT,
        _sealed(uow, missing)
        | {
            "shop": uow.shop,
            "ids": [ids.new_id() for _ in missing],
            "locales": [i18n.supported(person.locale) for person in missing],
            "enrolled": [uow.now] * len(missing),
        },
    )
    uow.publish([MemberEnrolled(row["id"], row["customer_id"]) for row in rows])
    return queries.by_customers(uow, people)


def register(uow: UnitOfWork, persons: Sequence[Person]) -> None:
    """Customer accounts were created: enroll them and say that they registered."""
    members = enroll(uow, persons)
    uow.publish([MemberRegistered(member.id, customer_id) for customer_id, member in sorted(members.items())])


def refresh_profiles(uow: UnitOfWork, persons: Sequence[Person]) -> None:
    """Take over changed personal data; older news than we have is dropped."""
    newest: dict[int, Person] = {}
    for person in persons:
        seen = newest.get(person.customer_id)
        if (
            seen is None
            or not person.updated_at
            or not seen.updated_at
            or person.updated_at >= seen.updated_at
        ):
            newest[person.customer_id] = person
    people = list(newest.values())
    locales = [i18n.supported(person.locale) if person.locale else None for person in people]
    uow.execute(_UPDATE, _sealed(uow, people) | {"shop": uow.shop, "now": uow.now, "locales": locales})


def learn_locales(uow: UnitOfWork, locales: dict[UUID, str]) -> None:
    """Remember the language in which members last shopped."""
    uow.execute(
        "UPDATE members m SET locale = v.locale, updated_at = %(now)s"
        " FROM unnest(%(ids)s::uuid[], %(locales)s::text[]) AS v (id, locale)"
        " WHERE m.shop_id = %(shop)s AND m.id = v.id AND m.locale <> v.locale",
        {"shop": uow.shop, "now": uow.now, "ids": list(locales), "locales": list(locales.values())},
    )


def _sealed(uow: UnitOfWork, people: Sequence[Person]) -> dict[str, Any]:
    return {
        "customers": [person.customer_id for person in people],
        "emails": [uow.seal(person.email or None, "members.email") for person in people],
        "indexes": [
            uow.blind_index(person.email, "members.email") if person.email else None for person in people
        ],
        "firsts": [uow.seal(person.first_name or None, "members.first_name") for person in people],
        "lasts": [uow.seal(person.last_name or None, "members.last_name") for person in people],
        "phones": [uow.seal(person.phone or None, "members.phone") for person in people],
        "updated": [person.updated_at for person in people],
    }


def resolve(uow: UnitOfWork, reference: str) -> Member:
    """The member meant by a member id, a Shopify customer id or its gid. Raises MemberNotFound."""
    text = reference.strip()
    member: Member | None = None
    if match := _GID.fullmatch(text):
        text = match.group(1)
    if text.isascii() and text.isdigit() and len(text) <= 18:
        member = queries.by_customers(uow, [int(text)]).get(int(text))
    else:
        try:
            member = queries.get(uow, UUID(text))
        except ValueError:
            member = None
    if member is None:
        raise MemberNotFound()
    return member


def search(uow: UnitOfWork, text: str) -> list[Member]:
    """Members found by exact e-mail, Shopify customer id, gid or member id."""
    if "@" in text:
        return queries.by_email(uow, text)
    try:
        return [resolve(uow, text)]
    except MemberNotFound:
        return []


def by_customer(uow: UnitOfWork, customer_id: int) -> Member | None:
    """The member behind a Shopify customer."""
    return queries.by_customers(uow, [customer_id]).get(customer_id)


def by_ids(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, Member]:
    """Members by id."""
    return queries.by_ids(uow, member_ids)


def profile(uow: UnitOfWork, member_id: UUID) -> Profile:
    """A member's personal data. Raises MemberNotFound."""
    found = queries.profiles(uow, [member_id]).get(member_id)
    if found is None:
        raise MemberNotFound()
    return found


def profiles(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, Profile]:
    """Personal data of several members."""
    return queries.profiles(uow, member_ids)


def set_status(uow: UnitOfWork, member_id: UUID, status: str) -> None:
    """Block a member from earning and spending, or let them take part again. Raises MemberNotFound, MemberErased."""
    member = queries.get(uow, member_id)
    if member is None:
        raise MemberNotFound()
    if member.status not in ("active", "blocked"):
        raise MemberErased()
    if member.status == status:
        return
    uow.execute(
        "UPDATE members SET status = %(status)s, updated_at = %(now)s WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": member_id, "status": status, "now": uow.now},
    )
    compliance.record(
        uow, "member.status", ("member", str(member_id)), {"status": member.status}, {"status": status}
    )


def merge(uow: UnitOfWork, kept_customer: int, removed_customer: int) -> bool:
    """Let one customer's member take over from another's. False when there is nothing to do, also when it was done."""
    removed = by_customer(uow, removed_customer)
    if removed is None or kept_customer == removed_customer:
        return False
    kept = enroll(uow, [Person(kept_customer)])[kept_customer]
    uow.execute(
        "UPDATE members SET status = 'merged', merged_into = %(kept)s, customer_id = NULL, updated_at = %(now)s"
        " WHERE shop_id = %(shop)s AND id = %(removed)s",
        {"shop": uow.shop, "kept": kept.id, "removed": removed.id, "now": uow.now},
    )
    compliance.record(
        uow,
        "member.merged",
        ("member", str(removed.id)),
        {"status": removed.status},
        {"merged_into": str(kept.id)},
    )
    uow.publish([MembersMerged(kept.id, removed.id)])
    return True


def export(uow: UnitOfWork, member_id: UUID) -> dict[str, Any]:
    """What we hold about who a member is, in clear, for the person's own request."""
    found, member = queries.profiles(uow, [member_id]).get(member_id), queries.get(uow, member_id)
    if found is None or member is None:
        return {}
    return {
        "first_name": found.first_name,
        "last_name": found.last_name,
        "email": found.email,
        "phone": found.phone,
        "locale": found.locale,
        "status": member.status,
        "customer_id": member.customer_id,
        "enrolled_at": member.enrolled_at.isoformat(),
    }


def erase(uow: UnitOfWork, member_id: UUID) -> None:
    """Forget who a member is. The ledger keeps its numbers under an id that leads to nobody."""
    uow.execute(
        "UPDATE members SET status = 'erased', customer_id = NULL, email_sealed = NULL, email_index = NULL,"
        " first_name_sealed = NULL, last_name_sealed = NULL, phone_sealed = NULL, birthday_sealed = NULL,"
        " updated_at = %(now)s WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": member_id, "now": uow.now},
    )

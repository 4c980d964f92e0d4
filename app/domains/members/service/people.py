"""The verbs of members: enrolling, keeping profiles, looking people up, blocking and erasing."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from app.core import i18n, ids
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.members import queries
from app.domains.members.errors import AlreadyMember, CustomerUnknown, MemberErased, MemberNotFound
from app.domains.members.events import MemberEnrolled, MemberRegistered, MemberSubscribed
from app.domains.members.queries import references
from app.domains.members.schemas import Act, Member, Panel, Person, Profile
from app.domains.members.service import birthdays

_PANELS: dict[str, Panel] = {}
_ACTS: list[tuple[int, Callable[[Any, UUID], Act | None]]] = []
_STANDINGS: dict[str, Callable[[UnitOfWork], int]] = {}
ENROLL = "members.enroll"
_CUSTOMER = re.compile(r"(?:^|/)(\d{1,18})(?:[/?#].*)?$")
_GID = re.compile(r"gid://shopify/Customer/(\d{1,19})")

_INSERT = """
INSERT INTO members (shop_id, id, customer_id, email_sealed, email_index, first_name_sealed, last_name_sealed,
  phone_sealed, phone_index, locale, customer_updated_at, email_proven, enrolled_at)
SELECT %(shop)s, v.* FROM unnest(%(ids)s::uuid[], %(customers)s::bigint[], %(emails)s::bytea[], %(indexes)s::bytea[],
  %(firsts)s::bytea[], %(lasts)s::bytea[], %(phones)s::bytea[], %(phone_indexes)s::bytea[], %(locales)s::text[],
  %(updated)s::timestamptz[], %(known_proven)s::boolean[],
  %(enrolled)s::timestamptz[]) AS v
ON CONFLICT (shop_id, customer_id) WHERE customer_id IS NOT NULL DO NOTHING
RETURNING id, customer_id
"""

_UPDATE = """
UPDATE members m SET email_sealed = v.email, email_index = v.email_index, first_name_sealed = v.first,
  last_name_sealed = v.last, phone_sealed = v.phone, phone_index = v.phone_index,
  indexed = false, locale = coalesce(v.locale, m.locale),
  customer_updated_at = v.updated, email_proven = coalesce(v.proven, m.email_proven), updated_at = %(now)s
FROM unnest(%(customers)s::bigint[], %(emails)s::bytea[], %(indexes)s::bytea[], %(firsts)s::bytea[], %(lasts)s::bytea[],
  %(phones)s::bytea[], %(phone_indexes)s::bytea[], %(locales)s::text[], %(updated)s::timestamptz[],
  %(proven)s::boolean[])
  AS v (customer, email, email_index, first, last, phone, phone_index, locale, updated, proven)
WHERE m.shop_id = %(shop)s AND m.customer_id = v.customer AND m.status IN ('active', 'blocked')
  AND (m.customer_updated_at IS NULL OR v.updated IS NULL OR v.updated >= m.customer_updated_at)
"""


_SAME_PERSON = """
SELECT id FROM members WHERE shop_id = %(shop)s AND (id = %(id)s OR merged_into = %(id)s)
UNION
SELECT g.id FROM members who
JOIN members g ON g.shop_id = who.shop_id AND g.status = 'guest' AND g.email_index = who.email_index
WHERE who.shop_id = %(shop)s AND who.id = %(id)s
UNION
SELECT g.id FROM members who
JOIN members g ON g.shop_id = who.shop_id AND g.status = 'guest' AND g.phone_index = who.phone_index
WHERE who.shop_id = %(shop)s AND who.id = %(id)s
"""
# What a transaction knows of members' statuses; whoever changes one lets it forget.
STATUSES = "members.statuses"
_EARNING = frozenset({"active", "guest"})

_ERASE = """
UPDATE members SET status = 'erased', customer_id = NULL, email_consent = NULL,
  email_sealed = NULL, email_index = NULL, email_match = NULL,
  email_proven = false, first_name_sealed = NULL, last_name_sealed = NULL, phone_sealed = NULL, phone_index = NULL,
  birthday_sealed = NULL, birthday_index = NULL, person_index = NULL, indexed = true, updated_at = %(now)s
WHERE shop_id = %(shop)s AND id = ANY(%(ids)s)
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


def register_act(position: int, provider: Callable[[Any, UUID], Act | None]) -> None:
    """Let a domain above add a button to the head of the member page: `provider(ctx, member_id)`, None for none."""
    _ACTS.append((position, provider))


def acts(ctx: Any, member_id: UUID) -> list[Act]:
    """The buttons of other domains at the head of a member's page, in order."""
    found = (provider(ctx, member_id) for _, provider in sorted(_ACTS, key=lambda one: one[0]))
    return [one for one in found if one is not None]


def register_standings(refresh: Callable[[UnitOfWork], int]) -> None:
    """Let the ledger bring up to date where members stand, before a list is sorted by points."""
    _STANDINGS["points"] = refresh


def refresh_standings(uow: UnitOfWork) -> None:
    """Bring up to date where members stand."""
    for refresh in _STANDINGS.values():
        refresh(uow)


def enroll(uow: UnitOfWork, persons: Sequence[Person]) -> dict[int, Member]:
    """Make sure that these customers are members. Returns the members by customer id, existing ones included."""
    people = {person.customer_id: person for person in persons}
    known = _by_customers(uow, people)
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
    uow.enqueue("members.index_profiles")
    return _by_customers(uow, people)


def _by_customers(uow: UnitOfWork, customer_ids: Iterable[int]) -> dict[int, Member]:
    """Members by customer id; the transaction remembers their status, which the ledger asks for a moment later."""
    found = queries.by_customers(uow, customer_ids)
    _statuses(uow).update((one.id, one.status) for one in found.values())
    return found


def _statuses(uow: UnitOfWork) -> dict[UUID, str]:
    return uow.once(STATUSES, dict)


def register(uow: UnitOfWork, persons: Sequence[Person]) -> None:
    """Customer accounts were created: enroll them and say that they registered."""
    members = enroll(uow, persons)
    # Late news of a customer who was merged away are no second registration of the one who was kept.
    uow.publish(
        [MemberRegistered(one.id, key) for key, one in sorted(members.items()) if one.customer_id == key]
    )


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
    uow.enqueue("members.index_profiles")


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
        "phone_indexes": [queries.phone_index(uow, person.phone) for person in people],
        "updated": [person.updated_at for person in people],
        "proven": [person.proven for person in people],
        "known_proven": [bool(person.proven) for person in people],
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


def by_customer(uow: UnitOfWork, customer_id: int) -> Member | None:
    """The member behind a Shopify customer."""
    return queries.by_customers(uow, [customer_id]).get(customer_id)


def by_ids(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, Member]:
    """Members by id."""
    return queries.by_ids(uow, member_ids)


def earning(uow: UnitOfWork, member_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these members who may earn. A guest does, and spends once they proved who they are."""
    wanted, known = set(member_ids), _statuses(uow)
    unknown = wanted - known.keys()
    if unknown:
        known.update(queries.statuses(uow, unknown))
    return {one for one in wanted if known.get(one) in _EARNING}


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
    uow.forget(STATUSES)
    compliance.record(
        uow, "member.status", ("member", str(member_id)), {"status": member.status}, {"status": status}
    )


def remember_merged_customer(uow: UnitOfWork, customer_id: int, kept_id: UUID) -> bool:
    """A customer who is no member yet was merged into a member: what comes about them later is the kept one's."""
    found = uow.execute(
        "INSERT INTO members (shop_id, id, customer_id, status, merged_into, enrolled_at)"
        " VALUES (%(shop)s, %(id)s, %(customer)s, 'merged', %(kept)s, %(now)s)"
        " ON CONFLICT (shop_id, customer_id) WHERE customer_id IS NOT NULL DO NOTHING",
        {
            "shop": uow.shop,
            "id": ids.new_id(),
            "customer": customer_id,
            "kept": kept_id,
            "now": uow.now,
        },
    )
    return bool(found.rowcount)


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
        "birthday": born.isoformat() if (born := birthdays.birthday(uow, member_id)) else None,
        "email_marketing": queries.consents(uow, [member_id]).get(member_id, False),
        "status": member.status,
        "customer_id": member.customer_id,
        "enrolled_at": member.enrolled_at.isoformat(),
        "notes": [note.text for note in queries.notes(uow, [member_id])],
        "tags": references.tags_of(uow, [member_id]).get(member_id, []),
    }


def erase(uow: UnitOfWork, member_id: UUID) -> None:
    """Forget who a member is, whoever was merged into them, and guests of the same e-mail or phone.

    The ledger keeps its numbers under ids of nobody.
    """
    forget(uow, [row["id"] for row in uow.all(_SAME_PERSON, {"shop": uow.shop, "id": member_id})])


def forget(uow: UnitOfWork, member_ids: Sequence[UUID]) -> None:
    """Forget who these members are, and nobody else."""
    uow.execute(_ERASE, {"shop": uow.shop, "ids": list(member_ids), "now": uow.now})
    uow.forget(STATUSES)
    for table in ("member_prefixes", "member_notes", "member_tags"):
        uow.execute(
            f"DELETE FROM {table} WHERE shop_id = %(shop)s AND member_id = ANY(%(ids)s)",
            {"shop": uow.shop, "ids": list(member_ids)},
        )


def learn_consents(uow: UnitOfWork, consents: dict[int, str]) -> None:
    """Remember what customers agreed to about marketing by e-mail, by customer id; one of `schemas.CONSENTS`."""
    uow.execute(
        "UPDATE members m SET email_consent = v.consent, updated_at = %(now)s"
        " FROM unnest(%(customers)s::bigint[], %(consents)s::text[]) AS v (customer, consent)"
        " WHERE m.shop_id = %(shop)s AND m.customer_id = v.customer AND m.status IN ('active', 'blocked')"
        " AND m.email_consent IS DISTINCT FROM v.consent",
        {
            "shop": uow.shop,
            "now": uow.now,
            "customers": list(consents),
            "consents": list(consents.values()),
        },
    )


def consents(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, bool]:
    """Whether members agreed to marketing by e-mail."""
    return queries.consents(uow, member_ids)


def ask_to_enroll(uow: UnitOfWork, reference: str) -> int:
    """Have a customer read from the shop and made a member; the customer's number. Raises CustomerUnknown, AlreadyMember."""
    found = _CUSTOMER.search(reference.strip())
    number = int(found[1]) if found else 0
    if not number:
        raise CustomerUnknown(fields={"customer": CustomerUnknown.default_message})
    if queries.by_customers(uow, [number]):
        raise AlreadyMember(fields={"customer": AlreadyMember.default_message})
    uow.outbox(ENROLL, {"customer_id": number}, key=f"{number}:{ids.new_id()}")
    compliance.record(uow, "member.enrolling", ("customer", str(number)), None, None)
    return number


def subscribed(uow: UnitOfWork, customer_ids: Iterable[int]) -> None:
    """Customers agree to marketing by e-mail; may be told again for the same ones."""
    found = queries.by_customers(uow, customer_ids)
    uow.publish(
        [MemberSubscribed(one.id, key) for key, one in sorted(found.items()) if one.customer_id == key]
    )

"""Guests: people who ordered without an account. They earn like others, and have it once they prove who they are."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from app.core import i18n, ids
from app.core.db import UnitOfWork
from app.domains.members import queries
from app.domains.members.schemas import Guest
from app.domains.members.service import merging

# A guest's e-mail or phone is unique among guests, so two orders at once make one guest.
_INSERT = """
INSERT INTO members (shop_id, id, email_sealed, email_index, phone_sealed, phone_index, locale, status, source, enrolled_at)
SELECT %(shop)s, v.*, 'guest', 'guest', %(now)s FROM unnest(%(ids)s::uuid[], %(emails)s::bytea[], %(email_indexes)s::bytea[],
  %(phones)s::bytea[], %(phone_indexes)s::bytea[], %(locales)s::text[]) AS v
ON CONFLICT DO NOTHING
"""


def welcome_guests(uow: UnitOfWork, guests: Iterable[Guest]) -> dict[Guest, UUID]:
    """The members who have the points of these guests; new guests are made. Guests without e-mail and phone have none."""
    wanted = [guest for guest in dict.fromkeys(guests) if any(queries.guest_key(uow, guest))]
    if not wanted:
        return {}
    known = queries.guest_owners(uow, wanted)
    missing = [guest for guest in wanted if guest not in known]
    if not missing:
        return known
    keys = [queries.guest_key(uow, guest) for guest in missing]
    uow.execute(
        _INSERT,
        {
            "shop": uow.shop,
            "now": uow.now,
            "ids": [ids.new_id() for _ in missing],
            "emails": [uow.seal(guest.email or None, "members.email") for guest in missing],
            "email_indexes": [email for email, _ in keys],
            "phones": [uow.seal(guest.phone or None, "members.phone") for guest in missing],
            "phone_indexes": [phone for _, phone in keys],
            "locales": [i18n.supported(guest.locale) for guest in missing],
        },
    )
    uow.enqueue("members.index_profiles")
    return queries.guest_owners(uow, wanted)


# What only the guest said about themselves is not lost.
_BIRTHDAY = """
UPDATE members k SET birthday_sealed = g.birthday_sealed, birthday_index = g.birthday_index, updated_at = %(now)s
FROM members g WHERE k.shop_id = %(shop)s AND k.id = %(kept)s AND k.birthday_sealed IS NULL
  AND g.shop_id = %(shop)s AND g.id = %(guest)s AND g.birthday_sealed IS NOT NULL
"""


def claim(uow: UnitOfWork, by_email: Sequence[int], by_phone: Sequence[int]) -> int:
    """Customers proved that an e-mail or a phone is theirs: what guests earned with it is theirs. Returns how many."""
    found = queries.claims(uow, by_email, by_phone) if by_email or by_phone else []
    for kept, guest in found:
        merging.merge(uow, kept, guest, origin="claim")
        uow.execute(_BIRTHDAY, {"shop": uow.shop, "now": uow.now, "kept": kept, "guest": guest})
    return len(found)

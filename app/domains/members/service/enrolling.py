"""People whom the shop enrolls itself: known by e-mail, like guests, until they register and have what waits for them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from app.core import i18n, ids
from app.core.db import UnitOfWork
from app.domains.members.queries import references
from app.domains.members.schemas import Newcomer
from app.domains.members.service import birthdays, connecting, people

# Whoever is a guest already, also one who came this moment, keeps what is known about them.
_INSERT = """
INSERT INTO members (shop_id, id, email_sealed, email_index, first_name_sealed, last_name_sealed, birthday_sealed,
  birthday_index, locale, status, source, enrolled_at)
SELECT %(shop)s, v.*, 'guest', 'enrolled', %(now)s FROM unnest(%(ids)s::uuid[], %(emails)s::bytea[], %(indexes)s::bytea[],
  %(firsts)s::bytea[], %(lasts)s::bytea[], %(birthdays)s::bytea[], %(days)s::bytea[], %(locales)s::text[]) AS v
ON CONFLICT DO NOTHING RETURNING id
"""
_MARK = """
UPDATE members SET source = 'enrolled', updated_at = %(now)s
WHERE shop_id = %(shop)s AND id = ANY(%(ids)s) AND status = 'guest' AND source = 'guest' RETURNING id
"""
_UNMARK = """
UPDATE members SET source = 'guest', updated_at = %(now)s
WHERE shop_id = %(shop)s AND id = ANY(%(ids)s) AND status = 'guest' AND source = 'enrolled'
"""


def enroll_newcomers(uow: UnitOfWork, newcomers: Iterable[Newcomer]) -> dict[str, UUID]:
    """Make guests of people who are none yet, by e-mail; those who are guests or members already are left out.

    Nothing is said about their consent: they get no marketing until they agree to it.
    """
    wanted = {one.email: one for one in newcomers}
    known = references.by_emails(uow, list(wanted))
    missing = [one for email, one in sorted(wanted.items()) if email not in known]
    if not missing:
        return {}
    values = _sealed(uow, missing)
    made = {row["id"] for row in uow.all(_INSERT, {"shop": uow.shop, "now": uow.now} | values)}
    uow.enqueue("members.index_profiles")
    uow.enqueue(connecting.FIND)
    new = zip(missing, values["ids"], strict=True)
    return {one.email: member_id for one, member_id in new if member_id in made}


def _sealed(uow: UnitOfWork, newcomers: Sequence[Newcomer]) -> dict[str, list[Any]]:
    born = [one.birthday for one in newcomers]
    return {
        "ids": [ids.new_id() for _ in newcomers],
        "emails": [uow.seal(one.email, "members.email") for one in newcomers],
        "indexes": [uow.blind_index(one.email, "members.email") for one in newcomers],
        "firsts": [uow.seal(one.first_name or None, "members.first_name") for one in newcomers],
        "lasts": [uow.seal(one.last_name or None, "members.last_name") for one in newcomers],
        "birthdays": [birthdays.sealed(uow, day) for day in born],
        "days": [birthdays.index_of(uow, day) for day in born],
        "locales": [i18n.supported(one.locale) for one in newcomers],
    }


def enroll_guests(uow: UnitOfWork, member_ids: Iterable[UUID]) -> set[UUID]:
    """Enroll people who are known because they ordered as guests. Gives those who were not enrolled before."""
    marked = {row["id"] for row in uow.all(_MARK, _of(uow, member_ids))}
    if marked:
        uow.enqueue(connecting.FIND)
    return marked


def enrolled(uow: UnitOfWork, member_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these guests whom the shop enrolled itself."""
    return references.enrolled(uow, list(member_ids))


def unenroll(uow: UnitOfWork, newcomers: Iterable[UUID], guests: Iterable[UUID]) -> None:
    """Take an enrolling back: newcomers are forgotten, guests are guests as before."""
    uow.execute(_UNMARK, _of(uow, guests))
    people.forget(uow, sorted(newcomers))


def _of(uow: UnitOfWork, member_ids: Iterable[UUID]) -> Mapping[str, Any]:
    return {"shop": uow.shop, "now": uow.now, "ids": sorted(member_ids)}

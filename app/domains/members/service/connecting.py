"""What Shopify says about customers: who they are, and whom of those it enrolled by e-mail a shop knows already."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.members.queries import references
from app.domains.members.schemas import Person
from app.domains.members.service import guests, people

FIND = "members.find_customers"
_ASKED = """
UPDATE members SET looked_up_at = %(now)s, updated_at = %(now)s
WHERE shop_id = %(shop)s AND id = ANY(%(ids)s) AND looked_up_at IS NULL
"""


def learn(
    uow: UnitOfWork,
    registered: Sequence[Person],
    changed: Sequence[Person] = (),
    consents: Mapping[int, str] | None = None,
) -> None:
    """Enroll and update customers, give them what waited for them as guests, and remember what they agreed to.

    `registered` have an account now, `changed` may be no members. Consents are by customer id. What is known changes nothing.
    """
    news = [*registered, *changed]
    if registered:
        people.register(uow, registered)
    if news:
        people.refresh_profiles(uow, news)
        proven = [person.customer_id for person in news if person.proven is not False]
        guests.claim(uow, proven, [person.customer_id for person in news if person.phone])
    if consents:
        people.learn_consents(uow, dict(consents))
    agreed = {customer for customer, state in (consents or {}).items() if state == "subscribed"}
    if agreed:
        people.subscribed(uow, agreed)


def to_look_up(uow: UnitOfWork, after: UUID | None, limit: int) -> dict[UUID, str]:
    """E-mails of enrolled people about whom Shopify was not asked yet, by member id in order, behind an id."""
    return references.unasked(uow, after, limit)


def looked_up(
    uow: UnitOfWork, found: Mapping[UUID, Person | None], consents: Mapping[int, str]
) -> dict[UUID, int]:
    """Shopify said who enrolled people are. Customers become members and have what waited for them; the others stay guests.

    Whoever registered, was erased or was looked up meanwhile is left alone. Returns the customers by former guest.
    """
    waiting = references.still_unasked(uow, list(found))
    known = {
        one: person
        for one, index in waiting.items()
        if (person := found[one]) and person.email and uow.blind_index(person.email, "members.email") == index
    }
    numbers = {person.customer_id for person in known.values()}
    said = {customer: state for customer, state in consents.items() if customer in numbers}
    learn(uow, list(known.values()), consents=said)
    uow.execute(_ASKED, {"shop": uow.shop, "now": uow.now, "ids": list(waiting)})
    return {one: person.customer_id for one, person in known.items()}

"""Work of members outside the request: indexes by which they are found, and asking Shopify who people are."""

import logging
import time
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork, unit_of_work
from app.core.jobs import job
from app.core.outbox import OutboxMessage, Settle, delivers
from app.domains.members import service
from app.domains.members.schemas import CONSENTS, Person
from app.domains.shops import service as shops
from app.shopify.admin import AdminClient
from app.shopify.errors import GraphQLFailed

log = logging.getLogger(__name__)

ASKED_AT_ONCE = 20
_SLICE = 500
_TURN_SECONDS = 60
_LEFT_TO_OTHERS = 0.5


@job("members.index_profiles", queue="slow", timeout_seconds=1800)
def index_profiles(shop_id: str) -> None:
    """Index members whose names or e-mails changed, a slice per transaction; safe to stop and start again."""
    while True:
        with unit_of_work(UUID(shop_id)) as uow:
            if service.index_profiles(uow, _SLICE) < _SLICE:
                return


@job("members.index_everywhere", queue="slow", timeout_seconds=3600)
def index_everywhere() -> None:
    """Index what a lost job left."""
    for shop_id in shops.installed():
        index_profiles(str(shop_id))


@delivers(service.ENROLL)
def enroll(message: OutboxMessage) -> Settle | None:
    """Read a customer from Shopify and make them a member; nobody is enrolled whom the shop does not know."""
    number = int(message.payload["customer_id"])
    asked = {"id": f"gid://shopify/Customer/{number}"}
    found: Any = AdminClient(message.shop_id).run("CustomerById", asked, allow_denied=True)["customer"]
    if found is None:
        return None
    person, agreed = _person(found), _consent(found)

    def settle(uow: UnitOfWork) -> None:
        service.learn(uow, [person], consents={number: agreed} if agreed in CONSENTS else {})

    return settle


@job(service.FIND, queue="slow", timeout_seconds=300)
def find_customers(shop_id: str, after: str | None = None) -> None:
    """Ask Shopify whom of the people that a shop enrolled by e-mail it knows, a few at a time.

    After a minute the rest goes to the end of the queue, so that other work is not kept waiting. A call that fails for good
    is passed over; those people are asked for again by the sweep.
    """
    client = AdminClient(UUID(shop_id), reserve_share=_LEFT_TO_OTHERS)
    place, until = UUID(after) if after else None, time.monotonic() + _TURN_SECONDS
    while True:
        with unit_of_work(UUID(shop_id)) as uow:
            wanted = service.to_look_up(uow, place, ASKED_AT_ONCE)
            if wanted and time.monotonic() > until:
                uow.enqueue(service.FIND, after=str(place) if place else None)
                return
        if not wanted:
            return
        place = max(wanted)
        try:
            found = _ask(client, wanted)
        except GraphQLFailed as error:
            if error.retryable:
                raise
            log.warning("Shopify could not say who %s enrolled people are: %s", len(wanted), error.code)
            continue
        with unit_of_work(UUID(shop_id)) as uow:
            people = {one: _person(customer) if customer else None for one, customer in found.items()}
            consents = {int(c["legacyResourceId"]): _consent(c) for c in found.values() if c}
            agreed = {customer: state for customer, state in consents.items() if state in CONSENTS}
            service.looked_up(uow, people, agreed)


def _ask(client: AdminClient, wanted: dict[UUID, str]) -> dict[UUID, Any]:
    """Shopify's customers with exactly these e-mails; None for nobody."""
    emails = list(wanted.values())
    emails += emails[-1:] * (ASKED_AT_ONCE - len(emails))
    answer = client.run("CustomersByEmail", {f"e{n}": email for n, email in enumerate(emails)})
    return {member: answer[f"e{n}"] for n, member in enumerate(wanted)}


@job("members.find_everywhere", queue="slow", timeout_seconds=600)
def find_everywhere() -> None:
    """Send for every shop that enrolled people of whom Shopify was not asked, for what a lost job left."""
    for shop_id in shops.installed():
        with unit_of_work(shop_id) as uow:
            if service.to_look_up(uow, None, 1):
                uow.enqueue(service.FIND)


def _person(customer: Any) -> Person:
    email, phone = customer["defaultEmailAddress"] or {}, customer["defaultPhoneNumber"] or {}
    updated = customer["updatedAt"]
    return Person(
        int(customer["legacyResourceId"]),
        email.get("emailAddress"),
        customer["firstName"],
        customer["lastName"],
        phone.get("phoneNumber"),
        customer["locale"],
        datetime.fromisoformat(updated) if updated else None,
        customer["verifiedEmail"],
    )


def _consent(customer: Any) -> str:
    return ((customer["defaultEmailAddress"] or {}).get("marketingState") or "").lower()

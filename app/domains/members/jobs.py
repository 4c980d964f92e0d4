"""Keeping the indexes by which members are found."""

from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork, unit_of_work
from app.core.jobs import job
from app.core.outbox import OutboxMessage, Settle, delivers
from app.domains.members import service
from app.domains.members.schemas import CONSENTS, Person
from app.domains.shops import service as shops
from app.shopify.admin import AdminClient

_SLICE = 500


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
    email, phone = found["defaultEmailAddress"] or {}, found["defaultPhoneNumber"] or {}
    person = Person(
        number,
        email.get("emailAddress"),
        found["firstName"],
        found["lastName"],
        phone.get("phoneNumber"),
        found["locale"],
    )
    agreed = (email.get("marketingState") or "").lower()

    def settle(uow: UnitOfWork) -> None:
        service.register(uow, [person])
        if agreed in CONSENTS:
            service.learn_consents(uow, {number: agreed})

    return settle

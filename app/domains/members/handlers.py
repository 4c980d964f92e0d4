"""Reactions of members to Shopify's customer topics."""

from collections.abc import Sequence

from pydantic import ValidationError

from app.core.db import UnitOfWork
from app.core.inbox import Delivery, on_topic
from app.domains.members import service
from app.domains.members.schemas import CustomerDeleted, CustomerPayload, Person


@on_topic("customers/create", "customers/update")
def customers_changed(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    """A customer account was created or changed in the shop."""
    registered: list[Person] = []
    changed: list[Person] = []
    for delivery in deliveries:
        try:
            person = CustomerPayload.model_validate(delivery.json()).person()
        except (ValidationError, ValueError):
            delivery.ignore("not a customer")
            continue
        (registered if delivery.topic == "customers/create" else changed).append(person)
    if registered:
        service.register(uow, registered)
    if registered or changed:
        service.refresh_profiles(uow, registered + changed)


@on_topic("customers/delete")
def customers_deleted(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    """The shop deleted a customer: nothing may lead to the person any more."""
    for delivery in deliveries:
        try:
            customer_id = CustomerDeleted.model_validate(delivery.json()).id
        except (ValidationError, ValueError):
            delivery.ignore("not a customer")
            continue
        member = service.by_customer(uow, customer_id)
        if member is None:
            delivery.ignore("no member")
        else:
            service.erase(uow, member.id)

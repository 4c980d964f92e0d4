"""Reactions of members to Shopify's customer topics."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from app.core.db import UnitOfWork
from app.core.i18n import mark
from app.core.inbox import Delivery, on_topic
from app.domains.compliance import service as compliance
from app.domains.members import queries, service
from app.domains.members.schemas import CustomerDeleted, CustomerPayload, CustomersMerged, Person
from app.domains.shops import service as shops
from app.domains.shops.schemas import HomeFigure


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
        compliance.request_erasure(
            uow, external_id=f"customers/delete:{customer_id}", customer_id=customer_id, requested_at=uow.now
        )


@on_topic("customers/merge")
def customers_merged(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    """The shop merged two customers into one."""
    for delivery in deliveries:
        try:
            body = CustomersMerged.model_validate(delivery.json())
        except (ValidationError, ValueError):
            delivery.ignore("not a merge")
            continue
        if body.status != "completed":
            delivery.ignore("the merge did not complete")
            continue
        kept, removed = (
            int(gid.rpartition("/")[2])
            for gid in (body.admin_graphql_api_customer_kept_id, body.admin_graphql_api_customer_deleted_id)
        )
        if not service.merge(uow, kept, removed):
            delivery.ignore("nothing to merge")


def _export(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> dict[str, Any]:
    return service.export(uow, member_id) if member_id else {}


def _erase(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> None:
    if member_id is not None:
        service.erase(uow, member_id)


def _find(uow: UnitOfWork, customer_id: int | None, email: str | None) -> UUID | None:
    if customer_id is not None:
        member = service.by_customer(uow, customer_id)
        return member.id if member else None
    found = queries.by_email(uow, email) if email else []
    return found[0].id if len(found) == 1 else None


def _home(uow: UnitOfWork, since: datetime) -> list[HomeFigure]:
    enrolled = queries.count_enrolled_since(uow, since)
    return [HomeFigure("members-enrolled", mark("New members today"), enrolled, "number", position=20)]


compliance.register_person_data("members", _export, tables=("members",))
compliance.register_person_eraser("members", _erase, tables=("members",))
compliance.register_member_finder(_find)
shops.register_home_facts("members", _home)

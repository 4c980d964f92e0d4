"""Reactions of members to Shopify's customer topics."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from babel.numbers import format_decimal
from pydantic import ValidationError

from app.core.db import UnitOfWork
from app.core.i18n import mark
from app.core.inbox import Delivery, on_topic
from app.core.permissions import Permission
from app.domains.compliance import service as compliance
from app.domains.members import queries, service
from app.domains.members.schemas import (
    CONSENTS,
    CustomerDeleted,
    CustomerPayload,
    CustomersMerged,
    Happening,
    Person,
    TimelineKind,
    TimelineSlice,
)
from app.domains.shops import service as shops
from app.domains.shops.schemas import DayFigure


@on_topic("customers/create", "customers/update")
def customers_changed(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    """A customer account was created or changed in the shop."""
    registered: list[Person] = []
    changed: list[Person] = []
    consents: dict[int, str] = {}
    for delivery in deliveries:
        try:
            payload = CustomerPayload.model_validate(delivery.json())
        except (ValidationError, ValueError):
            delivery.ignore("not a customer")
            continue
        agreed = payload.email_marketing_consent.state if payload.email_marketing_consent else None
        if agreed in CONSENTS:
            consents[payload.id] = agreed
        (registered if delivery.topic == "customers/create" else changed).append(payload.person())
    service.learn(uow, registered, changed, consents)


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
        if not service.merge_customers(uow, kept, removed):
            delivery.ignore("nothing to merge")


def _export(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> dict[str, Any]:
    return service.export(uow, member_id) if member_id else {}


def _erase(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> None:
    if member_id is not None:
        service.erase(uow, member_id)


def _find(uow: UnitOfWork, customer_id: int | None, email: str | None) -> UUID | None:
    if customer_id is not None:
        # A customer who was merged away is not the one who was kept: only what is theirs alone is looked for.
        member = queries.exactly_by_customers(uow, [customer_id]).get(customer_id)
        if member is not None:
            return member.id
    found = queries.by_email(uow, email) if email else []
    if customer_id is not None:
        found = [one for one in found if one.status == "guest"]
    return found[0].id if len(found) == 1 else None


def _of_days(uow: UnitOfWork, first: date, last: date, zone: str) -> dict[str, dict[date, int]]:
    return {"members-enrolled": queries.enrolled_by_day(uow, first, last, zone)}


shops.register_day_figures(
    "members", (DayFigure("members-enrolled", mark("New members"), "number", 30, "/app/members"),), _of_days
)


_MERGES = {
    "merged": mark("{name} was merged into this member"),
    "parted": mark("{name} was separated from this member"),
}
_BROUGHT = mark("{name} was merged into this member and brought points: {points}")
_MERGED_AWAY = {
    "merged": mark("This member was merged into {name}"),
    "parted": mark("This member was separated from {name}"),
}


def _merges(uow: UnitOfWork, part: TimelineSlice, locale: str) -> list[Happening]:
    rows, here = queries.merges_between(uow, part), part.member_ids
    other = [row["removed_id"] if row["kept_id"] in here else row["kept_id"] for row in rows]
    people = queries.profiles(uow, other)
    who = compliance.actors(uow, "member", [(str(row["kept_id"]), row["at"]) for row in rows])
    return [
        Happening(
            row["at"],
            row["id"],
            _merge_sentence(row, here),
            {
                "name": people[one].name or people[one].email or people[one].phone or str(one)[-8:],
                "points": format_decimal(row["brought"], locale=locale),
            },
            points=row["points"],
            actor=who.get((str(row["kept_id"]), row["at"]), ""),
            url=f"/app/members/{one}",
        )
        for row, one in zip(rows, other, strict=True)
    ]


def _merge_sentence(row: dict[str, Any], here: Sequence[UUID]) -> str:
    """Points that came from a member whose history is shown too are told, for they leave the sum as it was."""
    if row["brought"] and not row["points"]:
        return _BROUGHT
    return (_MERGES if row["kept_id"] in here else _MERGED_AWAY)[row["what"]]


def _changes(uow: UnitOfWork, part: TimelineSlice, locale: str) -> list[Happening]:
    ids = [str(one) for one in part.member_ids]
    return [
        Happening(
            one.created_at,
            one.id,
            *compliance.change_sentence(one.action, one.after, locale),
            actor=one.actor_label,
        )
        for one in compliance.of_subjects(uow, ("member", ids), part, part.told)
    ]


service.register_timeline(
    TimelineKind("merges", 70, mark("Merges"), "users", Permission.MEMBERS_READ, tells="merge_id"), _merges
)
service.register_timeline(
    TimelineKind("changes", 80, mark("Changes by staff"), "pencil", Permission.AUDIT_READ), _changes
)
_TABLES = (
    "members",
    "member_merges",
    "member_distinctions",
    "member_prefixes",
    "member_notes",
    "member_tags",
)
compliance.register_person_data("members", _export, tables=_TABLES)
compliance.register_person_eraser("members", _erase, tables=_TABLES)
compliance.register_member_finder(_find)

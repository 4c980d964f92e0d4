"""What bulk actions tell other domains: limits for adjusting, Home, and what is held about a person."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.i18n import mark
from app.domains.bulk import queries, service
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.points import service as points
from app.domains.shops import service as shops
from app.domains.shops.schemas import HomeFact, HomeNotice

_TABLES = ("bulk_rows",)


def _export(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> dict[str, Any]:
    return {"rows": queries.of_member(uow, member_id) if member_id else []}


def _erase(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> None:
    """Rows keep their numbers under an id of nobody; what was typed about the member in them goes."""
    if member_id is not None:
        service.forget_person(uow, members.profile(uow, member_id).email)
        uow.execute(
            "UPDATE bulk_rows SET reason = NULL WHERE shop_id = %(shop)s AND member_id = %(member)s"
            " AND reason IS NOT NULL",
            {"shop": uow.shop, "member": member_id},
        )


def _home(uow: UnitOfWork, since: datetime) -> list[HomeFact]:
    waiting = queries.count_waiting(uow)
    if not waiting:
        return []
    return [
        HomeNotice(
            "bulk-waiting",
            mark("Bulk actions that wait for approval: {count}."),
            "info",
            {"count": waiting},
            url="/app/bulk-actions?status=waiting",
        )
    ]


compliance.register_person_data("bulk", _export, tables=_TABLES)
compliance.register_person_eraser("bulk", _erase, tables=_TABLES)
points.register_by_hand("bulk", queries.moved_since, queries.made_since)
points.register_by_hand("enrolling", service.welcomed_since, service.welcomes_since)
shops.register_home_facts("bulk", _home)

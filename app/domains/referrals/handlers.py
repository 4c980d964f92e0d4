"""What referrals hold about people, for privacy requests."""

from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.referrals import queries, service


def _export(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> dict[str, Any]:
    return queries.of_person(uow, member_id) if member_id else {}


def _erase(uow: UnitOfWork, member_id: UUID | None, _: int | None) -> None:
    if member_id is not None:
        service.forget_link(uow, member_id)


_TABLES = ("referral_links", "referrals")
compliance.register_person_data("referrals", _export, tables=_TABLES)
compliance.register_person_eraser("referrals", _erase, tables=_TABLES)

"""Every SELECT on programs."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_

from app.core import paging
from app.core.db import UnitOfWork
from app.domains.programs.models import Program, ProgramVersion
from app.domains.programs.schemas import ProgramsQuery, ProgramTerms


def get(uow: UnitOfWork, program_id: UUID) -> Program | None:
    """One program."""
    return uow.session.scalar(select(Program).where(Program.id == program_id))


def active(uow: UnitOfWork) -> Program | None:
    """The program that members earn in."""
    return uow.session.scalar(select(Program).where(Program.status == "active"))


def page(uow: UnitOfWork, query: ProgramsQuery) -> paging.Page[Program]:
    """Programs, newest first."""
    statement = select(Program).order_by(Program.created_at.desc(), Program.id.desc()).limit(query.limit + 1)
    if query.status:
        statement = statement.where(Program.status == query.status)
    if query.cursor:
        created, last = paging.decode_cursor(query.cursor, 2)
        statement = statement.where(
            tuple_(Program.created_at, Program.id) < tuple_(datetime.fromisoformat(created), UUID(last))
        )
    rows = list(uow.session.scalars(statement))
    items = rows[: query.limit]
    more = len(rows) > query.limit
    return paging.Page(items, paging.encode_cursor(items[-1].created_at, items[-1].id) if more else None)


def versions(uow: UnitOfWork, program_id: UUID, limit: int = 50) -> list[ProgramVersion]:
    """The program's versions, newest first."""
    return list(
        uow.session.scalars(
            select(ProgramVersion)
            .where(ProgramVersion.program_id == program_id)
            .order_by(ProgramVersion.number.desc())
            .limit(limit)
        )
    )


_TERMS = "SELECT id, program_id, terms FROM program_versions WHERE shop_id = %(shop)s"


def terms(uow: UnitOfWork, version_ids: list[UUID]) -> dict[UUID, ProgramTerms]:
    """The terms of versions by id."""
    rows = uow.all(_TERMS + " AND id = ANY(%(ids)s)", {"shop": uow.shop, "ids": version_ids})
    return {row["id"]: _terms(row) for row in rows}


def active_terms(uow: UnitOfWork) -> ProgramTerms | None:
    """The terms that hold now; None when no program is active."""
    row = uow.one(
        _TERMS
        + " AND id = (SELECT current_version_id FROM programs WHERE shop_id = %(shop)s AND status = 'active')",
        {"shop": uow.shop},
    )
    return _terms(row) if row else None


def _terms(row: dict[str, Any]) -> ProgramTerms:
    stored = row["terms"]
    return ProgramTerms(
        version_id=row["id"],
        program_id=row["program_id"],
        points_per_unit=Decimal(stored["points_per_unit"]),
        signup_bonus=stored["signup_bonus"],
        earn_trigger=stored["earn_trigger"],
        holding_days=stored["holding_days"],
        expiry_months=stored["expiry_months"],
        rounding=stored["rounding"],
        earn_on_tax=stored["earn_on_tax"],
        minimum_redemption=stored["minimum_redemption"],
    )

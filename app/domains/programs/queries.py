"""Every SELECT on programs."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, select

from app.core import paging
from app.core.db import UnitOfWork
from app.core.walking import placed
from app.domains.programs import rules
from app.domains.programs.models import Program, ProgramVersion
from app.domains.programs.schemas import ProgramsQuery, ProgramTerms

# How many programs a choice lists; nobody works on more at a time.
KEPT_SHOWN = 50


def get(uow: UnitOfWork, program_id: UUID) -> Program | None:
    """One program."""
    return uow.session.scalar(select(Program).where(Program.id == program_id))


def active(uow: UnitOfWork) -> Program | None:
    """The program that members earn in."""
    return uow.session.scalar(select(Program).where(Program.status == "active"))


def some(uow: UnitOfWork, program_ids: Iterable[UUID]) -> dict[UUID, Program]:
    """Programs by id."""
    found = uow.session.scalars(select(Program).where(Program.id.in_(list(program_ids))))
    return {one.id: one for one in found}


def kept(uow: UnitOfWork) -> list[Program]:
    """Programs that are not archived: the active one first, then those planned to start, then the newest."""
    order = case({"active": 0, "scheduled": 1}, value=Program.status, else_=2)
    return list(
        uow.session.scalars(
            select(Program)
            .where(Program.status != "archived")
            .order_by(order, Program.created_at.desc(), Program.id)
            .limit(KEPT_SHOWN)
        )
    )


def scheduled(uow: UnitOfWork) -> list[Program]:
    """Programs that will start by themselves, the next one first."""
    return list(
        uow.session.scalars(
            select(Program).where(Program.status == "scheduled").order_by(Program.starts_at, Program.id)
        )
    )


def due(uow: UnitOfWork) -> list[Program]:
    """Programs that start or end by now, locked, in the order in which that was to happen."""
    return list(
        uow.session.scalars(
            select(Program)
            .where(
                ((Program.status == "scheduled") & (Program.starts_at <= uow.now))
                | ((Program.status == "active") & (Program.ends_at <= uow.now))
            )
            .order_by(
                case((Program.status == "active", Program.ends_at), else_=Program.starts_at), Program.id
            )
            .with_for_update()
        )
    )


def budgets(uow: UnitOfWork, program_id: UUID) -> dict[str, int]:
    """Points given from budgets of the program, by the budget's key."""
    rows = uow.all(
        "SELECT rule_id, given FROM earning_budgets WHERE shop_id = %(shop)s AND program_id = %(program)s",
        {"shop": uow.shop, "program": program_id},
    )
    return {row["rule_id"]: row["given"] for row in rows}


_NEWEST = paging.Order({"created_at": datetime, "id": UUID}, descending=True)


def page(uow: UnitOfWork, query: ProgramsQuery) -> paging.Page[Program]:
    """Programs, newest first. Raises StaleCursor."""
    statement = select(Program).limit(query.limit + 1)
    if query.status:
        statement = statement.where(Program.status == query.status)
    keys = (Program.created_at, Program.id)

    def read(place: paging.Place | None) -> Sequence[Program]:
        return uow.session.scalars(placed(statement, keys, _NEWEST, place)).all()

    return _NEWEST.page(query.cursor, query.limit, read)


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


def version(uow: UnitOfWork, program_id: UUID, number: int) -> ProgramVersion | None:
    """One version of a program."""
    return uow.session.scalar(
        select(ProgramVersion).where(ProgramVersion.program_id == program_id, ProgramVersion.number == number)
    )


def version_of(uow: UnitOfWork, version_id: UUID) -> dict[str, Any] | None:
    """Which version of which program an id names: {program_id, name, number}."""
    return uow.one(
        "SELECT v.program_id, p.name, v.number FROM program_versions v JOIN programs p ON p.shop_id = v.shop_id"
        " AND p.id = v.program_id WHERE v.shop_id = %(shop)s AND v.id = %(id)s",
        {"shop": uow.shop, "id": version_id},
    )


_READ: dict[UUID, ProgramTerms] = {}
_READ_AT_MOST = 2048
_TERMS = "SELECT id, program_id, terms FROM program_versions WHERE shop_id = %(shop)s"


def terms(uow: UnitOfWork, version_ids: list[UUID]) -> dict[UUID, ProgramTerms]:
    """The terms of versions by id."""
    rows = uow.all(_TERMS + " AND id = ANY(%(ids)s)", {"shop": uow.shop, "ids": version_ids})
    return {row["id"]: _terms(row) for row in rows}


def idle_versions(uow: UnitOfWork) -> list[ProgramTerms]:
    """Terms, of past versions too, under which points end when members are inactive."""
    rows = uow.all(
        _TERMS + " AND terms->'expiry'->>'mode' = 'idle' AND terms->>'expiry_months' IS NOT NULL",
        {"shop": uow.shop},
    )
    return [_terms(row) for row in rows]


def active_terms(uow: UnitOfWork) -> ProgramTerms | None:
    """The terms that hold now; None when no program is active."""
    row = uow.one(
        _TERMS
        + " AND id = (SELECT current_version_id FROM programs WHERE shop_id = %(shop)s AND status = 'active')",
        {"shop": uow.shop},
    )
    return _terms(row) if row else None


def _terms(row: dict[str, Any]) -> ProgramTerms:
    """Versions never change, so each is read once in a process."""
    found = _READ.get(row["id"])
    if found is None:
        if len(_READ) >= _READ_AT_MOST:
            _READ.clear()
        found = _READ[row["id"]] = rules.read_terms(row["id"], row["program_id"], row["terms"])
    return found

"""Who holds what about a person: each domain registers how its part is exported and how it is erased."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork

Exporter = Callable[[UnitOfWork, UUID | None, int | None], Any]
Eraser = Callable[[UnitOfWork, UUID | None, int | None], None]
MemberFinder = Callable[[UnitOfWork, int | None, str | None], UUID | None]


@dataclass(frozen=True)
class Part:
    """One domain's function and the tables it answers for."""

    function: Callable[..., Any]
    tables: frozenset[str]


_exporters: dict[str, Part] = {}
_erasers: dict[str, Part] = {}
_finders: list[MemberFinder] = []


def register_person_data(name: str, exporter: Exporter, *, tables: Iterable[str] = ()) -> None:
    """Say how a domain's data about a person is exported: `exporter(uow, member_id, customer_id)` gives JSON values."""
    _exporters[name] = Part(exporter, frozenset(tables))


def register_person_eraser(name: str, eraser: Eraser, *, tables: Iterable[str] = ()) -> None:
    """Say how a domain forgets a person: `eraser(uow, member_id, customer_id)`; it can be called again."""
    _erasers[name] = Part(eraser, frozenset(tables))


def register_member_finder(finder: MemberFinder) -> None:
    """Say which member a customer id, or an e-mail when there is no id, belongs to; the last one registered counts."""
    _finders[:] = [finder]


def exported_tables() -> frozenset[str]:
    """Tables that an exporter answers for."""
    return frozenset().union(*(part.tables for part in _exporters.values()))


def erased_tables() -> frozenset[str]:
    """Tables that an eraser answers for."""
    return frozenset().union(*(part.tables for part in _erasers.values()))


def find_member(uow: UnitOfWork, customer_id: int | None, email: str | None) -> UUID | None:
    """The member behind a customer; None when the person is not one."""
    return _finders[0](uow, customer_id, email) if _finders else None


def collect(uow: UnitOfWork, member_id: UUID | None, customer_id: int | None) -> dict[str, Any]:
    """Everything that the domains hold about a person, by domain."""
    return {name: part.function(uow, member_id, customer_id) for name, part in sorted(_exporters.items())}


def forget(uow: UnitOfWork, member_id: UUID | None, customer_id: int | None) -> None:
    """Let every domain forget a person."""
    for _, part in sorted(_erasers.items()):
        part.function(uow, member_id, customer_id)

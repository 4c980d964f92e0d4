"""Reactions of programs."""

from collections.abc import Sequence

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.domains.programs import queries, service
from app.domains.programs.schemas import ProgramsQuery
from app.domains.shops.events import ShopInstalled


@subscribe(ShopInstalled)
def start_with_a_program(uow: UnitOfWork, events: Sequence[ShopInstalled]) -> None:
    """A shop's first installation gets the default program; a reinstallation keeps what it had."""
    if not queries.page(uow, ProgramsQuery(limit=1)).items:
        service.create_default(uow)

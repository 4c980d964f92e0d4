"""Reactions of programs."""

from collections.abc import Sequence
from datetime import datetime

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.core.i18n import mark
from app.domains.programs import queries, service
from app.domains.programs.schemas import ProgramsQuery
from app.domains.shops import service as shops
from app.domains.shops.events import ShopInstalled
from app.domains.shops.schemas import HomeStep


@subscribe(ShopInstalled)
def start_with_a_program(uow: UnitOfWork, events: Sequence[ShopInstalled]) -> None:
    """A shop's first installation gets the default program; a reinstallation keeps what it had."""
    if not queries.page(uow, ProgramsQuery(limit=1)).items:
        service.create_default(uow)


def _home(uow: UnitOfWork, _: datetime) -> list[HomeStep]:
    return [
        HomeStep(
            "program",
            mark("Make your program live"),
            mark("Members earn points as soon as a program is active."),
            done=queries.active_terms(uow) is not None,
            url="/app/loyalty-programs",
            position=10,
        )
    ]


shops.register_home_facts("programs", _home)

"""Placing everybody anew after a ladder changed."""

from uuid import UUID

from app.core.db import unit_of_work
from app.core.jobs import job
from app.domains.shops import service as shops
from app.domains.tiers import queries, service

_SLICE = 1_000


@job("tiers.place_everywhere", queue="slow", timeout_seconds=3600)
def place_everywhere() -> None:
    """Once a day: find members whom a lost job left on the wrong tier."""
    for shop_id in shops.installed():
        place_all(str(shop_id))


@job("tiers.place_all", queue="slow", timeout_seconds=1800)
def place_all(shop_id: str) -> None:
    """Place every member with points, a slice per transaction; safe to stop and start again."""
    after: UUID | None = None
    while True:
        with unit_of_work(UUID(shop_id)) as uow:
            found = queries.slice_of_accounts(uow, after, _SLICE)
            service.place_members(uow, found)
        if len(found) < _SLICE:
            return
        after = max(found)

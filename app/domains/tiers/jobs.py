"""Reviews of everybody, gifts, previews and the reading of past orders, each a slice per transaction."""

from collections import deque
from time import monotonic
from uuid import UUID

from app.core.db import unit_of_work
from app.core.jobs import job
from app.domains.shops import service as shops
from app.domains.tiers import service

_SECONDS = 3_300


@job("tiers.review_everywhere", queue="slow", timeout_seconds=3600)
def review_everywhere() -> None:
    """Review each shop once in its local day, the shops in turns; what is cut short goes on in the next hour."""
    until = monotonic() + _SECONDS
    waiting: deque[UUID] = deque()
    for shop_id in shops.installed():
        with unit_of_work(shop_id) as uow:
            if service.begin(uow):
                waiting.append(shop_id)
    while waiting and monotonic() < until:
        shop_id = waiting.popleft()
        with unit_of_work(shop_id) as uow:
            more = service.review_slice(uow)
        if more:
            waiting.append(shop_id)
        else:
            _give(shop_id)


def _give(shop_id: UUID) -> None:
    after: UUID | None = None
    while True:
        with unit_of_work(shop_id) as uow:
            after = service.give_gifts(uow, after)
        if after is None:
            return


@job("tiers.place_all", queue="slow", timeout_seconds=1800)
def place_all(shop_id: str) -> None:
    """Place everybody anew after a ladder changed; safe to stop and start again."""
    shop = UUID(shop_id)
    _read(shop)
    after: UUID | None = None
    while True:
        with unit_of_work(shop) as uow:
            after = service.place_slice(uow, after)
        if after is None:
            break
    _give(shop)


def _read(shop: UUID) -> None:
    while True:
        with unit_of_work(shop) as uow:
            more = service.read_page(uow)
        if not more:
            return


@job("tiers.read_orders", queue="slow", timeout_seconds=3600)
def read_orders(shop_id: str) -> None:
    """Read what past orders count; goes on where it was."""
    _read(UUID(shop_id))


@job("tiers.simulate", queue="slow", timeout_seconds=1800)
def simulate(shop_id: str, simulation: str) -> None:
    """Preview a ladder on every member; goes on where it was."""
    service.run(UUID(shop_id), UUID(simulation))

"""Following what happens, and building everything anew once a night; each slice is a transaction of its own."""

from uuid import UUID

from app.core.db import unit_of_work
from app.core.jobs import job
from app.domains.segments import queries, service
from app.domains.shops import service as shops

_SLICE = 5_000


@job("segments.build", queue="slow", timeout_seconds=1800)
def build(shop_id: str) -> None:
    """Sum up the facts of every member and evaluate every segment; goes on where it was stopped."""
    more = True
    while more:
        with unit_of_work(UUID(shop_id)) as uow:
            more = service.build(uow)


@job("segments.follow", queue="slow", timeout_seconds=600)
def follow(shop_id: str) -> None:
    """Let a shop's segments follow what happened since the last time; what was done twice stays right."""
    with unit_of_work(UUID(shop_id)) as uow:
        changed, seen = service.changed(uow), uow.now
    if changed is None:
        return
    for start in range(0, len(changed), _SLICE):
        with unit_of_work(UUID(shop_id)) as uow:
            if not service.follow(uow, changed[start : start + _SLICE]):
                return
    with unit_of_work(UUID(shop_id)) as uow:
        service.followed(uow, seen)


@job("segments.count", queue="slow", timeout_seconds=600)
def count(shop_id: str, segment_id: str) -> None:
    """Look for the members of one segment; the first one of a shop has the facts built before."""
    with unit_of_work(UUID(shop_id)) as uow:
        built = queries.facts.progress(uow)["built_at"] is not None
    if not built:
        build(shop_id)
    with unit_of_work(UUID(shop_id)) as uow:
        found = queries.get(uow, UUID(segment_id))
        if found is not None and found.kind == "rules":
            service.count(uow, found)


@job("segments.follow_everywhere", queue="slow", timeout_seconds=600)
def follow_everywhere() -> None:
    """Every minute: segments follow orders, the ledger and what staff did. Shops without segments are passed over."""
    for shop_id in shops.installed():
        with unit_of_work(shop_id) as uow:
            used = bool(queries.options(uow))
        if used:
            follow(str(shop_id))


@job("segments.build_everywhere", queue="slow", timeout_seconds=3600)
def build_everywhere() -> None:
    """Every night: days went by, and what nobody told is found."""
    for shop_id in shops.installed():
        with unit_of_work(shop_id) as uow:
            used = bool(queries.options(uow))
        if used:
            build(str(shop_id))

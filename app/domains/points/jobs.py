"""Points that move by the calendar."""

from uuid import UUID

from app.core.db import unit_of_work
from app.core.jobs import job
from app.domains.points import queries, service
from app.domains.shops import service as shops

_SLICE = 200


@job("points.activate_due", queue="slow", timeout_seconds=600)
def activate_due() -> None:
    """Make pending points available whose day has come, shop by shop, a slice of members per transaction."""
    for shop_id in shops.installed():
        _run(shop_id, "activate")


@job("points.expire_due", queue="slow", timeout_seconds=600)
def expire_due() -> None:
    """Expire points past their date, shop by shop, a slice of members per transaction; safe to stop and start again."""
    for shop_id in shops.installed():
        _run(shop_id, "expire")


def _run(shop: UUID, what: str) -> None:
    step = service.activate if what == "activate" else service.expire
    while True:
        with unit_of_work(shop) as uow:
            members = queries.members_due(uow, what, uow.now, _SLICE)
            for member_id in members:
                step(uow, member_id)
        if len(members) < _SLICE:
            return

"""Closing months when they are over."""

from app.core.db import unit_of_work
from app.core.jobs import job
from app.domains.liability import service
from app.domains.shops import service as shops


@job("liability.close_months", queue="slow", timeout_seconds=3600)
def close_months() -> None:
    """Close every month that is over, shop by shop, one transaction each; safe to stop and start again."""
    for shop_id in shops.installed():
        while True:
            with unit_of_work(shop_id) as uow:
                closed = service.close_next(uow)
            if closed is None:
                break

"""Programs that start and end by the calendar."""

from app.core.db import unit_of_work
from app.core.jobs import job
from app.domains.programs import service
from app.domains.shops import service as shops


@job("programs.keep_schedule", queue="slow", timeout_seconds=600)
def keep_schedule() -> None:
    """Planned programs start and end, shop by shop."""
    for shop_id in shops.installed():
        with unit_of_work(shop_id) as uow:
            service.keep_schedule(uow)

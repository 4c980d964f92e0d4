"""Bulk actions outside the request: each job works for some seconds, then lets others have the worker."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from time import monotonic
from uuid import UUID

from app.core import jobs
from app.core.db import JobCall, is_contention, is_outage, unit_of_work
from app.core.errors import LoyalNestError
from app.core.jobs import job
from app.domains.bulk import queries, service
from app.domains.shops import service as shops

log = logging.getLogger(__name__)
_TURN_SECONDS = 20
_STALLED = timedelta(seconds=90)
_ABANDONED = timedelta(days=30)
_BY_STATUS = {"checking": service.CHECK, "running": service.RUN, "undoing": service.UNDO}


@job(service.CHECK, queue="slow", timeout_seconds=300)
def check(shop_id: str, run: str) -> None:
    """Make a dry run, or go on with it."""
    _turn(service.CHECK, service.read, UUID(shop_id), UUID(run))


@job(service.RUN, queue="slow", timeout_seconds=300)
def run_rows(shop_id: str, run: str) -> None:
    """Do the next rows of a run."""
    _turn(service.RUN, service.run, UUID(shop_id), UUID(run))


@job(service.UNDO, queue="slow", timeout_seconds=300)
def undo_rows(shop_id: str, run: str) -> None:
    """Take the next rows of a run back."""
    _turn(service.UNDO, service.undo_rows, UUID(shop_id), UUID(run))


def _turn(name: str, work: Callable[[UUID, UUID], Iterator[bool]], shop_id: UUID, run_id: UUID) -> None:
    """Work slice by slice until all is done or others should have their turn.

    What a kill or a restart of the database leaves goes on later, by the retries of the queue or by `go_on`; a fault of
    the work itself is noted at the run.
    """
    until = monotonic() + _TURN_SECONDS
    try:
        for _ in work(shop_id, run_id):
            if monotonic() >= until:
                jobs.send([JobCall(name, {"shop_id": str(shop_id), "run": str(run_id)})])
                return
    except Exception as error:
        if _passes(error):
            raise
        log.exception("bulk action %s of shop %s stopped", run_id, shop_id)
        with unit_of_work(shop_id) as uow:
            service.note_trouble(uow, run_id, type(error).__name__)


def _passes(error: Exception) -> bool:
    return is_contention(error) or is_outage(error) or (isinstance(error, LoyalNestError) and error.retryable)


@job("bulk.go_on", queue="slow", timeout_seconds=60)
def go_on() -> None:
    """Send the job of every run that nobody works on: a worker was stopped, or the queue was emptied.

    Whoever was to be enrolled is not kept for long: such a run is given up a month after the last touch.
    """
    for shop_id in shops.installed():
        with unit_of_work(shop_id) as uow:
            for run_id in queries.stalled(uow, uow.now - _STALLED):
                uow.enqueue(_BY_STATUS[service.get(uow, run_id).status], run=str(run_id))
            for run_id in queries.abandoned(uow, uow.now - _ABANDONED):
                service.cancel(uow, run_id)

"""Work of shops in the background: keeping tokens alive, erasing, and the upkeep of tables that grow with time."""

import logging
from datetime import timedelta
from uuid import UUID

from app.core import jobs
from app.core.db import JobCall, cross_shop, unit_of_work
from app.core.errors import LoyalNestError
from app.core.settings import get_settings
from app.domains.shops import service
from app.shopify import sessions

log = logging.getLogger(__name__)
_REFRESH_AFTER = timedelta(days=7)
_MONTHS_AHEAD = 3


@jobs.job("shops.keep_tokens_alive")
def keep_tokens_alive() -> None:
    """Ask for a refresh of every token that is a week old: one of a shop that nobody opens would die of age."""
    stale = service.list_stale_tokens(_REFRESH_AFTER)
    jobs.send([JobCall("shops.refresh_token", {"shop_id": str(shop_id)}) for shop_id in stale])


@jobs.job("shops.refresh_token", retries=2)
def refresh_token(shop_id: str) -> None:
    """Refresh one shop's token; a refusal for good is remembered by the session itself."""
    try:
        sessions.keep_alive(UUID(shop_id))
    except LoyalNestError as error:
        if error.retryable:
            raise
        log.warning("the token of shop %s cannot be refreshed: %s", shop_id, error.code)


@jobs.job("shops.erase", queue="slow", timeout_seconds=3600)
def erase(shop_id: str) -> None:
    """Erase a shop that Shopify asked us to erase."""
    service.erase(UUID(shop_id))


@jobs.job("shops.sweep_erased")
def sweep_erased() -> None:
    """Go on with erasures that were cut short, and drop what came late."""
    jobs.send([JobCall("shops.erase", {"shop_id": str(shop_id)}) for shop_id in service.sweep()])


@jobs.job("shops.keep_days", queue="slow", timeout_seconds=3600)
def keep_days() -> None:
    """Add up days that are over before somebody opens Home, a month of one shop per transaction."""
    for shop_id in service.installed():
        more = True
        while more:
            with unit_of_work(shop_id) as uow:
                more = service.keep_days(uow)


@jobs.job("shops.tend_tables", queue="slow", timeout_seconds=900)
def tend_tables() -> None:
    """Make the partitions of the coming months; drop old webhooks, idempotency keys and outside work done."""
    keep = timedelta(days=get_settings().inbox_retention_days)
    with cross_shop("partitions and retention") as uow:
        uow.execute("SET LOCAL lock_timeout = '5s'")
        uow.execute(
            "SELECT make_partitions('inbox', %(ahead)s), make_partitions('audit_entries', %(ahead)s)",
            {"ahead": _MONTHS_AHEAD},
        )
        uow.execute("SELECT drop_partitions('inbox', %(before)s)", {"before": (uow.now - keep).date()})
    while _purge_idempotency_keys() == _PURGE_ROWS:
        pass
    while _purge_outbox() == _PURGE_ROWS:
        pass


_PURGE_ROWS = 5000
_KEEP_KEYS = timedelta(hours=48)
_KEEP_DELIVERED = timedelta(days=30)


def _purge_idempotency_keys() -> int:
    with cross_shop("idempotency keys past their time") as uow:
        return uow.execute(
            "DELETE FROM idempotency_keys WHERE (shop_id, principal, key) IN (SELECT shop_id, principal, key"
            " FROM idempotency_keys WHERE created_at < %(before)s ORDER BY created_at LIMIT %(rows)s)",
            {"before": uow.now - _KEEP_KEYS, "rows": _PURGE_ROWS},
        ).rowcount


def _purge_outbox() -> int:
    with cross_shop("outside work that was done long ago") as uow:
        return uow.execute(
            "DELETE FROM outbox WHERE (shop_id, id) IN (SELECT shop_id, id FROM outbox"
            " WHERE state = 1 AND done_at < %(before)s LIMIT %(rows)s)",
            {"before": uow.now - _KEEP_DELIVERED, "rows": _PURGE_ROWS},
        ).rowcount

"""What drills work on: a shop of their own, orders worth ten points, and waiting for the backlog to be handled."""

import time
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import LoyalNestError
from tests.factories import payloads
from tests.fixtures.shop import TestShop, make_shop

POINTS = 10
BACKLOG_SECONDS = 60.0
PATIENCE = 180.0
"""Seconds that a caller waits for an answer: a process that was killed starts anew behind an open port."""
OUTAGES = (LoyalNestError, psycopg.Error, SQLAlchemyError)
"""What callers see while the database is away."""


def install(name: str) -> TestShop:
    """A new shop with the default program."""
    return make_shop(f"{name}-{uuid4().hex[:8]}.myshopify.com")


def paid_order(number: int, customer_id: int) -> dict[str, Any]:
    """A paid order of 1.00: ten points, too few to move anybody's tier."""
    return payloads.order(
        number, [payloads.line(number * 10 + 1, "1.00")], customer=payloads.customer(customer_id)
    )


def waiting(shop: TestShop, table: str = "inbox") -> int:
    """Rows that nobody has handled yet."""
    with shop.work() as uow:
        return int(uow.scalar(f"SELECT count(*) FROM {table} WHERE state = 0"))


def seconds_until_handled(shop: TestShop, *tables: str, patience: float = BACKLOG_SECONDS) -> float:
    """Wait until nothing is waiting, in the inbox and other tables; the patience's end is an answer too (I9)."""
    started = time.monotonic()
    while time.monotonic() - started < patience:
        try:
            if not any(waiting(shop, table) for table in ("inbox", *tables)):
                break
        except OUTAGES:
            pass
        time.sleep(0.1)
    return round(time.monotonic() - started, 1)

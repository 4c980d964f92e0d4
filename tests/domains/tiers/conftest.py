"""Members with points and orders, a chosen day, and ladders of every kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock
from app.core.db import UnitOfWork, unit_of_work
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit, Reversal
from app.domains.tiers import jobs, service
from app.domains.tiers.schemas import Ladder, Level
from tests.fixtures.shop import TestShop

START = datetime.fromisoformat("2026-03-10T12:00:00+00:00")


class Club:
    """A shop whose members earn and whose days pass."""

    def __init__(self, shop: TestShop) -> None:
        self.shop = shop
        self.now = START
        self._number = 0

    @contextmanager
    def work(self) -> Iterator[UnitOfWork]:
        with clock.use_clock(lambda: self.now), unit_of_work(self.shop.id) as uow:
            yield uow

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def join(self) -> UUID:
        self._number += 1
        with self.work() as uow:
            who = Person(self._number, f"m{self._number}@example.com", "Ada", "Byron")
            return members.enroll(uow, [who])[self._number].id

    def earn(self, member: UUID, amount: int, order: UUID | None = None) -> None:
        self._number += 1
        with self.work() as uow:
            points.credit(uow, [Credit(member, amount, f"k{self._number}", "specimen", order_id=order)])

    def take_back(self, member: UUID, amount: int, order: UUID) -> None:
        self._number += 1
        with self.work() as uow:
            points.reverse(uow, Reversal(member, amount, f"k{self._number}", "refund", order_id=order))

    def ladder(self, **changes: Any) -> Ladder:
        with self.work() as uow:
            before = service.ladders(uow)[0]
            return service.save(uow, replace(before, **changes), version=before.version)

    def tier(self, name: str, **changes: Any) -> Level:
        """Change a tier of the main ladder."""
        with self.work() as uow:
            before = service.ladders(uow)[0]
            levels = tuple(replace(one, **changes) if one.name == name else one for one in before.levels)
            saved = service.save(uow, replace(before, levels=levels), version=before.version)
        return next(one for one in saved.levels if one.name == name)

    def review(self) -> None:
        with clock.use_clock(lambda: self.now):
            jobs.review_everywhere()

    def place(self) -> None:
        with clock.use_clock(lambda: self.now):
            jobs.place_all(str(self.shop.id))

    def name(self, member: UUID) -> str | None:
        with self.work() as uow:
            tier = service.standing(uow, member).tier
            return tier.name if tier else None

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        with self.work() as uow:
            return uow.all(sql, {"shop": self.shop.id, **values})


@pytest.fixture
def club(shop: TestShop) -> Club:
    return Club(shop)

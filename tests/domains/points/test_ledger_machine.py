"""The ledger against a small model of it, on a real database: any sequence of postings must agree."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.core import clock, ids
from app.core.db import UnitOfWork, unit_of_work
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service
from app.domains.points.errors import InsufficientPoints
from app.domains.points.schemas import Credit
from tests.domains.points.invariants import broken
from tests.fixtures.shop import TestShop

POINTS = st.integers(1, 500)
_numbers = count(1)


class Lot:
    def __init__(
        self, points: int, order: int | None, activates: datetime, expires: datetime | None, number: int
    ):
        self.left, self.order, self.number = points, order, number
        self.pending, self.activates = False, activates
        self.expires = expires or datetime.max.replace(tzinfo=UTC)


class Model:
    """What a member has, in plain Python: lots, holds and a debt."""

    def __init__(self) -> None:
        self.lots: list[Lot] = []
        self.debt = 0

    @property
    def available(self) -> int:
        return sum(lot.left for lot in self.lots if not lot.pending)

    @property
    def pending(self) -> int:
        return sum(lot.left for lot in self.lots if lot.pending)

    def take(self, points: int, chosen: list[Lot]) -> list[tuple[Lot, int]]:
        taken = []
        for lot in sorted(chosen, key=lambda one: (not one.pending, one.expires, one.number)):
            part = min(lot.left, points)
            if part:
                lot.left -= part
                points -= part
                taken.append((lot, part))
        return taken

    def open_lots(self) -> list[Lot]:
        return [lot for lot in self.lots if not lot.pending]

    def repay(self) -> None:
        self.debt -= sum(part for _, part in self.take(self.debt, self.open_lots()))


class Ledger(RuleBasedStateMachine):
    """Awards, holds, spends, refunds, expiry and waiting, in any order, with repeats and undone transactions."""

    shop: TestShop

    @initialize()
    def start(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.model = Model()
        self.holds: dict[object, list[tuple[Lot, int]]] = {}
        self.spent: dict[object, list[tuple[Lot, int]]] = {}
        self.orders: dict[int, object] = {}
        customer = next(_numbers)
        with self.work() as uow:
            self.member = members.enroll(uow, [Person(customer)])[customer].id

    @contextmanager
    def work(self) -> Iterator[UnitOfWork]:
        with clock.use_clock(lambda: self.now), unit_of_work(self.shop.id) as uow:
            yield uow

    @rule(
        points=POINTS,
        order=st.none() | st.integers(1, 4),
        waits=st.sampled_from([0, 0, 3]),
        lives=st.none() | st.integers(4, 20),
        repeat=st.booleans(),
    )
    def award(self, points: int, order: int | None, waits: int, lives: int | None, repeat: bool) -> None:
        key = f"award:{next(_numbers)}"
        if order is not None:
            self.orders.setdefault(order, ids.new_id())
        credit = Credit(
            self.member,
            points,
            key,
            "purchase",
            order_id=self.orders.get(order) if order else None,  # type: ignore[arg-type]
            activates_at=self.now + timedelta(days=waits) if waits else None,
            expires_at=self.now + timedelta(days=lives) if lives else None,
            trace={"base_minor": 1},
        )
        for _ in range(2 if repeat else 1):
            with self.work() as uow:
                service.credit(uow, [credit])
        repaid = min(self.model.debt, points)
        self.model.debt -= repaid
        lot = Lot(points - repaid, order, self.now + timedelta(days=waits), credit.expires_at, next(_numbers))
        lot.pending = bool(waits)
        self.model.lots.append(lot)

    @rule(points=POINTS, repeat=st.booleans())
    def spend(self, points: int, repeat: bool) -> None:
        key = f"spend:{next(_numbers)}"
        if self.model.available < points:
            with pytest.raises(InsufficientPoints), self.work() as uow:
                service.spend(uow, self.member, points, key=key, reason="by hand")
            return
        for _ in range(2 if repeat else 1):
            with self.work() as uow:
                service.spend(uow, self.member, points, key=key, reason="by hand")
        self.model.take(points, self.model.open_lots())

    @rule(points=POINTS)
    def hold(self, points: int) -> None:
        key = f"hold:{next(_numbers)}"
        if self.model.available < points:
            with pytest.raises(InsufficientPoints), self.work() as uow:
                service.hold(uow, self.member, points, key=key, reason="redemption")
            return
        with self.work() as uow:
            entry = service.hold(uow, self.member, points, key=key, reason="redemption")
        self.holds[entry.id] = self.model.take(points, self.model.open_lots())

    @precondition(lambda self: self.holds)
    @rule(step=st.sampled_from(["spend", "release"]), repeat=st.booleans())
    def settle(self, step: str, repeat: bool) -> None:
        hold = next(iter(self.holds))
        for number in range(2 if repeat else 1):
            with self.work() as uow:
                entry = service.settle(uow, hold, step, key=f"{step}:{hold}:{number}", reason="redemption")  # type: ignore[arg-type]
            assert (entry is None) is (number > 0)
        taken = self.holds.pop(hold)
        if step == "spend":
            self.spent[hold] = taken
        else:
            self.give_back(taken)

    @precondition(lambda self: self.spent)
    @rule()
    def restore(self) -> None:
        hold = next(iter(self.spent))
        with self.work() as uow:
            assert service.settle(uow, hold, "restore", key=f"restore:{hold}", reason="reward_cancelled")  # type: ignore[arg-type]
        self.give_back(self.spent.pop(hold))

    def give_back(self, taken: list[tuple[Lot, int]]) -> None:
        for lot, part in taken:
            lot.left += part
        self.model.repay()

    @precondition(lambda self: self.orders)
    @rule(points=POINTS, data=st.data())
    def refund(self, points: int, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(sorted(self.orders)))
        with self.work() as uow:
            service.reverse(
                uow,
                self.member,
                points,
                key=f"refund:{next(_numbers)}",
                reason="refund",
                order_id=self.orders[order],  # type: ignore[arg-type]
            )
        own = self.model.take(points, [lot for lot in self.model.lots if lot.order == order])
        rest = points - sum(part for _, part in own)
        rest -= sum(part for _, part in self.model.take(rest, self.model.open_lots()))
        self.model.debt += rest

    @rule(days=st.integers(1, 5))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)
        with self.work() as uow:
            service.activate(uow, self.member)
        for lot in self.model.lots:
            if lot.pending and lot.activates <= self.now:
                lot.pending = False
        self.model.repay()
        with self.work() as uow:
            service.expire(uow, self.member)
        for lot in self.model.open_lots():
            if lot.expires <= self.now:
                lot.left = 0

    @rule(points=POINTS)
    def crash(self, points: int) -> None:
        def die() -> None:
            with self.work() as uow:
                service.credit(uow, [Credit(self.member, points, f"lost:{next(_numbers)}", "purchase")])
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            die()

    @invariant()
    def agrees(self) -> None:
        with self.work() as uow:
            balance = service.balance(uow, self.member)
            assert broken(uow) == {}
        held = sum(part for taken in self.holds.values() for _, part in taken)
        assert (balance.available, balance.pending, balance.held, balance.debt) == (
            self.model.available,
            self.model.pending,
            held,
            self.model.debt,
        )


def test_any_sequence_of_postings_agrees_with_the_model(shop: TestShop) -> None:
    machine = type("BoundLedger", (Ledger,), {"shop": shop})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=50, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

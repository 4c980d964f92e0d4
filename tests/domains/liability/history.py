"""Writes a ledger at chosen instants, through the ledger's own verbs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID

from app.core import clock, ids
from app.core.db import UnitOfWork, unit_of_work
from app.domains.liability import service
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit, Reversal, Verb, Wish
from tests.fixtures.shop import TestShop

_numbers = count(1)
START = datetime(2026, 1, 10, 12, tzinfo=UTC)


class History:
    """One shop's ledger; `at` is the present instant of everything it does."""

    def __init__(self, shop: TestShop) -> None:
        self.shop, self.at = shop, START
        self.customers = iter(range(1_000, 2_000))
        self.member = self.enroll()

    @contextmanager
    def work(self) -> Iterator[UnitOfWork]:
        """A unit of work at the present instant."""
        with clock.use_clock(lambda: self.at), unit_of_work(self.shop.id) as uow:
            yield uow

    def go(self, *when: int) -> None:
        """Be at noon of a day in 2026 or later: go(3, 31) or go(2027, 1, 5)."""
        year, month, day = when if len(when) == 3 else (2026, *when)  # type: ignore[misc]
        self.at = datetime(year, month, day, 12, tzinfo=UTC)

    def enroll(self) -> UUID:
        """A new member."""
        number = next(self.customers)
        with self.work() as uow:
            return members.enroll(uow, [Person(number)])[number].id

    def sell(
        self, minor: int, given: int, *, expires: datetime | None = None, member: UUID | None = None
    ) -> UUID:
        """An order that earned points; returns the order's id."""
        order = ids.new_id()
        trace = {"base_minor": minor, "order_points": given, "currency": self.shop.currency}
        self.credit(given, order=order, trace=trace, expires=expires, member=member)
        return order

    def credit(
        self,
        given: int,
        *,
        order: UUID | None = None,
        trace: dict[str, object] | None = None,
        expires: datetime | None = None,
        activates: datetime | None = None,
        member: UUID | None = None,
    ) -> None:
        """Points with or without an order."""
        one = Credit(
            member or self.member,
            given,
            f"credit:{next(_numbers)}",
            "purchase",
            order_id=order,
            trace=trace or {},
            expires_at=expires,
            activates_at=activates,
        )
        with self.work() as uow:
            points.credit(uow, [one])

    def hold(self, taken: int) -> UUID:
        """Reserve points; returns the hold."""
        with self.work() as uow:
            return points.hold(uow, self.member, taken, key=f"hold:{next(_numbers)}", reason="redemption").id

    def settle(self, hold: UUID, step: str) -> None:
        """Spend, release or restore a hold."""
        with self.work() as uow:
            points.settle(uow, hold, step, key=f"{step}:{next(_numbers)}", reason="redemption")

    def redeem(self, taken: int) -> UUID:
        """Spend points for good; returns the hold they went through."""
        hold = self.hold(taken)
        self.settle(hold, "spend")
        return hold

    def refund(self, taken: int, order: UUID) -> None:
        """Take back what an order gave."""
        with self.work() as uow:
            points.reverse(
                uow, Reversal(self.member, taken, f"refund:{next(_numbers)}", "refund", order_id=order)
            )

    def adjust(self, change: int) -> None:
        """Give or take by hand."""
        with self.work() as uow:
            points.adjust(uow, self.member, change, key=f"adjust:{next(_numbers)}", reason="goodwill")

    def by_hand(self, verb: Verb, amount: int, other: UUID | None = None) -> UUID:
        """Adjust as staff does; returns the adjustment."""
        wish = Wish(self.member, verb, amount, f"hand:{next(_numbers)}", "goodwill", to_member_id=other)
        with self.work() as uow:
            return points.adjust_by_hand(uow, [wish])[0].id

    def undo(self, adjustment: UUID) -> None:
        """Take an adjustment back."""
        with self.work() as uow:
            points.undo(uow, adjustment)

    def merge(self, other: UUID) -> UUID:
        """The other member turns out to be this one; returns the merge."""
        merge = ids.new_id()
        with self.work() as uow:
            points.merge(uow, merge, self.member, other)
        return merge

    def tick(self) -> None:
        """What is due becomes available or expires."""
        with self.work() as uow:
            points.activate(uow, self.member)
        with self.work() as uow:
            points.expire(uow, [self.member])

    def close(self) -> list[date]:
        """Close every month that is over."""
        closed = []
        while True:
            with self.work() as uow:
                month = service.close_next(uow)
            if month is None:
                return closed
            closed.append(month)

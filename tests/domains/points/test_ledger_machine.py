"""The ledger against a small model of it, on a real database: any sequence of postings must agree."""

from calendar import monthrange
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

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
from app.domains.points import queries, rules, service
from app.domains.points.errors import InsufficientPoints, NothingToAdjust, UndoRefused
from app.domains.points.rules import expiry as expiry_rules
from app.domains.points.schemas import Credit, DebtPolicy, RedatingForm, Reversal, Verb, Wish
from app.domains.points.service import expiry as expiring
from app.domains.points.service import expiry_dates, posting
from app.domains.programs import service as programs
from app.domains.programs.schemas import Expiry
from tests.domains.points.invariants import broken
from tests.fixtures.shop import TestShop, make_shop

NEVER = datetime.max.replace(tzinfo=UTC)
POINTS = st.integers(1, 500)
DEBTS = st.sampled_from(["pending_only", "to_zero", "negative"])
ZONE = ZoneInfo("UTC")
NOTICE = 30
_numbers = count(1)
_LOTS = (
    "SELECT remaining, held, pending, nullif(expires_at, 'infinity') AS ends_at FROM points_lots"
    " WHERE member_id = %(member)s AND remaining + held > 0"
)


class Lot:
    def __init__(
        self, points: int, order: int | None, activates: datetime, expires: datetime | None, number: int
    ):
        self.left, self.order, self.number = points, order, number
        self.pending, self.activates = False, activates
        self.expires = expires or NEVER
        self.earned_at: datetime | None = None
        self.terms: UUID | None = None

    def sticks_to_terms(self, at: datetime) -> "Lot":
        """A lot that the program dated."""
        self.earned_at = at
        return self


Redated = tuple[Lot, tuple[datetime, UUID | None], tuple[datetime, UUID | None]]


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
    """Everything that posts, in any order, with repeats, crashes and undone transactions, against the model.

    Awards, redemptions, holds, refunds, edits, adjustments and their undoing, merges, waiting, expiry, other expiry dates
    and their undoing.
    """

    shop: TestShop

    @initialize()
    def start(self) -> None:
        self.shop = make_shop(f"machine-{ids.new_id().hex}.myshopify.com")
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.model = Model()
        self.done: list[tuple[UUID, Lot | None, list[tuple[Lot, int]], int]] = []
        self.earned: dict[int, int] = {}
        self.redated: list[tuple[UUID, list[Redated]]] = []
        self.gone: list[UUID] = []
        self.months = 2
        with self.work() as uow:
            self.terms = self.version(uow)
        self.holds: dict[object, list[tuple[Lot, int]]] = {}
        self.spent: dict[object, list[tuple[Lot, int]]] = {}
        self.orders: dict[int, UUID] = {}
        self.member = self.enroll()

    def enroll(self) -> UUID:
        customer = next(_numbers)
        with self.work() as uow:
            return members.enroll(uow, [Person(customer)])[customer].id

    def version(self, uow: UnitOfWork) -> UUID:
        program = programs.active(uow)
        assert program is not None
        changes = {"expiry_months": self.months, "expiry": Expiry(), "zone": "UTC"}
        found = programs.update(uow, program.id, changes, version=program.version).current_version_id
        assert found is not None
        return found

    def ends(self, at: datetime) -> datetime:
        """The midnight after the same day so many months later, counted without the product's calendar."""
        years, month = divmod(at.month - 1 + self.months, 12)
        year = at.year + years
        day = min(at.day, monthrange(year, month + 1)[1])
        return datetime(year, month + 1, day, tzinfo=UTC) + timedelta(days=1)

    @contextmanager
    def work(self) -> Iterator[UnitOfWork]:
        with clock.use_clock(lambda: self.now), unit_of_work(self.shop.id) as uow:
            yield uow

    @rule(
        points=POINTS,
        order=st.none() | st.integers(1, 4),
        waits=st.sampled_from([0, 0, 3]),
        lives=st.none() | st.integers(4, 20) | st.sampled_from(["terms"]) | st.just("terms"),
        repeat=st.booleans(),
    )
    def award(
        self, points: int, order: int | None, waits: int, lives: int | str | None, repeat: bool
    ) -> None:
        key = f"award:{next(_numbers)}"
        by_terms = lives == "terms"
        if by_terms:
            end = rules.lasts_until(self.now, Expiry(), self.months, ZONE)
        else:
            end = self.now + timedelta(days=int(lives)) if lives else None
        if order is not None:
            self.orders.setdefault(order, ids.new_id())
        credit = Credit(
            self.member,
            points,
            key,
            "purchase",
            order_id=self.orders.get(order) if order else None,
            activates_at=self.now + timedelta(days=waits) if waits else None,
            expires_at=end,
            program_version_id=self.terms if by_terms else None,
            trace={"base_minor": 1},
        )
        for _ in range(2 if repeat else 1):
            with self.work() as uow:
                service.credit(uow, [credit])
        repaid = min(self.model.debt, points)
        self.model.debt -= repaid
        end = self.ends(self.now) if by_terms else end
        lot = Lot(points - repaid, order, self.now + timedelta(days=waits), end, next(_numbers))
        lot.pending = bool(waits)
        self.model.lots.append(lot.sticks_to_terms(self.now) if by_terms else lot)
        if order is not None:
            self.earned[order] = self.earned.get(order, 0) + points

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

    @rule(points=POINTS | st.none())
    def hold(self, points: int | None) -> None:
        """Reserve so many points, or whatever is available."""
        points = points or max(self.model.available, 1)
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
    @rule(points=POINTS, debt=DEBTS, data=st.data())
    def refund(self, points: int, debt: DebtPolicy, data: st.DataObject) -> None:
        self.take_back(data.draw(st.sampled_from(sorted(self.orders))), points, debt)

    @precondition(lambda self: self.orders)
    @rule(worth=POINTS, data=st.data())
    def edit(self, worth: int, data: st.DataObject) -> None:
        """The order is worth so many points now: the difference is posted."""
        order = data.draw(st.sampled_from(sorted(self.orders)))
        change = worth - self.earned.get(order, 0)
        if change > 0:
            self.award(change, order, 0, "terms", repeat=False)
        elif change < 0:
            self.take_back(order, -change, "negative")

    def take_back(self, order: int, points: int, debt: DebtPolicy) -> None:
        with self.work() as uow:
            entry = service.reverse(
                uow,
                Reversal(
                    self.member, points, f"refund:{next(_numbers)}", "refund", self.orders[order], debt=debt
                ),
            )
        own = [
            lot for lot in self.model.lots if lot.order == order and (lot.pending or debt != "pending_only")
        ]
        rest = points - sum(part for _, part in self.model.take(points, own))
        if debt != "pending_only":
            rest -= sum(part for _, part in self.model.take(rest, self.model.open_lots()))
        if debt == "negative":
            self.model.debt += rest
            rest = 0
        self.earned[order] = self.earned.get(order, 0) - points + rest
        assert (entry.points, entry.waived) == (rest - points, rest)

    @rule(verb=st.sampled_from(["award", "deduct", "set", "expire"]), points=POINTS)
    def adjust(self, verb: Verb, points: int) -> None:
        wish = Wish(self.member, verb, points, f"hand:{next(_numbers)}", "goodwill")
        change = {
            "award": points, "deduct": -points, "expire": -points, "set": points - self.model.available + self.model.debt,
        }[verb]  # fmt: skip
        if not change or -change > self.model.available:
            with pytest.raises((InsufficientPoints, NothingToAdjust)), self.work() as uow:
                service.adjust_by_hand(uow, [wish])
            return
        for _ in range(2):
            with self.work() as uow:
                [done] = service.adjust_by_hand(uow, [wish])
        if change > 0:
            repaid = min(self.model.debt, change)
            self.model.debt -= repaid
            lot = Lot(change - repaid, None, self.now, None, next(_numbers))
            self.model.lots.append(lot)
            self.done.append((done.id, lot, [(lot, change - repaid)], repaid))
        else:
            self.done.append((done.id, None, self.model.take(-change, self.model.open_lots()), 0))

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.done))
        adjustment, given, parts, repaid = one
        if given and given.left != parts[0][1]:
            with pytest.raises(UndoRefused), self.work() as uow:
                service.undo(uow, adjustment)
            return
        with self.work() as uow:
            service.undo(uow, adjustment)
        self.done.remove(one)
        if given:
            given.left = 0
            self.model.debt += repaid
        self.give_back([] if given else parts)

    @rule(points=POINTS, held=st.integers(0, 100), owed=st.integers(0, 200), waits=st.booleans())
    def merge(self, points: int, held: int, owed: int, waits: bool) -> None:
        """Somebody with points, a hold, waiting points or a debt turns out to be this member."""
        other, expires = self.enroll(), self.now + timedelta(days=10)
        number, held = next(_numbers), min(held, points)
        with self.work() as uow:
            service.credit(uow, [Credit(other, points, f"other:{number}", "purchase", expires_at=expires)])
            hold = held and service.hold(uow, other, held, key=f"other:h{number}", reason="redemption").id
            if owed:
                service.reverse(uow, Reversal(other, owed, f"other:r{number}", "refund", ids.new_id()))
            if waits:
                later = self.now + timedelta(days=2)
                service.credit(
                    uow, [Credit(other, points, f"other:w{number}", "purchase", activates_at=later)]
                )
        with self.work() as uow:
            service.merge(uow, ids.new_id(), self.member, other)
            again = {one["trace"].get("hold"): one["id"] for one in queries.open_holds(uow, self.member)}
        free, debt = max(points - held - owed, 0), max(owed - points + held, 0)
        if waits:
            debt -= min(debt, points)
        self.carried(points, held, free, debt, expires, again.get(str(hold)) if held else None)
        if waits:
            # A debt is repaid by the waiting points at once, as any credit does.
            repaid = min(max(owed - points + held, 0), points)
            lot = Lot(points - repaid, None, self.now + timedelta(days=2), None, next(_numbers))
            lot.pending = True
            self.model.lots.append(lot)
        self.gone.append(other)

    def carried(
        self, points: int, held: int, free: int, debt: int, expires: datetime, hold: UUID | None
    ) -> None:
        if hold is not None:
            copy = Lot(0, None, self.now, expires, next(_numbers))
            self.model.lots.append(copy)
            self.holds[hold] = [(copy, held)]
        self.model.debt += debt
        self.model.repay()
        repaid = min(self.model.debt, free)
        self.model.debt -= repaid
        if free:
            self.model.lots.append(Lot(free - repaid, None, self.now, expires, next(_numbers)))

    @precondition(
        lambda self: any(lot.earned_at and lot.left + self.reserved(lot) for lot in self.model.lots)
    )
    @rule(months=st.integers(1, 4), shortens=st.booleans(), days=st.sampled_from([0, 3, 10]))
    def redate(self, months: int, shortens: bool, days: int) -> None:
        """The program has other terms after some days, and earlier points get their dates."""
        if days:
            self.passes(days)
        self.months = months
        with self.work() as uow:
            self.terms = self.version(uow)
            redating = service.start_redating(uow, RedatingForm(shortens=shortens, notice_days=NOTICE))
        self.run(redating)
        with self.work() as uow:
            service.apply_redating(uow, redating)
        self.run(redating)
        found: list[Redated] = []
        for lot in self.model.lots:
            if lot.earned_at is None or lot.expires <= self.now or not (lot.left or self.reserved(lot)):
                continue
            least = min(lot.expires, self.notice()) if shortens else lot.expires
            date = max(self.ends(lot.earned_at), least)
            if date != lot.expires:
                found.append((lot, (lot.expires, lot.terms), (date, self.terms)))
                lot.expires, lot.terms = date, self.terms
        self.redated.append((redating, found))

    def reserved(self, lot: Lot) -> int:
        return sum(part for taken in self.holds.values() for one, part in taken if one is lot)

    def notice(self) -> datetime:
        return rules.end_of((self.now + timedelta(days=NOTICE)).date(), ZONE)

    def run(self, redating: UUID) -> None:
        with clock.use_clock(lambda: self.now):
            service.run_redating(self.shop.id, redating)

    @precondition(lambda self: self.redated)
    @rule(data=st.data())
    def undo_redate(self, data: st.DataObject) -> None:
        self.restore_dates(data.draw(st.sampled_from(self.redated)))

    def restore_dates(self, one: tuple[UUID, list[Redated]]) -> None:
        self.redated.remove(one)
        with self.work() as uow:
            service.undo_redating(uow, one[0])
        self.run(one[0])
        for lot, was, now in one[1]:
            if (lot.expires, lot.terms) != now or lot.expires <= self.now:
                continue
            if lot.left or self.reserved(lot):
                least = min(lot.expires, self.notice())
                lot.expires, lot.terms = max(was[0], least), was[1]

    @rule(days=st.integers(1, 5))
    def wait(self, days: int) -> None:
        self.passes(days)

    def passes(self, days: int) -> None:
        self.now += timedelta(days=days)
        with self.work() as uow:
            service.activate(uow, self.member)
        for lot in self.model.lots:
            if lot.pending and lot.activates <= self.now:
                lot.pending = False
        self.model.repay()
        with self.work() as uow:
            service.expire(uow, [self.member])
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

    def teardown(self) -> None:
        with self.work() as uow:
            assert not any(queries.broken_laws(uow, [self.member, *self.gone]).values())
            assert not broken(uow)
            assert all(service.balance(uow, one).total == 0 for one in self.gone)

    @invariant()
    def agrees(self) -> None:
        with self.work() as uow:
            balance = service.balance(uow, self.member)
            lots = uow.all(_LOTS, {"member": self.member})
        model = [(lot.left, self.reserved(lot), lot.pending, lot.expires) for lot in self.model.lots]
        assert sorted(lot for lot in model if lot[0] or lot[1]) == sorted(
            (lot["remaining"], lot["held"], lot["pending"], lot["ends_at"] or NEVER) for lot in lots
        )
        held = sum(part for taken in self.holds.values() for _, part in taken)
        assert (balance.available, balance.pending, balance.held, balance.debt) == (
            self.model.available,
            self.model.pending,
            held,
            self.model.debt,
        )


def dates_end_a_day_early(patched: pytest.MonkeyPatch) -> None:
    patched.setattr(expiry_rules, "end_of", lambda day, zone: rules.end_of(day - timedelta(days=1), zone))


def the_run_ends_points_a_day_early(patched: pytest.MonkeyPatch) -> None:
    def tomorrow(*args: object, **more: object) -> dict[str, Any]:
        found = posting.params(*args, **more)  # type: ignore[arg-type]
        return found | {"at": found["at"] + timedelta(days=1)}

    patched.setattr(expiring, "params", tomorrow)


def the_notice_is_a_day_short(patched: pytest.MonkeyPatch) -> None:
    notice = expiry_dates._notice
    patched.setattr(expiry_dates, "_notice", lambda uow, days: notice(uow, days - 1))


def other_dates_forget_what_is_held(patched: pytest.MonkeyPatch) -> None:
    forget_what_is_held(patched, "_LOTS_TO_REDATE")


def taken_back_dates_forget_what_is_held(patched: pytest.MonkeyPatch) -> None:
    forget_what_is_held(patched, "_LOTS_TO_RESTORE")


def forget_what_is_held(patched: pytest.MonkeyPatch, statement: str) -> None:
    # The package has a verb of this name, which hides the module.
    module = import_module("app.domains.points.queries.redating")
    sql = getattr(module, statement)
    assert module._OPEN in sql
    patched.setattr(module, statement, sql.replace(module._OPEN, "l.remaining > 0"))


def earn(machine: Ledger, lives: int | str = "terms") -> None:
    machine.award(100, None, 0, lives, repeat=False)


def hold_it_all(machine: Ledger) -> None:
    earn(machine)
    machine.hold(None)
    machine.redate(4, shortens=False, days=0)


def hold_it_all_and_take_it_back(machine: Ledger) -> None:
    hold_it_all(machine)
    machine.restore_dates(machine.redated[0])


def wait_for_the_day(machine: Ledger) -> None:
    earn(machine, 4)
    machine.wait(3)


def shorten(machine: Ledger) -> None:
    earn(machine)
    machine.redate(1, shortens=True, days=10)


FAULTS: list[tuple[Callable[[pytest.MonkeyPatch], None], Callable[[Ledger], None]]] = [
    (dates_end_a_day_early, earn),
    (the_run_ends_points_a_day_early, wait_for_the_day),
    (the_notice_is_a_day_short, shorten),
    (other_dates_forget_what_is_held, hold_it_all),
    (taken_back_dates_forget_what_is_held, hold_it_all_and_take_it_back),
]


@pytest.mark.parametrize(("fault", "steps"), FAULTS)
@pytest.mark.usefixtures("shop")
def test_the_model_notices_when(
    fault: Callable[[pytest.MonkeyPatch], None],
    steps: Callable[[Ledger], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A model that agrees with a ledger whose dates are wrong would prove nothing."""
    for wrong in (False, True):
        machine = Ledger()
        machine.start()
        if wrong:
            fault(monkeypatch)
        steps(machine)
        if not wrong:
            machine.agrees()
    with pytest.raises(AssertionError):
        machine.agrees()


@pytest.mark.usefixtures("shop")
def test_any_sequence_of_postings_agrees_with_the_model() -> None:
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=200, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

"""Months added up from a real ledger: they tie to it, at every month's end, whatever happened."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.cli import main
from app.core import ids
from app.core.db import unit_of_work
from app.domains.compliance import service as compliance
from app.domains.liability import jobs, service
from app.domains.liability.errors import MonthUnknown, ReasonNeeded, StaleVersion
from app.domains.liability.schemas import Accounts, LiabilityOut, RollForwardRow, SettingsForm
from app.domains.points import service as points
from app.domains.points.errors import InsufficientPoints, UndoRefused
from app.domains.points.schemas import Credit, RedatingForm, Reversal
from app.domains.programs import service as programs
from tests.domains.liability.history import History
from tests.fixtures.shop import TestShop

ACCOUNTS = Accounts(sales="4000 Sales", deferred="2400 Points", points="4010 Loyalty")


def form(**changes: Any) -> SettingsForm:
    """Settings with which 2,000 points are worth 200 and 85 % of them are redeemed."""
    given: dict[str, Any] = {
        "value": Decimal(100),
        "override": Decimal(85),
        "override_reason": "policy",
        "accounts": ACCOUNTS,
    }
    return SettingsForm(**(given | changes))


def rows(history: History) -> list[RollForwardRow]:
    with history.work() as uow:
        return service.roll_forward(uow, "2026-01").months


def report(history: History, month: str | None = None) -> LiabilityOut:
    with history.work() as uow:
        found = service.liability(uow, month)
    assert found is not None
    return found


def value(history: History, **changes: Any) -> None:
    with history.work() as uow:
        service.save_settings(uow, form(**changes))


def test_the_published_example_from_the_ledger_to_the_journal(history: History) -> None:
    value(history, sharing="tenth")
    history.sell(200_000, 2_000)
    history.redeem(850)
    history.go(2, 5)
    assert history.close() == [date(2026, 1, 1)]
    [january, february] = rows(history)
    assert (january.added_minor, january.released_minor, january.closing_minor) == (15_800, 7_900, 7_900)
    assert february.opening_minor == 7_900
    with history.work() as uow:
        found = service.journal(uow)
    assert [(line.account, line.debit_minor, line.credit_minor) for line in found.lines] == [
        ("4000 Sales", 15_800, 0),
        ("2400 Points", 0, 15_800),
        ("2400 Points", 7_900, 0),
        ("4010 Loyalty", 0, 7_900),
    ]
    assert {line.date for line in found.lines} == {date(2026, 1, 31)}


def test_every_kind_of_entry_has_its_column(history: History) -> None:
    order = history.sell(50_000, 500, expires=datetime(2026, 3, 1, tzinfo=UTC))
    history.credit(100)
    history.go(2, 3)
    kept = history.redeem(120)
    history.hold(30)
    history.settle(kept, "restore")
    history.redeem(80)
    history.refund(200, order)
    history.adjust(-10)
    history.go(3, 4)
    history.tick()
    [january, february, march] = rows(history)
    assert (january.issued_points, january.closing_points) == (600, 600)
    assert (february.redeemed_points, february.restored_points, february.reversed_points) == (200, 120, 210)
    assert february.closing_points == 310
    assert (march.expired_points, march.closing_points) == (180, 130)
    now = report(history)
    assert (now.from_sales, now.gifts) == (30, 100)
    assert now.by_status is not None and now.by_status.held == 30


def test_debt_stands_apart_and_ties(history: History) -> None:
    order = history.sell(50_000, 500)
    history.redeem(400)
    history.go(2, 3)
    history.refund(500, order)
    assert report(history).debt == 400
    assert report(history).outstanding == 0
    assert rows(history)[-1].closing_points == -400
    history.go(3, 3)
    history.credit(150)
    history.close()
    assert (report(history).debt, rows(history)[-1].closing_points) == (250, -250)
    assert checked(history) == []


def checked(history: History) -> list[Any]:
    with history.work() as uow:
        return service.verify(uow)


def test_as_of_a_month_end_is_what_it_was_then(history: History) -> None:
    history.sell(10_000, 100)
    january = report(history)
    history.go(2, 3)
    history.sell(20_000, 200)
    history.redeem(150)
    history.close()
    then = report(history, "2026-01")
    assert (then.outstanding, then.deferred_minor) == (january.outstanding, january.deferred_minor)
    assert (then.closed, then.by_status) == (True, None)
    with history.work() as uow, pytest.raises(MonthUnknown):
        service.liability(uow, "2025-12")
    with history.work() as uow, pytest.raises(MonthUnknown):
        service.liability(uow, "2026-03")


def test_a_month_is_one_of_the_shops_zone(history: History) -> None:
    with history.work() as uow:
        uow.execute("UPDATE shops SET timezone = 'Pacific/Kiritimati' WHERE shop_id = %(s)s", {"s": uow.shop})
    history.at = datetime(2026, 1, 31, 9, 59, tzinfo=UTC)
    history.credit(1)
    history.at = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)
    history.credit(2)
    assert [row.issued_points for row in rows(history)] == [1, 2]
    assert history.close() == []
    history.at += timedelta(hours=1)
    assert history.close() == [date(2026, 1, 1)]
    assert [row.issued_points for row in rows(history)] == [1, 2]


def test_closing_goes_on_where_it_stopped_and_repeats_nothing(history: History) -> None:
    history.sell(10_000, 100)
    history.go(4, 2)
    with history.work() as uow:
        assert service.close_next(uow) == date(2026, 1, 1)
    assert history.close() == [date(2026, 2, 1), date(2026, 3, 1)]
    assert history.close() == []
    assert [(row.closed, row.closing_points) for row in rows(history)] == [
        (True, 100),
        (True, 100),
        (True, 100),
        (False, 100),
    ]


def test_the_nightly_job_closes_every_shop(shop: TestShop, other_shop: TestShop) -> None:
    for one in (shop, other_shop):
        History(one).sell(10_000, 100)
    jobs.close_months()
    for one in (shop, other_shop):
        with unit_of_work(one.id) as uow:
            assert uow.scalar("SELECT count(*) FROM liability_periods") > 0


def test_verify_names_what_was_changed_and_rebuild_repairs_it(history: History) -> None:
    history.sell(10_000, 100)
    history.go(2, 3)
    history.close()
    assert checked(history) == []
    with history.work() as uow:
        uow.execute("UPDATE liability_cells SET issued = issued + 1")
    found = checked(history)
    assert {(one.month, one.what) for one in found} == {
        ("2026-01", "2026-01 sale issued"),
        ("2026-02", "2026-01 outstanding"),
    }
    with history.work() as uow:
        service.rebuild(uow, date(2026, 1, 1))
    assert checked(history) == []


def test_operators_verify_and_rebuild_on_the_command_line(
    history: History, capsys: pytest.CaptureFixture[str]
) -> None:
    history.sell(10_000, 100)
    history.go(2, 3)
    history.close()
    shop = ["--shop", history.shop.domain]
    assert main(["liability", "verify", *shop]) == 0
    with history.work() as uow:
        uow.execute("UPDATE liability_cells SET issued = issued + 1")
    assert main(["liability", "verify", *shop]) == 1
    assert "2026-01\t2026-01 sale issued\tstored 101\tledger 100" in capsys.readouterr().out
    assert main(["liability", "rebuild", *shop]) == 0


def test_moving_points_to_another_member_changes_nothing_on_the_whole(history: History) -> None:
    history.sell(10_000, 100)
    other = history.enroll()
    history.go(2, 3)
    with history.work() as uow:
        points.merge(uow, ids.new_id(), other, history.member)
    assert checked(history) == []
    assert rows(history)[-1].closing_points == 100


def test_what_is_undone_later_leaves_the_month_in_which_it_was_done(history: History) -> None:
    history.sell(10_000, 100, expires=datetime(2026, 12, 1, tzinfo=UTC))
    given, taken = history.by_hand("award", 40), history.by_hand("deduct", 30)
    ended = history.by_hand("expire", 20)
    history.go(2, 3)
    assert history.close() == [date(2026, 1, 1)]
    for one in (given, taken, ended):
        history.undo(one)
    [january, february] = rows(history)
    assert (january.issued_points, january.expired_points, january.reversed_points) == (140, 20, 30)
    assert (february.expired_points, february.reversed_points) == (-20, 10)
    assert (january.closing_points, february.closing_points) == (90, 100)
    now = report(history)
    assert (now.from_sales, now.gifts, now.debt) == (100, 0, 0)
    history.go(3, 3)
    history.close()
    assert checked(history) == []


def test_a_transfer_and_its_undoing_change_nothing_on_the_whole(history: History) -> None:
    history.sell(10_000, 100)
    history.go(2, 3)
    moved = history.by_hand("transfer", 60, history.enroll())
    assert (report(history).outstanding, report(history).from_sales) == (100, 100)
    history.go(3, 3)
    history.undo(moved)
    assert [row.closing_points for row in rows(history)] == [100, 100, 100]
    assert all((row.issued_points, row.reversed_points) == (0, 0) for row in rows(history)[1:])
    assert checked(history) == []


def test_a_merge_with_debt_and_a_hold_stays_in_its_cohorts(history: History) -> None:
    history.sell(10_000, 100)
    other = history.enroll()
    history.sell(20_000, 200, member=other)
    history.go(2, 3)
    with history.work() as uow:
        points.hold(uow, other, 50, key="h", reason="redemption")
        points.reverse(uow, Reversal(other, 180, "r", "refund", ids.new_id()))
    before = report(history)
    assert (before.outstanding, before.debt) == (150, 30)
    history.go(3, 3)
    merge = history.merge(other)
    after = report(history)
    assert (after.outstanding, after.debt, after.from_sales) == (120, 0, 120)
    assert rows(history)[-1].closing_points == rows(history)[-1].opening_points == 120
    history.go(4, 3)
    with history.work() as uow:
        points.unmerge(uow, merge, history.member, other)
    assert rows(history)[-1].closing_points == 120
    history.close()
    assert checked(history) == []


def test_awards_to_many_that_are_taken_back_leave_no_gift(history: History) -> None:
    history.sell(10_000, 100)
    people = [history.enroll() for _ in range(3)]
    with history.work() as uow:
        points.give_many(uow, [points.Gift(one, 25, f"many:{one}", "goodwill") for one in people], {})
        entries = points.entries_of_keys(uow, [f"many:{one}" for one in people]).values()
    assert report(history).gifts == 75
    history.go(2, 3)
    history.close()
    with history.work() as uow:
        refused = points.take_back_many(uow, [one.id for one in entries], {})
    assert len(entries) == 3 and not refused
    [january, february] = rows(history)
    assert (january.issued_points, february.reversed_points, february.closing_points) == (175, 75, 100)
    assert report(history).gifts == 0
    assert checked(history) == []


def test_other_expiry_dates_change_no_sum(history: History) -> None:
    history.sell(10_000, 100, expires=datetime(2026, 12, 1, tzinfo=UTC))
    with history.work() as uow:
        program = programs.active(uow)
        assert program is not None
        terms = programs.update(uow, program.id, {"expiry_months": 24}, version=program.version)
        points.credit(
            uow,
            [Credit(history.member, 10, "t", "birthday", program_version_id=terms.current_version_id,
                    expires_at=history.at + timedelta(days=90))],
        )  # fmt: skip
        redating = points.start_redating(uow, RedatingForm())
    points.run_redating(history.shop.id, redating)
    with history.work() as uow:
        points.apply_redating(uow, redating)
    points.run_redating(history.shop.id, redating)
    assert [row.closing_points for row in rows(history)] == [110]
    history.go(2, 3)
    history.close()
    assert checked(history) == []


def test_settings_are_noted_and_collisions_refused(history: History) -> None:
    value(history)
    with history.work() as uow, pytest.raises(StaleVersion):
        service.save_settings(uow, form())
    with history.work() as uow, pytest.raises(ReasonNeeded):
        service.save_settings(uow, form(version=1, override_reason="  "))
    with history.work() as uow:
        saved = service.save_settings(uow, form(version=1, override=None))
        assert (saved.override_bp, saved.override_reason, saved.version) == (None, "", 2)
        entries = compliance.list_entries(uow, ("liability_settings", str(uow.shop))).items
    assert [entry.action for entry in entries] == ["liability.settings_saved"] * 2


def test_closed_months_keep_their_terms_but_for_the_first_saving(history: History) -> None:
    history.sell(200_000, 2_000)
    history.go(2, 3)
    history.close()
    value(history)
    assert rows(history)[0].added_minor == 15_668
    value(history, version=1, value=Decimal(500), override=Decimal(50))
    assert rows(history)[0].added_minor == 15_668


def test_points_without_a_sale_are_no_deferred_revenue(history: History) -> None:
    value(history)
    history.credit(2_000)
    now = report(history)
    assert (now.deferred_minor, now.gift_minor, now.expected_redeemed) == (0, 17_000, 1_700)


def test_the_rate_is_measured_from_months_that_ran_out(history: History) -> None:
    for month in range(1, 5):
        history.go(month, 10)
        history.sell(100_000, 1_000, expires=history.at + timedelta(days=20))
        history.redeem(800)
        history.go(month + 1, 2)
        history.tick()
    found = report(history).estimate
    assert (found.source, found.rate_bp, found.mature_months, found.error_bp) == ("measured", 8_000, 4, 0)


def test_a_young_ledger_assumes_that_every_point_is_redeemed(history: History) -> None:
    history.sell(10_000, 100)
    now = report(history)
    assert (now.estimate.source, now.estimate.rate_bp, now.expected_breakage) == ("fallback", 10_000, 0)


def test_an_empty_ledger_has_no_report(history: History) -> None:
    with history.work() as uow:
        assert service.liability(uow) is None
        assert service.roll_forward(uow).months == []
        assert service.journal(uow).lines == []
        assert service.close_next(uow) is None
        assert service.verify(uow) == []


def test_the_other_shop_sees_nothing(history: History, other_shop: TestShop) -> None:
    history.sell(10_000, 100)
    history.go(2, 3)
    history.close()
    with unit_of_work(other_shop.id) as uow:
        assert service.roll_forward(uow).months == []


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "sell",
                "gift",
                "wait",
                "hold",
                "spend",
                "release",
                "restore",
                "refund",
                "take",
                "close",
                "hand",
                "undo",
                "join",
                "part",
            ]
        ),
        st.integers(1, 300),
        st.integers(0, 45),
    ),
    min_size=5,
    max_size=40,
)


class Player:
    """Plays any sequence of postings; what the ledger refuses is left out."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.orders: list[UUID] = []
        self.holds: list[UUID] = []
        self.spent: list[UUID] = []
        self.by_hand: list[UUID] = []
        self.merges: list[tuple[UUID, UUID]] = []

    def play(self, step: str, amount: int, days: int) -> None:
        """One step."""
        with suppress(InsufficientPoints, UndoRefused, IndexError):
            getattr(self, step)(amount, days)

    def sell(self, amount: int, days: int) -> None:
        lives = self.history.at + timedelta(days=20 + days) if days % 2 else None
        self.orders.append(self.history.sell(amount * 100, amount, expires=lives))

    def gift(self, amount: int, days: int) -> None:
        waits = self.history.at + timedelta(days=days) if days > 30 else None
        self.history.credit(amount, activates=waits)

    def wait(self, _: int, days: int) -> None:
        self.history.at += timedelta(days=days)
        self.history.tick()

    def hold(self, amount: int, _: int) -> None:
        self.holds.append(self.history.hold(amount))

    def spend(self, _: int, __: int) -> None:
        self.spent.append(self.holds.pop())
        self.history.settle(self.spent[-1], "spend")

    def release(self, _: int, __: int) -> None:
        self.history.settle(self.holds.pop(), "release")

    def restore(self, _: int, __: int) -> None:
        self.history.settle(self.spent.pop(), "restore")

    def refund(self, amount: int, days: int) -> None:
        self.history.refund(
            amount, self.orders[days % len(self.orders)] if self.orders else self.orders.pop()
        )

    def take(self, amount: int, _: int) -> None:
        self.history.adjust(-amount)

    def close(self, _: int, __: int) -> None:
        self.history.close()

    def hand(self, amount: int, days: int) -> None:
        verb = ("award", "deduct", "expire", "transfer")[days % 4]
        other = self.history.enroll() if verb == "transfer" else None
        self.by_hand.append(self.history.by_hand(verb, amount, other))  # type: ignore[arg-type]

    def undo(self, _: int, __: int) -> None:
        self.history.undo(self.by_hand.pop())

    def join(self, amount: int, days: int) -> None:
        other = self.history.enroll()
        self.history.sell(amount * 100, amount, member=other)
        with self.history.work() as uow:
            points.reverse(uow, Reversal(other, days * 4 + 1, f"join:{other}", "refund", ids.new_id()))
        self.merges.append((self.history.merge(other), other))

    def part(self, _: int, __: int) -> None:
        merge, other = self.merges.pop()
        with self.history.work() as uow:
            points.unmerge(uow, merge, self.history.member, other)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(STEPS)
def test_any_history_ties_to_the_ledger(
    new_shop: Callable[..., TestShop], steps: list[tuple[str, int, int]]
) -> None:
    history = History(new_shop(f"shop-{ids.new_id().hex}.myshopify.com"))
    player = Player(history)
    for step in steps:
        player.play(*step)
    assert checked(history) == []
    found = rows(history)
    with history.work() as uow:
        total = uow.scalar("SELECT coalesce(sum(points), 0)::bigint FROM points_entries")
    assert (found[-1].closing_points if found else 0) == total
    for row in found:
        assert (
            row.opening_points
            + row.issued_points
            + row.restored_points
            - row.redeemed_points
            - row.expired_points
            - row.reversed_points
        ) == row.closing_points
        assert (
            row.opening_minor + row.added_minor - row.reversed_minor - row.released_minor == row.closing_minor
        )
    history.go(2030, 1, 5)
    history.close()
    assert checked(history) == []
    for before, after in zip(found[:-1], rows(history), strict=False):
        assert (before.month, before.closing_points) == (after.month, after.closing_points)

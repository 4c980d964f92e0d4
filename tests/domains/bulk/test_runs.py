"""A bulk action from its file to its report: rehearsed, approved, run in slices, paused, killed, taken back."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from pydantic import ValidationError

from app.core import ids
from app.core.db import Actor, UnitOfWork, unit_of_work
from app.core.errors import Invalid
from app.domains.bulk import jobs, queries, service
from app.domains.bulk.errors import NothingToDo, NotUndoable, PlanChanged, RunMoved, RunNotFound
from app.domains.bulk.schemas import Audience, Kind, RowsQuery, Run, RunsQuery, State, Wanted
from app.domains.bulk.service import acting, checking, keeping
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.errors import ApproverNeeded, DailyLimitReached
from app.domains.points.schemas import Credit, Reversal, SettingsForm
from app.domains.segments import service as segments
from app.domains.segments.schemas import SegmentIn
from app.domains.tiers import service as tiers
from tests.domains.points.invariants import broken
from tests.fixtures.shop import TestShop

MAYA, OMAR = Actor("staff", "1", "Maya"), Actor("staff", "2", "Omar")
FILE = Audience("file", "list.csv")


@pytest.fixture(autouse=True)
def laws(shop: TestShop) -> Iterator[None]:
    yield
    with shop.work() as uow:
        assert broken(uow) == {}


@pytest.fixture
def people(shop: TestShop) -> list[UUID]:
    """Seven members; the last one is blocked. The first has 100 points, the second owes 30."""
    with shop.work() as uow:
        found = members.enroll(uow, [Person(n, f"m{n}@example.com", f"Name {n}") for n in range(1, 8)])
        every = [found[n].id for n in range(1, 8)]
        members.set_status(uow, every[6], "blocked")
        points.credit(uow, [Credit(every[0], 100, "start", "thanks")])
        points.reverse(uow, Reversal(every[1], 30, "debt", "refund"))
    return every


def ask(shop: TestShop, kind: Kind, audience: Audience = FILE, text: str | None = None, **more: Any) -> Run:
    with unit_of_work(shop.id, actor=MAYA) as uow:
        made = service.create(uow, Wanted(kind, more.pop("reason", "promotion"), **more), audience, text)
    jobs.check(str(shop.id), str(made.id))
    return look(shop, made.id)


def look(shop: TestShop, run_id: UUID) -> Run:
    with shop.work() as uow:
        return service.get(uow, run_id)


def start(shop: TestShop, run: Run, actor: Actor = MAYA) -> Run:
    with unit_of_work(shop.id, actor=actor) as uow:
        service.start(uow, run.id, run.plan)
    jobs.run_rows(str(shop.id), str(run.id))
    return look(shop, run.id)


def take_back(shop: TestShop, run: Run) -> Run:
    with unit_of_work(shop.id, actor=MAYA) as uow:
        service.undo(uow, run.id)
    jobs.undo_rows(str(shop.id), str(run.id))
    return look(shop, run.id)


def have(shop: TestShop, people: list[UUID]) -> list[int]:
    with shop.work() as uow:
        return [points.balance(uow, one).available for one in people]


def rows(shop: TestShop, run: Run, state: State | None = None) -> list[tuple[int, str, str | None]]:
    with shop.work() as uow:
        found = queries.rows(uow, service.get(uow, run.id), RowsQuery(state=state, limit=100)).page.items
        return [(row["n"], row["state"], row["problem"]) for row in found]


MIXED = (
    "email,points,reason\n"
    "m1@example.com,10,\n"
    "m2@example.com,50,late\n"
    "m7@example.com,10,\n"
    "nobody@example.com,10,\n"
    "m3@example.com,,\n"
    "m3@example.com,many,\n"
    "M3@Example.com ,5,\n"
)


def test_the_dry_run_says_what_would_happen_and_does_nothing(shop: TestShop, people: list[UUID]) -> None:
    run = ask(shop, "award", text=MIXED)
    assert (run.status, run.rows, run.accepted, run.refused, run.points) == ("ready", 7, 3, 4, 65)
    assert run.totals["members"] == 3
    assert (run.totals["debtors"], run.totals["to_debt"]) == (1, 30)
    assert run.totals["problems"] == {"bad_points": 1, "cannot_take_part": 1, "no_points": 1, "unknown": 1}
    assert run.totals["cost_minor"] > 0 and run.totals["cost_assumed"]
    assert have(shop, people) == [100, 0, 0, 0, 0, 0, 0]
    with shop.work() as uow:
        assert queries.part(uow, run.id, 1) is None


def test_an_award_does_what_was_shown_and_is_taken_back_exactly(shop: TestShop, people: list[UUID]) -> None:
    run = start(shop, ask(shop, "award", text=MIXED))
    assert (run.status, run.succeeded, run.failed, run.moved) == ("done", 3, 0, 65)
    assert have(shop, people)[:3] == [110, 20, 5]
    assert [row for row in rows(shop, run) if row[1] != "refused"] == [
        (2, "done", None),
        (3, "done", None),
        (8, "done", None),
    ]
    with shop.work() as uow:
        entry = uow.one(
            "SELECT reason, actor_id, trace FROM points_entries WHERE key = %(key)s",
            {"key": f"bulk:{run.id}:3"},
        )
    assert entry == {"reason": "late", "actor_id": "1", "trace": {"bulk": str(run.id)}}
    with shop.work() as uow:
        points.spend(uow, people[0], 105, key="spent", reason="redemption")
    undone = take_back(shop, run)
    assert (undone.status, undone.undone, undone.kept) == ("undone", 2, 1)
    assert have(shop, people)[:3] == [5, 0, 0]
    with shop.work() as uow:
        assert points.balance(uow, people[1]).debt == 30
    assert rows(shop, run, "kept") == [(2, "kept", "used")]
    assert [row[0] for row in rows(shop, run, "undone")] == [3, 8]


@pytest.mark.parametrize(
    ("kind", "wanted", "after"),
    [("deduct", 40, 60), ("set", 70, 70), ("expire", None, 0), ("expire", 25, 75)],
)
def test_each_kind_that_moves_points_and_its_way_back(
    shop: TestShop, people: list[UUID], kind: Kind, wanted: int | None, after: int
) -> None:
    chosen = Audience("members", member_ids=[people[0], people[2]])
    run = start(shop, ask(shop, kind, chosen, points=wanted))
    assert run.status == "done"
    assert have(shop, people)[0] == after
    undone = take_back(shop, run)
    assert undone.undone == run.succeeded
    assert have(shop, people)[0] == 100
    assert have(shop, people)[2] == 0


def test_what_changed_after_the_dry_run_is_told_for_each_row(shop: TestShop, people: list[UUID]) -> None:
    run = ask(shop, "deduct", Audience("members", member_ids=people[:1]), points=80)
    assert run.accepted == 1
    with shop.work() as uow:
        points.spend(uow, people[0], 50, key="spent", reason="redemption")
    done = start(shop, run)
    assert (done.status, done.succeeded, done.failed, done.moved) == ("done", 0, 1, 0)
    assert rows(shop, run) == [(1, "failed", "too_few")]


def test_a_member_named_twice_gets_both_rows_and_the_dry_run_says_so(
    shop: TestShop, people: list[UUID]
) -> None:
    run = ask(shop, "deduct", text="1,60\n1,60\n1,40\n")
    assert (run.accepted, run.totals["repeated"]) == (2, 1)
    start(shop, run)
    assert have(shop, people)[0] == 0


def test_tags_are_put_on_and_taken_off_as_they_were(shop: TestShop, people: list[UUID]) -> None:
    with shop.work() as uow:
        members.tag(uow, {people[0]: ["vip"], people[1]: ["vip", "new"]})
    run = start(shop, ask(shop, "tag", Audience("members", member_ids=people[:3]), tags=["vip", "new"]))
    assert (run.succeeded, run.refused) == (2, 1)
    with shop.work() as uow:
        assert members.tags_of(uow, people[:3]) == {one: ["new", "vip"] for one in people[:3]}
    take_back(shop, run)
    with shop.work() as uow:
        assert members.tags_of(uow, people[:3]) == {people[0]: ["vip"], people[1]: ["new", "vip"]}
    off = start(shop, ask(shop, "untag", Audience("members", member_ids=people[:3]), tags=["vip"]))
    assert (off.succeeded, off.refused) == (2, 1)
    take_back(shop, off)
    with shop.work() as uow:
        assert members.tags_of(uow, people[:1]) == {people[0]: ["vip"]}


def test_members_move_to_a_tier_and_back(shop: TestShop, people: list[UUID]) -> None:
    with shop.work() as uow:
        low, *_, top = tiers.options(uow)
        tiers.assign(uow, {people[0]: low[0]}, reason="start")
    chosen = Audience("members", member_ids=people[:1])
    run = start(shop, ask(shop, "tier", chosen, tier_id=top[0]))
    assert (run.status, run.succeeded) == ("done", 1)
    with shop.work() as uow:
        assert tiers.held_beside(uow, top[0], people[:1])[people[0]][0] == top[0]
    assert take_back(shop, run).undone == 1
    with shop.work() as uow:
        assert tiers.held_beside(uow, top[0], people[:1])[people[0]][0] == low[0]


def test_a_letter_goes_once_to_those_who_agreed(shop: TestShop, people: list[UUID]) -> None:
    with shop.work() as uow:
        uow.execute("UPDATE members SET email_consent = 'subscribed' WHERE customer_id IN (1, 2)")
    run = ask(shop, "email", text="1\n1\n2\n3\n", subjects={"en": "News"}, texts={"en": "Hello"})
    assert (run.accepted, run.totals["problems"]) == (3, {"no_consent": 1})
    done = start(shop, run)
    assert (done.status, done.succeeded) == ("done", 3)
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM messages WHERE kind = 'invitation'") == 2
    with pytest.raises(NotUndoable):
        take_back(shop, run)


def test_a_filter_chooses_members_as_the_list_does(shop: TestShop, people: list[UUID]) -> None:
    chosen = Audience("filter", filter={"points_from": 1, "status": "active"})
    assert ask(shop, "award", chosen, points=5).rows == 1
    assert ask(shop, "award", Audience("filter", filter={"status": "active"}), points=5).rows == 6
    assert ask(shop, "award", Audience("filter", filter={"search": "m3@example.com"}), points=5).rows == 1
    with shop.work() as uow:
        made = segments.create(uow, SegmentIn(name="Two", kind="manual"))
        segments.add_members(uow, made.id, people[:2])
    assert ask(shop, "award", Audience("filter", filter={"segment": str(made.id)}), points=5).rows == 2
    assert ask(shop, "award", Audience("segment", segment_id=made.id), points=5).rows == 2


def test_a_filter_that_the_list_does_not_have_is_refused(shop: TestShop, people: list[UUID]) -> None:
    with pytest.raises(ValidationError):
        ask(shop, "award", Audience("filter", filter={"shoe_size": 44}), points=5)


def test_slices_pause_go_on_and_end(
    shop: TestShop, people: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "_SLICES", {"award": 2})
    run = ask(shop, "award", Audience("members", member_ids=people[:6]), points=10)
    with unit_of_work(shop.id, actor=MAYA) as uow:
        service.start(uow, run.id, run.plan)
    working = service.run(shop.id, run.id)
    assert next(working)
    with unit_of_work(shop.id, actor=OMAR) as uow:
        service.pause(uow, run.id)
    assert list(working) == []
    half = look(shop, run.id)
    assert (half.status, half.succeeded) == ("paused", 2)
    assert len(rows(shop, run, "ready")) == 4
    with shop.work() as uow:
        service.resume(uow, run.id)
    jobs.run_rows(str(shop.id), str(run.id))
    assert look(shop, run.id).succeeded == 6
    # The second one's ten points repaid a debt.
    assert sum(have(shop, people)) == 150


def test_what_is_given_up_half_way_can_be_undone(
    shop: TestShop, people: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "_SLICES", {"award": 2})
    run = ask(shop, "award", Audience("members", member_ids=people[2:6]), points=10)
    with shop.work() as uow:
        service.start(uow, run.id, run.plan)
    next(service.run(shop.id, run.id))
    with shop.work() as uow:
        service.cancel(uow, run.id)
    assert sum(have(shop, people[2:6])) == 20
    assert take_back(shop, run).undone == 2
    assert sum(have(shop, people[2:6])) == 0
    assert len(rows(shop, run, "ready")) == 2


def test_two_workers_do_no_row_twice(
    shop: TestShop, people: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "_SLICES", {"award": 1})
    run = ask(shop, "award", Audience("members", member_ids=people[2:6]), points=10)
    with shop.work() as uow:
        service.start(uow, run.id, run.plan)
    one, other = service.run(shop.id, run.id), service.run(shop.id, run.id)
    for _ in range(3):
        next(one, None)
        next(other, None)
    assert have(shop, people[2:6]) == [10, 10, 10, 10]


KILLED = """
import os, signal, sys
from uuid import UUID
from app.core import db
from app.factory import load_domains
from app.domains.bulk import service
from app.domains.bulk.service import acting, checking, keeping
load_domains()
shop, run, phase, deadly = UUID(sys.argv[1]), UUID(sys.argv[2]), sys.argv[3], int(sys.argv[4])
acting._SLICES, acting._SLICE = {}, 7
count = 0
plain = db.UnitOfWork.execute
def execute(self, sql, params=None):
    global count
    count += 1
    if count == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(self, sql, params)
db.UnitOfWork.execute = execute
for _ in (service.run if phase == "run" else service.undo_rows)(shop, run):
    pass
"""


@pytest.mark.parametrize(
    ("kind", "phase", "left"),
    [("award", "run", 110), ("set", "run", 10), ("deduct", "undo", 100)],
)
def test_a_worker_killed_anywhere_does_no_row_twice_and_leaves_none_out(
    shop: TestShop, kind: Kind, phase: str, left: int
) -> None:
    with shop.work() as uow:
        found = members.enroll(uow, [Person(n, f"k{n}@example.com") for n in range(1, 31)])
        every = [one.id for one in found.values()]
        points.credit(uow, [Credit(one, 50, f"{one}:{n}", "thanks") for one in every for n in range(2)])
    run = ask(shop, kind, Audience("members", member_ids=every), points=10)
    with shop.work() as uow:
        service.start(uow, run.id, run.plan)
    if phase == "undo":
        jobs.run_rows(str(shop.id), str(run.id))
        with shop.work() as uow:
            service.undo(uow, run.id)
    killed = 0
    for deadly in (2, 5, 9, 14, 20, 27, 31, 10_000):
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, str(shop.id), str(run.id), phase, str(deadly)],
            env=os.environ.copy(),
            check=False,
        )
        killed += ended.returncode == -signal.SIGKILL
    assert killed >= 4
    after = look(shop, run.id)
    assert after.status == ("done" if phase == "run" else "undone")
    with shop.work() as uow:
        done = uow.scalar("SELECT count(*) FROM points_entries WHERE kind IN ('adjust', 'expire')")
        undone = uow.scalar("SELECT count(*) FROM points_entries WHERE kind = 'undo'")
    assert (done, undone) == ((30, 0) if phase == "run" else (30, 30))
    assert (after.succeeded, after.undone) == (done, undone)
    assert have(shop, every) == [left] * 30


def test_much_waits_for_a_second_person(shop: TestShop, people: list[UUID]) -> None:
    with shop.work() as uow:
        points.save_adjust_settings(uow, SettingsForm(approval_above=50))
    run = ask(shop, "award", Audience("members", member_ids=people[:6]), points=10)
    assert start(shop, run).status == "waiting"
    assert have(shop, people)[2] == 0
    with pytest.raises(ApproverNeeded), unit_of_work(shop.id, actor=MAYA) as uow:
        service.decide(uow, run.id, approve=True)
    with unit_of_work(shop.id, actor=OMAR) as uow:
        assert service.decide(uow, run.id, approve=True).decided_label == "Omar"
    jobs.run_rows(str(shop.id), str(run.id))
    assert have(shop, people)[2] == 10
    other = ask(shop, "award", Audience("members", member_ids=people[:6]), points=10)
    start(shop, other)
    with unit_of_work(shop.id, actor=OMAR) as uow:
        assert service.decide(uow, other.id, approve=False).status == "rejected"
    assert have(shop, people)[2] == 10


def test_a_persons_day_counts_bulk_and_single_adjustments(shop: TestShop, people: list[UUID]) -> None:
    with shop.work() as uow:
        points.save_adjust_settings(uow, SettingsForm(daily_limit=100))
    run = ask(shop, "award", Audience("members", member_ids=people[:6]), points=10)
    start(shop, run)
    again = ask(shop, "award", Audience("members", member_ids=people[:6]), points=10)
    with pytest.raises(DailyLimitReached) as refused:
        start(shop, again)
    assert refused.value.data == {"limit": 100, "left": 40}
    assert start(shop, ask(shop, "award", text="1,10\n"), OMAR).status == "done"


def test_many_rows_in_an_hour_are_told_to_the_merchant(shop: TestShop, people: list[UUID]) -> None:
    with shop.work() as uow:
        points.save_adjust_settings(uow, SettingsForm(alert_per_hour=4))
    start(shop, ask(shop, "award", text="1,10\n2,10\n3,1\n"))
    with shop.work() as uow:
        assert not points.alerted_since(uow, uow.now.replace(year=2020))
    start(shop, ask(shop, "award", text="1,10\n2,10\n"))
    with shop.work() as uow:
        assert points.alerted_since(uow, uow.now.replace(year=2020))


def test_only_the_plan_that_was_seen_is_started(shop: TestShop, people: list[UUID]) -> None:
    run = ask(shop, "award", Audience("members", member_ids=people[:2]), points=10)
    with shop.work() as uow:
        service.check_again(uow, run.id)
    jobs.check(str(shop.id), str(run.id))
    with pytest.raises(PlanChanged), shop.work() as uow:
        service.start(uow, run.id, run.plan)
    start(shop, look(shop, run.id))
    with pytest.raises(RunMoved), shop.work() as uow:
        service.start(uow, run.id, look(shop, run.id).plan)
    assert have(shop, people)[2:3] == [0]


def test_nothing_is_started_undone_or_resumed_out_of_turn(shop: TestShop, people: list[UUID]) -> None:
    empty = ask(shop, "award", text="nobody@example.com,10\n")
    with pytest.raises(NothingToDo):
        start(shop, empty)
    with shop.work() as uow:
        for verb in (service.pause, service.resume):
            with pytest.raises(RunMoved):
                verb(uow, empty.id)
        with pytest.raises(NotUndoable):
            service.undo(uow, empty.id)


def test_another_shop_sees_nothing(shop: TestShop, other_shop: TestShop, people: list[UUID]) -> None:
    run = ask(shop, "award", text=MIXED)
    with other_shop.work() as uow:
        with pytest.raises(RunNotFound):
            service.get(uow, run.id)
        assert queries.runs(uow, RunsQuery()).page.items == []
    theirs = ask(other_shop, "award", Audience("members", member_ids=people[:2]), points=5)
    assert (theirs.accepted, theirs.totals["problems"]) == (0, {"unknown": 2})


@pytest.mark.parametrize(
    ("kind", "more", "field"),
    [("tag", {}, "tags"), ("tier", {}, "tier_id"), ("tier", {"tier_id": ids.new_id()}, "tier_id")],
)
def test_an_action_that_lacks_something_is_refused_at_the_field(
    shop: TestShop, people: list[UUID], kind: Kind, more: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        ask(shop, kind, Audience("members", member_ids=people[:1]), **more)
    assert field in refused.value.fields


def test_a_dry_run_that_was_cut_short_goes_on(
    shop: TestShop, people: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.domains.bulk.service.checking.SLICE", 2)
    with unit_of_work(shop.id, actor=MAYA) as uow:
        made = service.create(uow, Wanted("award", "promotion"), FILE, MIXED)
    for _ in range(3):
        next(service.read(shop.id, made.id))
    jobs.check(str(shop.id), str(made.id))
    run = look(shop, made.id)
    assert (run.status, run.rows, run.accepted, run.points) == ("ready", 7, 3, 65)


def test_what_stalled_is_sent_again(shop: TestShop, people: list[UUID]) -> None:
    run = ask(shop, "award", text=MIXED)
    with shop.work() as uow:
        service.start(uow, run.id, run.plan)
        uow.execute("UPDATE bulk_runs SET touched_at = now() - interval '1 hour'")
    with shop.work() as uow:
        assert queries.stalled(uow, uow.now) == [run.id]
    jobs.go_on()


def test_each_step_leaves_an_audit_entry(shop: TestShop, people: list[UUID]) -> None:
    run = start(shop, ask(shop, "award", text=MIXED))
    take_back(shop, run)
    with shop.work() as uow:
        found = compliance.list_entries(uow, ("bulk_run", str(run.id))).items
    assert [one.action for one in found] == [
        "bulk.ended",
        "bulk.moved",
        "bulk.ended",
        "bulk.moved",
        "bulk.created",
    ]
    assert found[-1].after == {"kind": "award", "reason": "promotion", "audience": "file", "rows": 7}


def _trip(uow: UnitOfWork, run: Run, rows: Any) -> Any:
    raise RuntimeError("the disk is gone")


def test_a_slice_that_cannot_be_done_pauses_the_run_and_resuming_goes_on(
    shop: TestShop, people: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ask(shop, "award", text=MIXED)
    with monkeypatch.context() as broken_for_now:
        broken_for_now.setattr(acting, "do", _trip)
        stopped = start(shop, run)
    assert (stopped.status, stopped.trouble, stopped.succeeded) == ("paused", "RuntimeError", 0)
    with shop.work() as uow:
        service.resume(uow, run.id)
    jobs.run_rows(str(shop.id), str(run.id))
    assert look(shop, run.id).succeeded == 3


def _cut(uow: UnitOfWork) -> None:
    """End the server's side of a connection, as a restart does."""
    pid = uow.scalar("SELECT pg_backend_pid()")
    with psycopg.connect(os.environ["TEST_DATABASE_ADMIN_URL"], autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


def test_a_dry_run_outlives_a_restart_of_the_database(
    shop: TestShop, people: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "SLICE", 2)
    with unit_of_work(shop.id, actor=MAYA) as uow:
        made = service.create(uow, Wanted("award", "promotion"), FILE, MIXED)
    next(service.read(shop.id, made.id))
    resolve = members.resolve_many

    def cut_short(uow: UnitOfWork, texts: Any) -> Any:
        _cut(uow)
        return resolve(uow, texts)

    with monkeypatch.context() as restarting:
        restarting.setattr(members, "resolve_many", cut_short)
        with pytest.raises(psycopg.OperationalError):
            jobs.check(str(shop.id), str(made.id))
    left = look(shop, made.id)
    assert (left.status, left.trouble, left.rows) == ("checking", "", 2)
    with shop.work() as uow:
        assert queries.stalled(uow, uow.now) == [made.id]
    jobs.check(str(shop.id), str(made.id))
    done = look(shop, made.id)
    assert (done.status, done.rows, done.accepted, done.points) == ("ready", 7, 3, 65)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_and_its_undoing_outlive_a_restart_of_the_database(
    shop: TestShop, people: list[UUID], monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    run = ask(shop, "award", Audience("members", member_ids=people[2:6]), points=10)

    def cut_off(name: str) -> Any:
        work = getattr(acting, name)

        def doing(uow: UnitOfWork, here: Run, batch: Any) -> Any:
            if when == "before":
                _cut(uow)
            did = work(uow, here, batch)
            _cut(uow)
            return did

        return doing

    with monkeypatch.context() as restarting:
        restarting.setattr(acting, "do", cut_off("do"))
        with pytest.raises(psycopg.OperationalError):
            start(shop, run)
    left = look(shop, run.id)
    assert (left.status, left.trouble, left.succeeded) == ("running", "", 0)
    jobs.run_rows(str(shop.id), str(run.id))
    assert look(shop, run.id).succeeded == 4 and sum(have(shop, people[2:6])) == 40
    with monkeypatch.context() as restarting:
        restarting.setattr(acting, "take_back", cut_off("take_back"))
        with pytest.raises(psycopg.OperationalError):
            take_back(shop, run)
    left = look(shop, run.id)
    assert (left.status, left.trouble, left.undone) == ("undoing", "", 0)
    jobs.undo_rows(str(shop.id), str(run.id))
    assert look(shop, run.id).status == "undone" and sum(have(shop, people[2:6])) == 0


def test_a_statement_that_takes_too_long_is_a_fault_of_the_dry_run(
    shop: TestShop, people: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(uow: UnitOfWork, texts: Any) -> Any:
        uow.execute("SET LOCAL statement_timeout = 1")
        uow.execute("SELECT pg_sleep(1)")

    monkeypatch.setattr(members, "resolve_many", slow)
    failed = ask(shop, "award", text=MIXED)
    assert (failed.status, failed.trouble) == ("failed", "QueryCanceled")


def test_a_slice_does_not_wait_for_the_disk(shop: TestShop) -> None:
    """Only in its own transaction: what a person is told waits."""
    asked = "SELECT source FROM pg_settings WHERE name = 'synchronous_commit'"
    with keeping.work_slice(shop.id) as uow:
        assert (uow.scalar(asked), uow.scalar("SHOW synchronous_commit")) == ("session", "off")
    with shop.work() as uow:
        assert uow.scalar(asked) != "session"

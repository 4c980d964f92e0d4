"""Enrolling people by e-mail and guests by their orders: refused with reasons, welcomed once, taken back exactly."""

import io
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from app.core.db import Actor, unit_of_work
from app.core.errors import Invalid
from app.core.permissions import ALL, Permission
from app.domains.bulk import jobs, queries, rules, service
from app.domains.bulk.errors import FileRefused, WelcomeChanged, WelcomeNeedsApproval
from app.domains.bulk.schemas import Audience, RowsQuery, Run, Wanted
from app.domains.bulk.service import acting
from app.domains.compliance import service as compliance
from app.domains.members import queries as member_queries
from app.domains.members import service as members
from app.domains.members.schemas import Newcomer, Person, TimelineQuery
from app.domains.points import service as points
from app.domains.points.errors import ApproverNeeded, DailyLimitReached
from app.domains.points.schemas import SettingsForm
from app.domains.programs import service as programs
from tests.domains.points.invariants import broken
from tests.factories import payloads
from tests.fixtures.shop import TestShop
from tests.fixtures.web import api_key, staff

MAYA, OMAR = Actor("staff", "1", "Maya"), Actor("staff", "2", "Omar")
WELCOME = 200
FILE = (
    "Email,First name,Last name,Language,Birthday\n"
    "ada@example.com,Ada,Lovelace,fr-CA,1990-12-10\n"
    "Bo@Example.com,Bo,,,\n"
    "not an address,Cy,,,\n"
    "m1@example.com,Dee,,,\n"
    "m2@example.com,Eve,,,\n"
    " bo@example.com ,Bo again,,,\n"
    "fay@example.com,Fay,,,1990-13-10\n"
    ",Gil,,,\n"
)


@pytest.fixture(autouse=True)
def laws(shop: TestShop) -> Iterator[None]:
    yield
    with shop.work() as uow:
        assert broken(uow) == {}


@pytest.fixture
def known(shop: TestShop) -> None:
    """Two members, one of them blocked, and a guest who ordered for 129.90."""
    with shop.work() as uow:
        found = members.enroll(uow, [Person(n, f"m{n}@example.com", f"Name {n}") for n in (1, 2)])
        members.set_status(uow, found[2].id, "blocked")
    order(shop, 5, "guest@example.com")


def order(shop: TestShop, number: int, email: str) -> None:
    shop.tell("orders/paid", payloads.order(number, customer=None, email=email, phone=None))
    shop.drain()


def ask(shop: TestShop, text: str | None = FILE) -> Run:
    audience = Audience("file", "people.csv") if text else service.guests()
    with unit_of_work(shop.id, actor=MAYA) as uow:
        made = service.create(uow, Wanted("enroll", "promotion"), audience, text)
    jobs.check(str(shop.id), str(made.id))
    return look(shop, made.id)


def look(shop: TestShop, run_id: UUID) -> Run:
    with shop.work() as uow:
        return service.get(uow, run_id)


def start(shop: TestShop, run: Run) -> Run:
    with unit_of_work(shop.id, actor=MAYA) as uow:
        service.start(uow, run.id, run.plan)
    jobs.run_rows(str(shop.id), str(run.id))
    return look(shop, run.id)


def take_back(shop: TestShop, run: Run) -> Run:
    with unit_of_work(shop.id, actor=MAYA) as uow:
        service.undo(uow, run.id)
    jobs.undo_rows(str(shop.id), str(run.id))
    return look(shop, run.id)


def rows(shop: TestShop, run: Run) -> list[tuple[int, str, str | None]]:
    with shop.work() as uow:
        found = queries.rows(uow, service.get(uow, run.id), RowsQuery(limit=100)).page.items
        return [(row["n"], row["state"], row["problem"]) for row in found]


def member(shop: TestShop, email: str) -> dict[str, Any] | None:
    with shop.work() as uow:
        found = members.search(uow, email)
        if not found:
            return None
        row = uow.one(
            "SELECT status, source, locale, email_consent FROM members WHERE id = %(id)s", {"id": found[0].id}
        )
        assert row is not None
        name = members.profile(uow, found[0].id).name
        return row | {"id": found[0].id, "name": name, "points": points.balance(uow, found[0].id).available}


def count(shop: TestShop, sql: str) -> int:
    with shop.work() as uow:
        return int(uow.scalar(sql))


@pytest.mark.usefixtures("known")
def test_the_dry_run_names_each_refusal_and_makes_nobody(shop: TestShop) -> None:
    run = ask(shop)
    assert (run.status, run.rows, run.accepted, run.refused) == ("ready", 8, 2, 6)
    assert run.points == 2 * WELCOME
    assert rows(shop, run) == [
        (2, "ready", None),
        (3, "ready", None),
        (4, "refused", "bad_email"),
        (5, "refused", "member"),
        (6, "refused", "blocked"),
        (7, "refused", "twice"),
        (8, "refused", "bad_birthday"),
        (9, "refused", "nobody"),
    ]
    assert member(shop, "ada@example.com") is None
    with shop.work() as uow:
        kept = uow.all("SELECT n, person_sealed FROM bulk_rows WHERE person_sealed IS NOT NULL ORDER BY n")
    assert [row["n"] for row in kept] == [2, 3]
    assert all(b"ada" not in bytes(row["person_sealed"]) for row in kept)


def test_people_are_welcomed_once_and_nothing_is_said_of_their_consent(shop: TestShop) -> None:
    run = start(shop, ask(shop, FILE.replace("1990-12-10", "١٩٩٠/١٢/١٠")))
    assert (run.status, run.succeeded, run.failed, run.moved) == ("done", 4, 0, 4 * WELCOME)
    ada = member(shop, "ADA@example.com")
    assert ada is not None
    assert ada.pop("id")
    assert ada == {
        "status": "guest",
        "source": "enrolled",
        "locale": "fr",
        "email_consent": None,
        "name": "Ada Lovelace",
        "points": WELCOME,
    }
    assert (
        count(
            shop, "SELECT count(*) FROM bulk_rows WHERE person_sealed IS NOT NULL OR person_index IS NOT NULL"
        )
        == 0
    )
    assert count(shop, "SELECT count(*) FROM messages") == 0
    assert count(shop, "SELECT count(*) FROM audit_entries WHERE action = 'member.enrolled'") == 4
    jobs.run_rows(str(shop.id), str(run.id))
    assert member(shop, "ada@example.com")["points"] == WELCOME  # type: ignore[index]
    again = ask(shop)
    assert (again.accepted, again.totals["problems"]["member"]) == (0, 4)


def test_who_registers_has_the_bonus_once_and_keeps_the_birthday(shop: TestShop) -> None:
    start(shop, ask(shop, "ada@example.com,Ada,Lovelace,fr,1990-12-31\n"))
    for _ in range(2):
        shop.tell("customers/create", payloads.customer(77, email="ada@example.com", verified_email=True))
        shop.drain()
    with shop.work() as uow:
        found = members.by_customer(uow, 77)
        assert found is not None
        assert points.balance(uow, found.id).available == WELCOME
        assert [one for one, _, _ in members.born_on(uow, [(12, 31)], None, 10)] == [found.id]


@pytest.mark.usefixtures("known")
def test_guests_are_enrolled_by_their_orders_and_part_again(shop: TestShop) -> None:
    before = member(shop, "guest@example.com")
    run = start(shop, ask(shop, None))
    assert (run.rows, run.succeeded) == (1, 1)
    after = member(shop, "guest@example.com")
    assert before is not None
    assert after == before | {"source": "enrolled", "points": before["points"] + WELCOME}
    assert ask(shop, None).rows == 0
    assert take_back(shop, run).undone == 1
    assert member(shop, "guest@example.com") == before
    with shop.work() as uow:
        kinds = members.timeline_kinds(lambda _: True)
        page = members.timeline(uow, before["id"], kinds, "en", TimelineQuery())
    told = [
        (kind.key, one.points, one.actor) for kind, one in page.items if kind.key in ("points", "changes")
    ]
    assert told[:2] == [("points", -WELCOME, "Maya"), ("points", WELCOME, "Maya")]
    assert "changes" not in {kind for kind, *_ in told}


def test_undoing_forgets_newcomers_who_did_nothing_since(shop: TestShop) -> None:
    run = start(shop, ask(shop, "ada@example.com\nbo@example.com\ncy@example.com\n"))
    order(shop, 5, "bo@example.com")
    shop.tell("customers/create", payloads.customer(77, email="cy@example.com", verified_email=True))
    shop.drain()
    run = take_back(shop, run)
    assert (run.status, run.undone, run.kept) == ("undone", 1, 2)
    assert [(n, problem) for n, _, problem in rows(shop, run)] == [
        (1, None),
        (2, "active_since"),
        (3, "active_since"),
    ]
    assert member(shop, "ada@example.com") is None
    assert member(shop, "bo@example.com")["points"] > WELCOME  # type: ignore[index]
    assert (
        count(
            shop,
            "SELECT coalesce(sum(available), 0) FROM points_accounts a JOIN members m USING (shop_id)"
            " WHERE m.id = a.member_id AND m.status = 'erased'",
        )
        == 0
    )
    again = start(shop, ask(shop, "ada@example.com\n"))
    assert (again.succeeded, again.moved) == (1, WELCOME)


def test_a_program_without_a_bonus_enrolls_all_the_same(shop: TestShop) -> None:
    with shop.work() as uow:
        uow.execute("UPDATE programs SET status = 'paused'")
    run = start(shop, ask(shop, "ada@example.com\n"))
    assert (run.points, run.moved, run.succeeded) == (0, 0, 1)
    assert take_back(shop, run).undone == 1
    assert member(shop, "ada@example.com") is None


def test_who_came_between_the_dry_run_and_the_run_is_not_made_twice(shop: TestShop) -> None:
    run = ask(shop, "ada@example.com\nbo@example.com\ncy@example.com\n")
    order(shop, 5, "ada@example.com")
    shop.tell("customers/create", payloads.customer(77, email="bo@example.com"))
    shop.drain()
    run = start(shop, run)
    assert (run.succeeded, run.failed) == (2, 1)
    assert [problem for _, _, problem in rows(shop, run)] == [None, "member", None]
    assert member(shop, "ada@example.com")["source"] == "enrolled"  # type: ignore[index]
    assert take_back(shop, run).undone == 2
    assert member(shop, "ada@example.com")["source"] == "guest"  # type: ignore[index]
    assert member(shop, "cy@example.com") is None


def test_many_rows_are_done_slice_by_slice_through_a_pause(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "_SLICES", {"enroll": 3})
    monkeypatch.setattr("app.domains.bulk.service.checking.SLICE", 4)
    run = ask(shop, "".join(f"p{n % 9}@example.com\n" for n in range(12)))
    assert (run.accepted, run.totals["problems"]) == (9, {"twice": 3})
    with unit_of_work(shop.id, actor=MAYA) as uow:
        service.start(uow, run.id, run.plan)
    turns = service.run(shop.id, run.id)
    next(turns)
    with unit_of_work(shop.id, actor=MAYA) as uow:
        service.pause(uow, run.id)
    assert list(turns) == []
    assert count(shop, "SELECT count(*) FROM members") == 3
    with unit_of_work(shop.id, actor=MAYA) as uow:
        service.resume(uow, run.id)
    jobs.run_rows(str(shop.id), str(run.id))
    assert look(shop, run.id).succeeded == 9
    assert count(shop, "SELECT count(*) FROM points_entries WHERE reason = 'signup'") == 9


def test_people_of_a_run_that_is_given_up_or_forgotten_are_dropped(shop: TestShop) -> None:
    named = "SELECT count(*) FROM bulk_rows WHERE person_sealed IS NOT NULL OR person_index IS NOT NULL"
    run = ask(shop, "ada@example.com\n")
    with unit_of_work(shop.id, actor=MAYA) as uow:
        service.cancel(uow, run.id)
    assert count(shop, named) == 0
    run = ask(shop, "ada@example.com\n")
    with shop.work() as uow:
        uow.execute(
            "UPDATE bulk_runs SET touched_at = touched_at - interval '31 days' WHERE status = 'ready'"
        )
    jobs.go_on()
    assert (look(shop, run.id).status, count(shop, named)) == ("cancelled", 0)


def test_whoever_is_erased_is_not_enrolled_by_a_run_that_waits(shop: TestShop) -> None:
    order(shop, 5, "ada@example.com")
    found = member(shop, "ada@example.com")
    assert found is not None
    run = ask(shop, "ada@example.com\nbo@example.com\n")
    with shop.work() as uow:
        compliance.request_erasure(
            uow, external_id="x", member_id=found["id"], customer_id=None, requested_at=uow.now
        )
    assert [problem for _, _, problem in rows(shop, start(shop, run))] == ["gone", None]
    assert member(shop, "ada@example.com") is None


def test_only_files_and_guests_are_enrolled(shop: TestShop) -> None:
    with shop.work() as uow, pytest.raises(Invalid):
        service.create(uow, Wanted("enroll", "promotion"), Audience("filter", filter={"status": "guest"}))
    with shop.work() as uow, pytest.raises(FileRefused):
        service.create(uow, Wanted("enroll", "promotion"), Audience("file"), "Name\nAda\n")


def test_another_shop_has_its_own_people(shop: TestShop, other_shop: TestShop) -> None:
    start(shop, ask(shop, "ada@example.com\n"))
    assert member(other_shop, "ada@example.com") is None
    assert ask(other_shop, "ada@example.com\n").accepted == 1


@pytest.mark.parametrize(
    ("text", "email"),
    [
        (" Ada@Example.COM ", "ada@example.com"),
        ("\u200eada@example.com\u200f", "ada@example.com"),
        ("\uff41da@example.com", "ada@example.com"),
        ("é.o'neil+x@exämple.co.uk", "é.o'neil+x@exämple.co.uk"),
        *[
            (bad, None)
            for bad in (
                "",
                "ada",
                "ada@",
                "@x.com",
                "a@b",
                "a b@x.com",
                "a@x..com",
                "a@@x.com",
                "a@x.com,b@x.com",
            )
        ],
        ("a" * 250 + "@x.com", None),
    ],
)
def test_an_address_is_read_in_one_way(text: str, email: str | None) -> None:
    assert rules.mailbox(text) == email


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1990-12-31", date(1990, 12, 31)),
        ("1990/1/5", date(1990, 1, 5)),
        ("١٩٩٠-١٢-٣١", date(1990, 12, 31)),
        *[(bad, None) for bad in ("31.12.1990", "1990-02-30", "1815-12-10", "soon", "1990-12-31T00:00")],
    ],
)
def test_a_birthday_is_read_in_one_way(text: str, day: date | None) -> None:
    assert rules.day_of(text) == day


def test_headings_in_five_languages_say_the_same() -> None:
    for head in (
        "Email,First Name,Last Name,Language,Birthday",
        "Correo,Nombre,Apellidos,Idioma,Fecha de nacimiento",
        "Courriel,Prénom,Nom de famille,Langue,Date de naissance",
        "البريد,الاسم الأول,اسم العائلة,اللغة,تاريخ الميلاد",
        "דוא״ל,שם פרטי,שם משפחה,שפה,תאריך לידה",
    ):
        text = f"{head}\na@x.com,Ada,Byron,fr,1990-12-31\n"
        (found,) = rules.lines(text.splitlines(keepends=True), rules.layout(text), people=True)
        assert found.person == Newcomer("a@x.com", "Ada", "Byron", "fr", date(1990, 12, 31)), head


def test_staff_enroll_a_file_and_see_each_refusal(
    shop: TestShop, call_as: Callable[..., Any], known: None
) -> None:
    caller = call_as(staff(shop.id))
    page = caller.get("/app/bulk-actions/new?kind=enroll").text
    assert "Nothing is assumed about their consent" in page
    sent = {
        "kind": "enroll",
        "who": "file",
        "reason": "promotion",
        "file": (io.BytesIO(FILE.encode()), "people.csv"),
    }
    assert caller.submit("/app/bulk-actions/new/upload", sent).status_code == 200
    with shop.work() as uow:
        run = uow.scalar("SELECT id FROM bulk_runs")
    jobs.check(str(shop.id), str(run))
    page = caller.get(f"/app/bulk-actions/{run}").text
    for said in (
        "This is no e-mail address.",
        "This person is a member already.",
        "An earlier line names this person.",
    ):
        assert said in page
    reader = call_as(staff(shop.id, ALL - {Permission.MEMBERS_WRITE}))
    assert (
        reader.submit(
            "/app/bulk-actions/new/create", {"kind": "enroll", "who": "guests", "reason": "other"}
        ).status_code
        == 403
    )
    guests = caller.submit(
        "/app/bulk-actions/new/create", {"kind": "enroll", "who": "guests", "reason": "other"}
    )
    assert guests.status_code == 200
    assert (
        caller.submit(
            "/app/bulk-actions/new/create", {"kind": "enroll", "who": "filter", "reason": "other"}
        ).status_code
        == 422
    )


def test_a_program_enrolls_people_and_guests(
    shop: TestShop, call_as: Callable[..., Any], known: None
) -> None:
    caller, path = call_as(api_key(shop.id)), "/api/loyalty-referral/bulk-actions"
    person = {"member": "ada@example.com", "first_name": "Ada", "birthday": "1990-12-31", "locale": "he"}
    run = caller.post(path, json={"kind": "enroll", "reason": "import", "rows": [person]}).get_json()["run"]
    jobs.check(str(shop.id), run["id"])
    run = caller.get(f"{path}/{run['id']}").get_json()["run"]
    assert (run["accepted"], run["points"]) == (1, WELCOME)
    caller.post(f"{path}/{run['id']}/start", json={"plan": run["plan"]})
    jobs.run_rows(str(shop.id), run["id"])
    found = member(shop, "ada@example.com")
    assert found is not None
    assert (found["name"], found["locale"]) == ("Ada", "he")
    with shop.work() as uow:
        assert member_queries.get(uow, found["id"]).status == "guest"  # type: ignore[union-attr]
    guests = caller.post(path, json={"kind": "enroll", "reason": "import"}).get_json()["run"]
    jobs.check(str(shop.id), guests["id"])
    assert caller.get(f"{path}/{guests['id']}").get_json()["run"]["accepted"] == 1


# limits --------------------------------------------------------------------------------------------------------------
TWO = "ada@example.com\nbo@example.com\n"


def joining_gives(shop: TestShop, wanted: int) -> None:
    with shop.work() as uow:
        program = programs.active(uow)
        assert program is not None
        programs.update(uow, program.id, {"signup_bonus": wanted}, version=program.version)


def limits(shop: TestShop, **wanted: int) -> None:
    with shop.work() as uow:
        points.save_adjust_settings(uow, SettingsForm(**wanted))


def test_much_for_joining_waits_for_a_second_person(shop: TestShop) -> None:
    limits(shop, approval_above=2 * WELCOME - 1)
    run = start(shop, ask(shop, TWO))
    assert (run.status, member(shop, "ada@example.com")) == ("waiting", None)
    with pytest.raises(ApproverNeeded), unit_of_work(shop.id, actor=MAYA) as uow:
        service.decide(uow, run.id, approve=True)
    with unit_of_work(shop.id, actor=OMAR) as uow:
        service.decide(uow, run.id, approve=True)
    jobs.run_rows(str(shop.id), str(run.id))
    assert member(shop, "ada@example.com")["points"] == WELCOME  # type: ignore[index]
    assert start(shop, ask(shop, "cy@example.com\n")).status == "done"


def test_whoever_waits_for_approval_is_forgotten_when_it_does_not_come(shop: TestShop) -> None:
    limits(shop, approval_above=WELCOME)
    rejected, forgotten = (start(shop, ask(shop, TWO)) for _ in range(2))
    with unit_of_work(shop.id, actor=OMAR) as uow:
        service.decide(uow, rejected.id, approve=False)
        uow.execute(
            "UPDATE bulk_runs SET touched_at = touched_at - interval '31 days' WHERE status = 'waiting'"
        )
    jobs.go_on()
    assert [look(shop, run.id).status for run in (rejected, forgotten)] == ["rejected", "cancelled"]
    assert count(shop, "SELECT count(*) FROM bulk_rows WHERE person_index IS NOT NULL") == 0


def test_points_for_joining_count_for_a_persons_day(shop: TestShop) -> None:
    limits(shop, daily_limit=3 * WELCOME)
    start(shop, ask(shop, TWO))
    with pytest.raises(DailyLimitReached) as refused:
        start(shop, ask(shop, "cy@example.com\ndee@example.com\n"))
    assert refused.value.data == {"limit": 3 * WELCOME, "left": WELCOME}
    joining_gives(shop, 0)
    assert start(shop, ask(shop, "cy@example.com\ndee@example.com\n")).status == "done"


def enroll_one(shop: TestShop, email: str, actor: Actor = MAYA) -> None:
    with unit_of_work(shop.id, actor=actor) as uow:
        service.enroll_one(uow, email)


def test_enrolling_one_counts_for_a_persons_day_too(shop: TestShop) -> None:
    limits(shop, daily_limit=3 * WELCOME)
    start(shop, ask(shop, TWO))
    enroll_one(shop, "cy@example.com")
    with pytest.raises(DailyLimitReached) as refused:
        enroll_one(shop, "dee@example.com")
    assert refused.value.data == {"limit": 3 * WELCOME, "left": 0}
    assert member(shop, "dee@example.com") is None
    enroll_one(shop, "dee@example.com", OMAR)
    joining_gives(shop, 0)
    enroll_one(shop, "eve@example.com")


def test_one_person_enrolls_nobody_alone_whose_welcome_needs_a_second_one(
    shop: TestShop, call_as: Callable[..., Any]
) -> None:
    limits(shop, approval_above=WELCOME - 1)
    with pytest.raises(WelcomeNeedsApproval) as refused:
        enroll_one(shop, "cy@example.com")
    assert refused.value.data == {"points": WELCOME}
    told = call_as(staff(shop.id)).submit("/app/members/enroll", {"customer": "cy@example.com"})
    assert (told.status_code, "somebody else can approve it" in told.text) == (409, True)
    assert member(shop, "cy@example.com") is None
    with unit_of_work(shop.id, actor=Actor("api_key", "1", "Import")) as uow:
        service.enroll_one(uow, "dee@example.com")
    limits_again(shop, approval_above=WELCOME)
    enroll_one(shop, "cy@example.com")
    limits_again(shop, approval_above=0, daily_limit=1)
    joining_gives(shop, 0)
    enroll_one(shop, "eve@example.com")


def limits_again(shop: TestShop, **wanted: int) -> None:
    with shop.work() as uow:
        known = points.adjust_settings(uow)
        points.save_adjust_settings(uow, SettingsForm(**wanted, version=known.version))


def test_a_customer_whom_staff_have_read_from_the_shop_joins_like_any_other(shop: TestShop) -> None:
    limits(shop, approval_above=WELCOME - 1, daily_limit=1)
    with unit_of_work(shop.id, actor=MAYA) as uow:
        members.ask_to_enroll(uow, "5")
    with shop.work() as uow:
        members.learn(uow, [Person(5, "cy@example.com")])
        joined = members.by_customer(uow, 5)
        assert joined is not None
        assert points.balance(uow, joined.id).available == WELCOME


def test_another_shop_has_its_own_day(shop: TestShop, other_shop: TestShop) -> None:
    limits(shop, daily_limit=WELCOME)
    enroll_one(shop, "cy@example.com")
    with other_shop.work() as uow:
        assert service.welcomed_since(uow, "staff", MAYA.id, uow.now.replace(year=2020)) == 0
    with shop.work() as uow:
        assert service.welcomed_since(uow, "staff", MAYA.id, uow.now.replace(year=2020)) == WELCOME
        assert service.welcomes_since(uow, uow.now.replace(year=2020)) == 1


def test_many_who_are_welcomed_in_an_hour_are_told_to_the_merchant(shop: TestShop) -> None:
    limits(shop, alert_per_hour=2)
    joining_gives(shop, 0)
    start(shop, ask(shop, "cy@example.com\ndee@example.com\n"))
    joining_gives(shop, WELCOME)
    start(shop, ask(shop, TWO))
    with shop.work() as uow:
        assert not points.alerted_since(uow, uow.now.replace(year=2020))
    start(shop, ask(shop, "eve@example.com\n"))
    with shop.work() as uow:
        assert points.alerted_since(uow, uow.now.replace(year=2020))


def test_nobody_starts_or_approves_more_for_joining_than_the_dry_run_shows(shop: TestShop) -> None:
    limits(shop, approval_above=WELCOME)
    waiting, ready = start(shop, ask(shop, TWO)), ask(shop, TWO)
    joining_gives(shop, WELCOME + 1)
    with pytest.raises(WelcomeChanged):
        start(shop, ready)
    with pytest.raises(WelcomeChanged), unit_of_work(shop.id, actor=OMAR) as uow:
        service.decide(uow, waiting.id, approve=True)
    joining_gives(shop, 10)
    with unit_of_work(shop.id, actor=OMAR) as uow:
        assert service.decide(uow, waiting.id, approve=True).status == "running"
    jobs.run_rows(str(shop.id), str(waiting.id))
    assert look(shop, waiting.id).moved == 20


def test_the_page_says_before_that_somebody_else_has_to_approve(
    shop: TestShop, call_as: Callable[..., Any]
) -> None:
    caller, words = call_as(staff(shop.id)), "Somebody else has to approve this"
    limits(shop, approval_above=2 * WELCOME - 1)
    assert words not in caller.get(f"/app/bulk-actions/{ask(shop, 'cy@example.com').id}").text
    run = ask(shop, TWO)
    shown = caller.get(f"/app/bulk-actions/{run.id}").text
    assert words in shown and "<span>Ask for approval</span>" in shown
    joining_gives(shop, 2 * WELCOME)
    refused = caller.submit(f"/app/bulk-actions/{run.id}/start", {"plan": run.plan})
    assert refused.status_code == 409
    assert "Joining gives more points now than the dry run shows." in refused.text

"""The lists of bulk actions and of their rows: filters, orders, bounded pages, and the report as a file."""

import csv
import io
from collections.abc import Callable
from itertools import product
from typing import Any, get_args
from uuid import UUID

import pytest

from app.core import walking
from app.core.paging import COUNT_CAP
from app.core.permissions import ALL, Permission
from app.domains.bulk import jobs, queries, service
from app.domains.bulk.schemas import Audience, RowsQuery, Run, RunsQuery, State, Wanted
from app.domains.members import service as members
from app.domains.members.schemas import Person
from tests.fixtures.paging import there_and_back
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

CallAs = Callable[[Any], Caller]
TAB = "/app/bulk-actions"
API = "/api/loyalty-referral/bulk-actions"
FILE = """email,points,reason
m1@example.com,5,
m2@example.com,7,=HYPERLINK(1)
nobody@example.com,5,
,3,
m3@example.com,x,
"""


def make(shop: TestShop, text: str = FILE, *, start: bool = True, **wanted: Any) -> Run:
    """A run for the lines of a file, rehearsed and done."""
    with shop.work() as uow:
        people = [Person(n, f"m{n}@example.com", f"Name{n}", "Ruiz") for n in (1, 2, 3)]
        members.enroll(uow, people)
        made = service.create(
            uow, Wanted(**({"kind": "award", "reason": "goodwill"} | wanted)), Audience("file"), text
        )
    jobs.check(str(shop.id), str(made.id))
    with shop.work() as uow:
        run = service.get(uow, made.id)
        if start:
            service.start(uow, run.id, run.plan)
    if start:
        jobs.run_rows(str(shop.id), str(run.id))
    with shop.work() as uow:
        return service.get(uow, run.id)


def pages(read: Callable[[Any], Any], query: Any, scan: int) -> list[dict[str, Any]]:
    """What the list shows on all its pages."""
    return there_and_back(
        lambda cursor: read(query.model_copy(update={"cursor": cursor})).page, exact=scan == COUNT_CAP
    )


@pytest.mark.parametrize("scan", [walking.SCAN, 2])
def test_rows_are_all_there_whatever_is_asked(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch, scan: int
) -> None:
    monkeypatch.setattr(walking, "SCAN", scan)
    run = make(shop)
    with shop.work() as uow:
        everything = pages(lambda one: queries.rows(uow, run, one), RowsQuery(limit=1), scan)
        assert [(row["n"], row["state"], row["problem"]) for row in everything] == [
            (2, "done", None),
            (3, "done", None),
            (4, "refused", "unknown"),
            (5, "refused", "nobody"),
            (6, "refused", "bad_points"),
        ]
        for state, problem in product((None, *get_args(State)), (None, "unknown", "twice")):
            found = pages(
                lambda one: queries.rows(uow, run, one),
                RowsQuery(state=state, problem=problem, limit=1),
                scan,
            )
            assert [row["n"] for row in found] == [
                row["n"]
                for row in everything
                if state in (None, row["state"]) and problem in (None, row["problem"])
            ]


def test_runs_are_narrowed_by_kind_and_status(shop: TestShop) -> None:
    done, ready = make(shop), make(shop, "email\nm1@example.com\n", start=False, kind="tag", tags=["vip"])

    def ids(**asked: Any) -> list[UUID]:
        with shop.work() as uow:
            return [row["id"] for row in queries.runs(uow, RunsQuery(**asked)).page.items]

    assert ids() == [ready.id, done.id] and ids(sort="oldest") == [done.id, ready.id]
    assert ids(kind="tag") == ids(status="open") == [ready.id]
    assert ids(kind="tag", status="done") == []


def test_the_report_has_every_row_in_words_and_computes_nothing(shop: TestShop, call_as: CallAs) -> None:
    run = make(shop)
    caller = call_as(staff(shop.id))
    lines = list(
        csv.reader(io.StringIO(caller.get(f"{API}/{run.id}/report.csv").text.removeprefix("\ufeff")))
    )
    assert lines[0] == ["Member", "E-mail", "Member id", "Line", "Points", "Reason", "Result", "Why"]
    assert lines[1][:2] == ["Name1 Ruiz", "m1@example.com"] and lines[1][3:] == [
        "2",
        "5",
        "Goodwill",
        "Done",
        "",
    ]
    assert lines[2][5] == "'=HYPERLINK(1)"
    assert lines[3][6:] == ["Refused", "No member has this e-mail or id."]
    assert len(caller.get(f"{API}/{run.id}/report.csv?state=refused").text.splitlines()) == 4
    assert caller.get(f"{API}.csv?columns=kind,status").text.splitlines()[1] == "Award points,Done"
    assert (
        call_as(staff(shop.id, ALL - {Permission.MEMBERS_READ})).get(f"{API}/{run.id}/report.csv").status_code
        == 403
    )


def test_the_pages_show_what_is_asked(shop: TestShop, call_as: CallAs, other_shop: TestShop) -> None:
    run = make(shop)
    caller = call_as(staff(shop.id))
    page = caller.get(f"{TAB}/{run.id}?problem=unknown").text
    assert "Line 4" in page and "Line 5" not in page and "Name1" not in page
    assert "No row has this result" in caller.get(f"{TAB}/{run.id}?state=undone").text
    assert "No bulk action matches" in caller.get(f"{TAB}?kind=email").text
    assert "No bulk action yet" in call_as(staff(other_shop.id)).get(TAB).text
    assert call_as(staff(other_shop.id)).get(f"{API}/{run.id}/report.csv").status_code == 404


def test_who_is_to_be_enrolled_is_named_until_it_is_done(shop: TestShop, call_as: CallAs) -> None:
    run = make(shop, "email,first_name\nnew@example.com,Zoe\n", start=False, kind="enroll")
    page = call_as(staff(shop.id)).get(f"{TAB}/{run.id}").text
    assert "new@example.com" in page and "Zoe" in page


def test_a_phone_says_what_the_number_beside_a_run_counts(shop: TestShop, call_as: CallAs) -> None:
    run = make(shop, start=False)
    one = make(shop, "email,points\nm1@example.com,5\n", start=False)
    told = call_as(staff(shop.id)).get(TAB).text
    assert f'data-unit="rows"><bdi>{run.rows}</bdi>' in told and run.rows > 1
    assert 'data-unit="row"><bdi>1</bdi>' in told and one.rows == 1

"""The file of a list holds what its page shows on all its pages: the same rows, columns and order."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from html import unescape

import pytest

from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit, Reversal
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

COLUMNS = "/app/home/lists"


@pytest.fixture(autouse=True)
def people(shop: TestShop) -> None:
    """Seven members, one of them blocked, with points in no order, some taken back, some reserved and one hold ended."""
    with shop.work() as uow:
        found = members.enroll(uow, [Person(n, f"m{n}@example.com", f"=Name{n}", "Ruiz") for n in range(7)])
        for n in (4, 1, 6, 2):
            points.credit(uow, [Credit(found[n].id, 1_500 * n, f"b{n}", "birthday")])
        points.reverse(uow, Reversal(found[4].id, 2_000, "r", "refund"))
        points.hold(uow, found[1].id, 1_200, key="h1", reason="checkout_hold")
        held = points.hold(uow, found[2].id, 700, key="h2", reason="checkout_hold")
        points.settle(uow, held.id, "release", key="e2", reason="checkout_released")
        members.set_status(uow, found[6].id, "blocked")


def shown(caller: Caller, address: str) -> Iterator[tuple[list[str], list[list[str]], str]]:
    """The table of each page: its headings, its rows without selection and actions, and the file that it offers."""
    following: str | None = address
    while following:
        page = caller.get(f"{following}&limit=2").text
        [table] = re.findall(r'<table class="[^"]*table-list.*?</table>', page, re.DOTALL)
        head, *rows = re.findall(r"<tr\b[^>]*>(.*?)</tr>", table, re.DOTALL)
        [file] = set(re.findall(r'data-download="([^"]*)"', page))
        yield [plain(one) for one in cells(head)], [[said(one) for one in cells(row)] for row in rows], file
        ways = re.findall(r'<a [^>]*href="([^"]*)" aria-label="Next page"', page)
        following = unescape(ways[0]) if ways else None


def cells(row: str) -> list[str]:
    found = re.findall(r'<t[hd] [^>]*class="([^"]*)"[^>]*>(.*?)</t[hd]>', row, re.DOTALL)
    return [
        inside for classes, inside in found if "cell-select" not in classes and "cell-actions" not in classes
    ]


def plain(markup: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", markup)).strip()


def said(cell: str) -> str:
    """A cell as the file writes it: an instant in whole minutes, a number without its signs for reading."""
    if instant := re.search(r'<time datetime="([^"]*)"', cell):
        return moment(instant[1])
    named = re.search(r"<(a|bdi)\b[^>]*>(.*?)</\1>", cell, re.DOTALL)
    text = plain(named[2] if named else cell)
    if re.fullmatch(r"[+−]?[\d,]+", text):
        return text.replace(",", "").replace("−", "-").removeprefix("+")
    return "" if text == "–" else text


def moment(instant: str) -> str:
    return str(int(datetime.fromisoformat(instant).timestamp()) // 60)


def filed(caller: Caller, address: str) -> list[list[str]]:
    rows = csv.reader(io.StringIO(caller.get(address).text.removeprefix("\ufeff")))
    instant = re.compile(r"\d{4}-\d\d-\d\dT")
    return [[moment(cell) if instant.match(cell) else cell.removeprefix("'") for cell in row] for row in rows]


@pytest.mark.parametrize(
    ("key", "address", "columns", "rows"),
    [
        ("members", "/app/members?status=active&sort=available", [], 6),
        (
            "members",
            "/app/members?points_from=1&sort=qualifying",
            ["debt", "email", "status", "available"],
            4,
        ),
        ("points-entries", "/app/points-ledger?kind=award&sort=oldest", [], 4),
        (
            "points-entries",
            "/app/points-ledger?points_to=-1",
            ["key", "actor_kind", "points", "member_id", "reason"],
            1,
        ),
        ("points-entries", "/app/points-ledger?source=redemptions", ["kind", "points", "balances"], 3),
    ],
)
def test_the_file_is_what_the_pages_show(
    shop: TestShop, call_as: Callable[..., Caller], key: str, address: str, columns: list[str], rows: int
) -> None:
    caller = call_as(staff(shop.id))
    if columns:
        answer = caller.submit(f"{COLUMNS}/{key}/columns/choose", {"at": address, "columns": columns})
        assert answer.status_code == 200
    pages = list(shown(caller, address))
    assert len(pages) == (rows + 1) // 2
    assert len({file for *_, file in pages}) == 1
    head, *lines = filed(caller, unescape(pages[0][2]))
    assert head == pages[0][0]
    assert lines == [row for _, some, _ in pages for row in some]
    assert len(lines) == rows

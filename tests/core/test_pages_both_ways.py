"""Pages there and back: the same rows, whatever the order and the filter, also where many have the same sort value."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.core import walking
from app.core.db import UnitOfWork
from app.core.paging import Order, Page, Place, StaleCursor, encode_cursor
from app.core.walking import Walk, walked
from tests.fixtures.paging import there_and_back
from tests.fixtures.shop import TestShop

START = datetime(2026, 11, 1, tzinfo=UTC)
SOURCE = (
    "SELECT at, id, kept FROM unnest(%(at)s::timestamptz[], %(id)s::uuid[], %(kept)s::boolean[]) AS r (at, id, kept)"
    " WHERE true{after}"
)
# Few sort values for many rows, so that pages end among equal ones.
SPANS = st.tuples(st.none() | st.integers(-1, 1), st.none() | st.integers(1, 3))
ROWS = st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=25)


@pytest.fixture
def uow(shop: TestShop) -> Iterator[UnitOfWork]:
    with shop.work() as uow:
        yield uow


def values(rows: list[tuple[int, bool]]) -> dict[str, Any]:
    return {
        "at": [START + timedelta(hours=hour) for hour, _ in rows],
        "id": [UUID(int=number) for number in range(len(rows))],
        "kept": [kept for _, kept in rows],
    }


def expected(rows: list[tuple[int, bool]], falling: bool) -> list[Any]:
    known = values(rows)
    found = [(at, one) for at, one, kept in zip(known["at"], known["id"], known["kept"], strict=True) if kept]
    return sorted(found, reverse=falling)


def keys(rows: list[dict[str, Any]]) -> list[Any]:
    return [(row["at"], row["id"]) for row in rows]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.booleans(), st.integers(1, 6))
@example([(0, True)] * 12, True, 4)
def test_a_list_is_the_same_there_and_back(
    uow: UnitOfWork, rows: list[tuple[int, bool]], falling: bool, limit: int
) -> None:
    order = Order({"at": datetime, "id": UUID}, descending=falling)

    def read(place: Place | None) -> list[dict[str, Any]]:
        return uow.all(
            f"{SOURCE.format(after=' AND kept' + order.beside(place))} ORDER BY {order.by(place)} LIMIT %(limit)s",
            values(rows) | order.values(place) | {"limit": limit + 1},
        )

    found = there_and_back(lambda cursor: order.page(cursor, limit, read))
    assert keys(found) == expected(rows, falling)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.booleans(), st.integers(1, 6), st.sampled_from([2, 3, 5, 10_000]), SPANS)
@example([(0, True)] * 3 + [(1, False)] * 12 + [(2, True)] * 3, False, 2, 3, (None, None))
def test_a_walk_is_the_same_there_and_back(
    uow: UnitOfWork,
    rows: list[tuple[int, bool]],
    falling: bool,
    limit: int,
    scan: int,
    hours: tuple[int | None, int | None],
) -> None:
    order = Order({"at": datetime, "id": UUID}, descending=falling)
    lowest, beyond = (None if hour is None else START + timedelta(hours=hour) for hour in hours)
    walk = Walk(SOURCE, order, "w.at, w.id", where="w.kept", span=(lowest, beyond))

    def read(cursor: str | None) -> Page[Any]:
        return walked(uow, walk, values(rows), limit, cursor).page

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(walking, "SCAN", scan)
        found = there_and_back(read, exact=scan > len(rows))
    inside = [
        (at, one)
        for at, one in expected(rows, falling)
        if (lowest is None or at >= lowest) and (beyond is None or at < beyond)
    ]
    assert keys(found) == inside


@pytest.mark.parametrize("falling", [True, False])
@pytest.mark.parametrize("back", [True, False])
def test_an_end_that_the_place_implies_is_left_out_and_no_other(falling: bool, back: bool) -> None:
    order, span = Order({"at": datetime, "id": UUID}, descending=falling), (START, START + timedelta(days=9))
    later = falling == back
    for day, lowest, beyond in ((3, not later, later), (-1, True, later), (12, not later, True)):
        place = Place((START + timedelta(days=day), UUID(int=1)), back)
        said = order.beside(place, span)
        assert (">= %(lowest)s" in said, "< %(beyond)s" in said) == (lowest, beyond), (day, said)


def test_going_back_to_the_beginning_is_the_first_page(uow: UnitOfWork) -> None:
    order = Order({"n": int})
    rows = [{"n": n} for n in range(10)]

    def read(place: Place | None) -> list[dict[str, int]]:
        if place is None:
            return rows
        return [row for row in reversed(rows) if row["n"] < place.key[0]]

    page = order.page(Place((2,), back=True).cursor(), 4, read)
    assert [row["n"] for row in page.items] == [0, 1, 2, 3]
    assert page.previous_cursor is None and page.next_cursor is not None


@pytest.mark.parametrize(
    "place", [Place(("a", 1), back, here) for back in (True, False) for here in (True, False)]
)
def test_a_place_comes_back_from_its_cursor(place: Place) -> None:
    order = Order({"name": str, "n": int})
    assert order.place(place.cursor()) == place
    assert place.opposite().opposite() == place != place.opposite()


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        encode_cursor("2026-11-01T00:00:00+00:00"),
        encode_cursor("2026-11-01T00:00:00+00:00", "no id"),
        encode_cursor("2026-11-01T00:00:00", str(UUID(int=1))),
        encode_cursor(5, str(UUID(int=1))),
        encode_cursor(None, None),
        encode_cursor("2026-11-01T00:00:00+00:00", 7),
        encode_cursor("2026-11-01T00:00:00+00:00", str(UUID(int=1)), ">"),
        encode_cursor("2026-11-01T00:00:00+00:00", str(UUID(int=1)), "<", "<"),
    ],
)
def test_a_cursor_of_another_order_is_refused(cursor: str) -> None:
    with pytest.raises(StaleCursor):
        Order({"at": datetime, "id": UUID}).place(cursor)

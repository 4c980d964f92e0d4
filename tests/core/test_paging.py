"""Cursors and pages."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import ids
from app.core.errors import Invalid
from app.core.paging import MAX_LIMIT, StaleCursor, cut, decode_cursor, encode_cursor

PARTS = st.lists(
    st.one_of(st.integers(-(2**63), 2**63 - 1), st.text(max_size=20).filter(str.isprintable), st.none()),
    max_size=4,
)


@given(PARTS)
def test_a_cursor_gives_its_key_back(key: list[object]) -> None:
    assert decode_cursor(encode_cursor(*key), len(key)) == key


def test_times_and_ids_come_back_as_texts() -> None:
    at, number = datetime(2026, 11, 21, 5, 0, 0, 123456, tzinfo=UTC), ids.new_id()
    assert decode_cursor(encode_cursor(at, number), 2) == ["2026-11-21T05:00:00.123456+00:00", str(number)]


def test_cursors_are_fit_for_addresses() -> None:
    cursor = encode_cursor("ÿ" * 50, 2**62)
    assert cursor.isascii() and not set(cursor) & set("+/=&? ")


def packed(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "%%%",
        "é",
        "a" * 1000,
        packed(b"{}"),
        packed(b"[1]"),
        packed(b"[1,2,3]"),
        packed(b"[[1],2]"),
        packed(b"[{},2]"),
        packed(b"\xff"),
    ],
)
def test_what_this_list_did_not_make_is_refused(cursor: str) -> None:
    with pytest.raises(StaleCursor) as refused:
        decode_cursor(cursor, 2)
    assert isinstance(refused.value, Invalid) and refused.value.status == 400


def rows(count: int) -> list[dict[str, int]]:
    return [{"at": number, "id": number * 10} for number in range(count)]


@pytest.mark.parametrize(
    ("there", "limit", "shown", "more"),
    [(0, 3, 0, False), (2, 3, 2, False), (3, 3, 3, False), (4, 3, 3, True)],
)
def test_a_page_ends_where_the_next_begins(there: int, limit: int, shown: int, more: bool) -> None:
    page = cut(rows(there), limit, "at", "id")
    assert len(page.items) == shown
    assert (page.next_cursor is not None) is more
    if page.next_cursor:
        assert decode_cursor(page.next_cursor, 2) == [shown - 1, (shown - 1) * 10]


def test_pages_are_bounded() -> None:
    assert MAX_LIMIT == 200

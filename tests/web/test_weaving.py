"""Markup of many things at once is what each of them would be alone, and what waits comes back to its place."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from app.web.laying_aside import laid_aside, one_page
from app.web.markup import all_escaped
from app.web.weaving import Part, apart, woven

_SIGNS = st.text(alphabet="<&>\0a'\"")
_VALUES = st.one_of(_SIGNS, st.builds(Markup, _SIGNS), st.integers(), st.uuids())


@st.composite
def _things(draw: st.DrawFn) -> tuple[list[Part], int]:
    count = draw(st.integers(0, 4))
    own = st.lists(st.text(max_size=3), min_size=count, max_size=count)
    return draw(st.lists(st.one_of(st.text(max_size=3), own), min_size=1)), count


@given(st.one_of(st.lists(_VALUES), st.lists(_SIGNS), st.lists(st.uuids())))
def test_many_are_escaped_as_each_is(values: list[Any]) -> None:
    assert all_escaped(values) == [str(escape(value)) for value in values]


@given(_things())
def test_what_is_woven_is_one_after_the_other(things: tuple[list[Part], int]) -> None:
    parts, count = things
    each = [
        "".join(part if isinstance(part, str) else part[place] for part in parts) for place in range(count)
    ]
    assert apart(parts, count) == each
    assert woven(parts, count) == "".join(each)


def test_a_thing_without_its_text_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="argument"):
        woven(["a", ["b"]], 2)


def test_what_waits_comes_to_its_place_as_often_as_it_stands_there() -> None:
    with one_page() as finished:
        one, unused, other = laid_aside("<p>é</p>"), laid_aside("never"), laid_aside("<b>2</b>")
        page = escape("<") + other + Markup("–") + one + other
    assert "never" not in page and unused
    assert finished(page).decode() == "&lt;<b>2</b>–<p>é</p><b>2</b>"


def test_without_a_page_nothing_waits() -> None:
    assert laid_aside("<p>") == Markup("<p>")
    with one_page() as finished:
        assert finished("\0x-0\0é") == "\0x-0\0é".encode()


def test_a_page_inside_another_has_its_own() -> None:
    with one_page() as outer:
        first = laid_aside("outer")
        with one_page() as inner:
            assert inner(laid_aside("inner")) == b"inner"
        assert outer(first) == b"outer"

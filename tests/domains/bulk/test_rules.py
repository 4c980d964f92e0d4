"""Files as people save them, numbers as people type them, and what may follow what."""

import csv
import io
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domains.bulk import rules
from app.domains.bulk.errors import FileRefused
from app.domains.bulk.rules import Line
from app.domains.points.schemas import Balance


def read(content: bytes | str, size: int = 7) -> list[Line]:
    text = content if isinstance(content, str) else rules.decoded(content)
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    return list(rules.lines(rules.split_lines(parts), rules.layout(text)))


@pytest.mark.parametrize(
    "content",
    [
        b"email,points,reason\r\nada@example.com,250,thanks\r\n",
        "\ufeffE-mail;Points;Reason\nada@example.com;250;thanks\n".encode(),
        "Correo electrónico;Puntos;Motivo\nada@example.com;250;thanks".encode(),
        "Adresse e-mail\tPoints\tRaison\nada@example.com\t250\tthanks\n".encode("utf-16"),
        "البريد الإلكتروني,النقاط,السبب\nada@example.com,٢٥٠,thanks\n".encode(),
        'דוא"ל,נקודות,סיבה\nada@example.com,250,thanks\n'.encode(),
        b"sep=;\r\nCustomer ID;Points;Note;Email\r\n7;250;thanks;ada@example.com\r\n",
        b"ada@example.com,250,thanks\n",
        b'name,"points, all",email,points,comment\nAda,9,"ada@example.com"," 250 ","thanks"\n',
    ],
)
def test_files_of_many_makers_say_the_same(content: bytes) -> None:
    (found,) = read(content)
    assert (found.who, found.points, found.reason, found.problem) == ("ada@example.com", 250, "thanks", None)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\x00\xfa", "encoding"),
        (b"email\n\x00@x\n", "encoding"),
        (b" \n ", "empty"),
        (b"name,points\nAda,3\n", "columns"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(content: bytes, why: str) -> None:
    with pytest.raises(FileRefused) as refused:
        rules.layout(rules.decoded(content))
    assert refused.value.fields["file"] == FileRefused(why).message


def test_bad_lines_are_named_by_their_number_and_the_rest_is_read() -> None:
    found = read('email,points\n\nada@x.com,1.5\n,9\n"bo\nb@x.com",3\nida@x.com,-3\njan@x.com,1.000\n')
    assert [(one.n, one.points, one.problem) for one in found] == [
        (3, None, "bad_points"),
        (4, None, "nobody"),
        (5, 3, None),
        (7, None, "bad_points"),
        (8, 1000, None),
    ]


def test_a_field_without_an_end_does_not_swallow_the_memory() -> None:
    found = read('email,points\nada@x.com,1\n"' + "x\n" * 200_000, size=100_000)
    assert found[0].problem is None
    assert found[1].problem == "unreadable"


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.emails(), st.integers(0, 10**8)), max_size=30), st.integers(1, 50), st.data())
def test_a_file_read_in_parts_and_again_from_any_line_gives_the_same_rows(
    rows: list[tuple[str, int]], size: int, data: st.DataObject
) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator=data.draw(st.sampled_from(["\n", "\r\n"]))).writerows(
        [("email", "points"), *rows]
    )
    whole = read(out.getvalue(), size)
    assert [(one.who, one.points) for one in whole] == rows
    after = data.draw(st.integers(0, len(rows) + 2))
    parts = rules.split_lines([out.getvalue()])
    assert list(rules.lines(parts, rules.layout(out.getvalue()), after)) == [
        one for one in whole if one.n > after
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1 250", 1250),
        ("1\u202f250", 1250),
        ("1,250", 1250),
        ("1.250.000", 1_250_000),
        ("1٬250", 1250),
        ("۱۲", 12),
        ("100.00", 100),
        ("+5", 5),
        ("−5", -5),
        ("1,25,0", None),
        ("1e3", None),
        ("=1+1", None),
        ("12.5", None),
        ("", None),
        ("9" * 30, None),
    ],
)
def test_numbers_as_people_type_them(text: str, number: int | None) -> None:
    assert rules.whole(text) == number


AMOUNTS = st.integers(0, 10**6)


@given(
    st.sampled_from(["award", "deduct", "set", "expire"]),
    st.none() | AMOUNTS,
    AMOUNTS,
    st.just(0) | AMOUNTS,
)
def test_a_judged_row_keeps_the_balance_whole(
    kind: rules.Kind, wanted: int | None, had: int, owed: int
) -> None:
    before = Balance(available=had, debt=owed)
    moved, problem = rules.judge(kind, wanted, had, owed)
    if problem:
        return
    after = rules.after(kind, wanted, moved, before)
    assert after.available >= 0
    assert after.debt >= 0
    assert abs(after.total - before.total) == moved
    assert (after.total > before.total) == (kind == "award") or kind == "set"


def test_a_run_ends_only_once() -> None:
    statuses = list(rules._FOLLOWS)
    assert not [one for one in statuses if rules.may_follow(one, one)]
    ends = {"rejected", "undone", "failed"}
    assert not [pair for pair in product(ends, statuses) if rules.may_follow(*pair)]

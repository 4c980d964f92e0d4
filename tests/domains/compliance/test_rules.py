"""Whether a document speaks of a person."""

from typing import Any

import pytest

from app.domains.compliance import rules

NAMES = rules.names_of(7_700_000_077, " Noura@Example.com", (5_001,))


@pytest.mark.parametrize(
    "document",
    [
        {"customer": {"id": 7_700_000_077}},
        {"customer": {"id": "7700000077"}},
        {"lines": [{"by": "gid://shopify/Customer/7700000077"}]},
        {"email": "noura@example.com"},
        {"note": "Please call NOURA@example.com today"},
        {"order_id": 5_001},
        [[["noura@example.COM"]]],
    ],
)
def test_it_does(document: Any) -> None:
    assert rules.speaks_of(document, NAMES)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        None,
        {"customer": {"id": 77_000_000_771}},
        {"total": "7700000077.00", "paid": True},
        {"email": "nour@example.com"},
        {"noura@example.com": 1.5},
    ],
)
def test_it_does_not(document: Any) -> None:
    assert not rules.speaks_of(document, NAMES)


def test_nobody_is_nowhere() -> None:
    assert not rules.speaks_of({"a": ["", "x@y", 0, None]}, rules.names_of(None, None))


def test_deep_documents_do_not_exhaust_the_stack() -> None:
    document: Any = "noura@example.com"
    for _ in range(50_000):
        document = [document]
    assert rules.speaks_of(document, NAMES)


@pytest.mark.parametrize(
    ("document", "holds"),
    [({"a": {}, "b": [{}], "c": None}, False), ({"a": [{"b": 0}]}, True), ({"a": ""}, True), ([], False)],
)
def test_what_holds_anything(document: Any, holds: bool) -> None:
    assert rules.holds_anything(document) is holds

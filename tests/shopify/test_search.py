"""Search filters keep what people typed a value."""

from datetime import datetime, timedelta, timezone

import pytest

from app.shopify import search


def test_since_overlaps_and_is_utc() -> None:
    instant = datetime(2026, 11, 21, 1, 5, tzinfo=timezone(timedelta(hours=2)))
    assert search.updated_since(instant) == "updated_at:>='2026-11-20T22:55:00Z'"
    assert search.updated_since(instant, overlap=timedelta()) == "updated_at:>='2026-11-20T23:05:00Z'"


@pytest.mark.parametrize(
    ("text", "value"),
    [("mug", "'mug'"), ("d'or", "'d\\'or'"), ("a\\' OR tag:x", "'a\\\\\\' OR tag:x'"), ("a\nb", "'a b'")],
)
def test_quotes_cannot_be_left(text: str, value: str) -> None:
    assert search.quoted(text) == value


def test_words_are_prefixes() -> None:
    assert search.words("blue  mug", field="title") == "title:blue* AND title:mug*"
    assert search.words("tag:vip OR (x)") == "tag* AND vip* AND or* AND x*"
    assert search.words(" : ") is None

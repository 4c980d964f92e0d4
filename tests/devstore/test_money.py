import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstore import money
from devstore.errors import Refused


@pytest.mark.parametrize(
    ("text", "currency", "minor", "rest", "graphql"),
    [
        ("129.90", "USD", 12990, "129.90", "129.9"),
        ("5000", "JPY", 5000, "5000", "5000.0"),
        ("1.25", "KWD", 1250, "1.250", "1.25"),
        ("0", "EUR", 0, "0.00", "0.0"),
        ("-3.5", "EUR", -350, "-3.50", "-3.5"),
    ],
)
def test_amounts_are_read_and_written_with_the_decimals_of_their_currency(
    text, currency, minor, rest, graphql
):
    assert money.to_minor(text, currency) == minor
    assert money.to_text(minor, currency) == rest
    assert money.to_graphql(minor, currency) == graphql


@pytest.mark.parametrize(
    ("given_", "currency"),
    [("1.5", "JPY"), ("1.001", "USD"), ("x", "USD"), ("NaN", "USD"), (None, "USD"), (True, "USD")],
)
def test_what_is_no_amount_is_refused(given_, currency):
    with pytest.raises(Refused):
        money.to_minor(given_, currency)


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=30), st.data())
def test_allocated_parts_add_up_and_never_exceed_their_weight(weights, data):
    total = data.draw(st.integers(0, sum(weights)))
    parts = money.allocate(total, weights)
    assert sum(parts) == (total if sum(weights) else 0)
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))

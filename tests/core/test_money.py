"""Money as integers: every currency's decimals, exact both ways, nothing odd accepted."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Invalid
from app.core.money import MoneyFormat, exponent, to_decimal, to_decimal_string, to_minor

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KRW", "KWD", "BHD", "XYZ"])
MINOR = st.integers(-(10**14), 10**14)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("129.90", "USD", 12_990),
        ("129.9", "USD", 12_990),
        ("0", "USD", 0),
        ("-5.00", "USD", -500),
        ("1200", "JPY", 1_200),
        ("1200.00", "JPY", 1_200),
        ("1.234", "KWD", 1_234),
        ("1.2", "KWD", 1_200),
        ("1e3", "USD", 100_000),
        (" 7.50 ", "USD", 750),
        (5, "USD", 500),
        (Decimal("0.01"), "USD", 1),
        ("0.005", "USD", 1),
        ("0.0049", "USD", 0),
        ("-0.005", "USD", -1),
        ("0.5", "JPY", 1),
        ("1.2345", "KWD", 1_235),
        ("999999999999999", "JPY", 999_999_999_999_999),
    ],
)
def test_minor_units(amount: str | int | Decimal, currency: str, minor: int) -> None:
    assert to_minor(amount, currency) == minor


@pytest.mark.parametrize(
    "amount", ["", "x", "1,000.00", "NaN", "Infinity", "-Infinity", "1e15", "12.3.4", "١٢x", "$5"]
)
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(MoneyFormat) as refused:
        to_minor(amount, "USD")
    assert isinstance(refused.value, Invalid) and refused.value.code == "money_format"


@pytest.mark.parametrize(
    ("currency", "places"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("XYZ", 2), ("CLP", 0), ("TND", 3)]
)
def test_decimals_of_currencies(currency: str, places: int) -> None:
    assert exponent(currency) == places


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (12_990, "USD", "129.90"),
        (5, "USD", "0.05"),
        (-5, "USD", "-0.05"),
        (1_200, "JPY", "1200"),
        (1, "KWD", "0.001"),
        (0, "JPY", "0"),
    ],
)
def test_texts_as_shopify_writes_them(minor: int, currency: str, text: str) -> None:
    assert to_decimal_string(minor, currency) == text


@given(MINOR, CURRENCIES)
def test_there_and_back(minor: int, currency: str) -> None:
    assert to_minor(to_decimal_string(minor, currency), currency) == minor
    assert to_minor(to_decimal(minor, currency), currency) == minor


@given(st.lists(MINOR, max_size=20), CURRENCIES)
def test_sums_agree_in_both_forms(minors: list[int], currency: str) -> None:
    assert to_minor(sum((to_decimal(one, currency) for one in minors), Decimal(0)), currency) == sum(minors)

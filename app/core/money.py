"""Money in integer minor units beside its ISO 4217 currency; decimal strings only at the edges."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache, lru_cache

from babel import Locale
from babel.core import get_global
from babel.numbers import get_territory_currencies

from app.core.errors import Invalid
from app.core.i18n import mark

# ISO 4217 lists these with other than two decimals.
_NO_DECIMALS = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
_THREE_DECIMALS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


class MoneyFormat(Invalid):
    """A text that is not an amount of money."""

    code = "money_format"
    default_message = mark("{text} is not an amount of money.")


def exponent(currency: str) -> int:
    """How many decimals the currency has: 0, 2 or 3."""
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


_TOO_MUCH = Decimal(10) ** 15


@lru_cache(maxsize=8192)
def to_minor(amount: str | Decimal | int, currency: str) -> int:
    """Minor units of a decimal amount such as "129.90"; excess decimals round half up. Raises MoneyFormat."""
    try:
        value = Decimal(amount) if not isinstance(amount, Decimal) else amount
    except InvalidOperation:
        raise MoneyFormat(text=str(amount)[:40]) from None
    if not value.is_finite() or abs(value) >= _TOO_MUCH:
        raise MoneyFormat(text=str(amount)[:40])
    return int(value.scaleb(exponent(currency)).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def to_decimal(minor: int, currency: str) -> Decimal:
    """The exact decimal amount of minor units."""
    return Decimal(minor).scaleb(-exponent(currency))


def to_decimal_string(minor: int, currency: str) -> str:
    """The amount as Shopify writes it, for example "129.90" or "1200" for JPY."""
    return f"{to_decimal(minor, currency):.{exponent(currency)}f}"


def plain(number: Decimal) -> str:
    """A decimal as text without exponent and without zeros at its end, for example "12.5" or "10"."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@cache
def currencies(locale: str) -> dict[str, str]:
    """What every currency that is tender somewhere is called in one of our languages, by its ISO 4217 letters."""
    names = {**Locale("en").currencies, **Locale(locale).currencies}
    tender = {
        code for place in get_global("territory_currencies") for code in get_territory_currencies(place)
    }
    return {code: names[code] for code in tender if code in names}

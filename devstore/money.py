"""Money as whole minor units of a currency, and as the decimal strings that Shopify writes."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from devstore.errors import Refused

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
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
_THREE_DECIMALS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def decimals(currency: str) -> int:
    """Digits after the decimal point in `currency`."""
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def to_minor(amount: object, currency: str, field: str = "amount") -> int:
    """Minor units of an amount given as text or number. Raises Refused when it is no amount of this currency."""
    if isinstance(amount, bool) or not isinstance(amount, str | int | float | Decimal):
        raise Refused("Give an amount such as 12.50", fields={field: "not an amount"})
    try:
        scaled = Decimal(str(amount)).scaleb(decimals(currency))
    except InvalidOperation as error:
        raise Refused("Give an amount such as 12.50", fields={field: "not an amount"}) from error
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise Refused(
            f"{amount} has more decimals than {currency} knows",
            fields={field: "too many decimals"},
        )
    return int(scaled)


def to_text(minor: int, currency: str) -> str:
    """The amount with all decimals of its currency, as in REST payloads: `129.90`, `5000`, `1.250`."""
    digits = decimals(currency)
    return f"{Decimal(minor).scaleb(-digits):.{digits}f}"


def to_graphql(minor: int, currency: str) -> str:
    """The amount as GraphQL writes it, without idle zeros but with one decimal: `129.9`, `5000.0`."""
    whole, _, rest = to_text(minor, currency).partition(".")
    return f"{whole}.{rest.rstrip('0') or '0'}"


def convert(minor: int, currency: str, to: str, rate: Decimal) -> int:
    """Minor units of `to` for minor units of `currency`; `rate` is the price of one `currency` in `to`."""
    return round_half_up(Decimal(minor).scaleb(-decimals(currency)) * rate * 10 ** decimals(to))


def round_half_up(value: Decimal) -> int:
    """The nearest whole number; halves go away from zero."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` by `weights` so that the parts add up exactly and none is larger than its fair share rounded up."""
    whole = sum(weights)
    if whole <= 0:
        return [0] * len(weights)
    parts, seen, given = [], 0, 0
    for weight in weights:
        seen += weight
        upto = total * seen // whole
        parts.append(upto - given)
        given = upto
    return parts


def share(total: int, part: int, whole: int) -> int:
    """What `part` of `whole` units is worth; `share(t, w, w)` is `t`, so successive differences add up exactly."""
    return round_half_up(Decimal(total) * part / whole) if whole else 0


def from_hundredths(hundredths: int, currency: str) -> int:
    """Minor units of a price thought of in a currency with two decimals: 99.90 USD, 9990 JPY, 99.900 KWD."""
    return hundredths * 10 if decimals(currency) == 3 else hundredths


def to_hundredths(minor: int, currency: str) -> int:
    """Minor units as Liquid and cart.js write every amount: in hundredths, whatever decimals the currency has."""
    return int((Decimal(minor).scaleb(2 - decimals(currency))).to_integral_value(ROUND_HALF_UP))

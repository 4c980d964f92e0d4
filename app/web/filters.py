"""Numbers, money and time in the reader's language: the only way they reach a template.

Digits are Latin in every locale, and no text holds a character of markup. In right-to-left locales money, percentages
and signed numbers are isolated, because without a strong letter their order could be turned round.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from math import floor
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, format_timedelta, get_datetime_format
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from flask import Flask
from flask_babel import ngettext

from app.core import clock, i18n
from app.core.money import exponent, to_decimal
from app.web import current

Style = Literal["short", "medium", "long", "full"]
Unit = Literal["hour", "minute", "second"]
_COMPACT_FROM = 10_000_000
_DAY = 86_400
# A unit, its seconds, and from how many on it is used.
_UNITS: tuple[tuple[Unit, int, int], ...] = (("hour", 3_600, 4_320), ("minute", 60, 72), ("second", 1, 0))
# Babel parses patterns and locales each time it is asked; a page asks hundreds of times for the same few texts.
_kept = lru_cache(maxsize=8_192)


def number(value: float | Decimal | None, decimals: int | None = None, signed: bool = False) -> str:
    """A grouped number; `signed` writes + or − before it. None is an en dash."""
    return "–" if value is None else _number(str(value), decimals, signed, current.locale())


@_kept
def _number(value: str, decimals: int | None, signed: bool, locale: str) -> str:
    exact = Decimal(value)
    if decimals is not None:
        exact = exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    pattern = "#,##0" + (f".{'0' * decimals}" if decimals else "" if decimals == 0 else ".###")
    text = format_decimal(abs(exact), format=pattern, locale=_parsed(locale), numbering_system="latn")
    sign = _sign(exact, signed)
    return i18n.isolated(sign + text, locale, ltr=True) if sign else text


def numbers(values: Iterable[float | Decimal]) -> list[str]:
    """What `number` says of each; the language is asked for once."""
    locale = current.locale()
    return [_number(str(value), None, False, locale) for value in values]


def points(value: int | None, signed: bool = False, unit: bool = False) -> str:
    """Whole points; `unit` adds the word after a no-break space."""
    text = number(value, 0, signed)
    if not unit or value is None:
        return text
    sentence: str = ngettext("%(number)s point", "%(number)s points", abs(value), number=text)
    return sentence.replace(" ", "\u00a0", 1)


def compact(value: float | None) -> str:
    """A number for a chart's axis: shortened from ten million on."""
    if value is None or abs(value) < _COMPACT_FROM:
        return number(value)
    return format_compact_decimal(value, locale=_locale(), fraction_digits=1)


def money(minor: int | None, currency: str, signed: bool = False) -> str:
    """An amount in minor units with its currency's sign and decimals."""
    return "–" if minor is None else _money(minor, currency, signed, current.locale())


@_kept
def _money(minor: int, currency: str, signed: bool, locale: str) -> str:
    babel = _parsed(locale)
    pattern = babel.currency_formats["standard"].pattern.split(";")[0]
    decimals = exponent(currency)
    pattern = pattern.replace("0.00", "0." + "0" * decimals if decimals else "0")
    amount = abs(to_decimal(minor, currency))
    text = format_currency(
        amount, currency, format=pattern, currency_digits=False, locale=babel, numbering_system="latn"
    )
    return i18n.isolated(_sign(Decimal(minor), signed) + text, locale, ltr=True)


def percent(share: float | Decimal | None, decimals: int = 1, signed: bool = False) -> str:
    """A share (0.061) as a percentage with one decimal."""
    if share is None:
        return "–"
    exact = Decimal(str(share)).quantize(Decimal(1).scaleb(-decimals - 2), rounding=ROUND_HALF_UP)
    pattern = "#,##0" + (f".{'0' * decimals}" if decimals else "") + "%"
    native = _locale().percent_formats.get(None)
    if native is not None:
        pattern = native.pattern.replace("#,##0", pattern[:-1])
    text = format_percent(abs(exact), format=pattern, locale=_locale(), numbering_system="latn")
    return i18n.isolated(_sign(exact, signed) + text, current.locale(), ltr=True)


def date_text(value: date | datetime | None, style: Style = "medium") -> str:
    """A date in the shop's zone; styles are short, medium, long and full."""
    if value is None:
        return "–"
    day = _local(value) if isinstance(value, datetime) else value
    return _day(day.year, day.month, day.day, style, current.locale())


@_kept
def _day(year: int, month: int, day: int, style: Style, locale: str) -> str:
    return format_date(date(year, month, day), format=style, locale=_parsed(locale))


@_kept
def _clock(hour: int, minute: int, second: int | None, locale: str) -> str:
    style: Style = "short" if second is None else "medium"
    return format_time(time(hour, minute, second or 0), format=style, locale=_parsed(locale))


@_kept
def _joined(style: Style, locale: str) -> str:
    return str(get_datetime_format(style, locale=_parsed(locale))).replace("'", "")


def month_text(value: date) -> str:
    """A month with its year, such as "October 2026"."""
    text: str = format_skeleton("yMMMM", datetime(value.year, value.month, 1, tzinfo=UTC), locale=_locale())
    return text


def datetime_text(value: datetime | None, style: Style = "medium", seconds: bool = False) -> str:
    """A date with its time of day in the shop's zone; to the minute unless `seconds`."""
    return "–" if value is None else _exact(_local(value), current.locale(), style, seconds)


def _exact(at: datetime, locale: str, style: Style = "medium", seconds: bool = False) -> str:
    hours = _clock(at.hour, at.minute, at.second if seconds else None, locale)
    day = _day(at.year, at.month, at.day, style, locale)
    return _joined(style, locale).replace("{0}", hours).replace("{1}", day)


def reltime(value: datetime | None) -> str:
    """How long ago or in what time, up to a day; then the date."""
    return "–" if value is None else moments([value])[2][0]


def moments(values: Sequence[datetime]) -> tuple[list[str], list[str], list[str]]:
    """Of each instant: its minute in UTC as HTML writes it, what `datetime_text` says, and what `reltime` says.

    Language, zone and the present are asked for once.
    """
    locale, zone, now = current.locale(), current.timezone(), clock.now().timestamp()
    times = [_aware(value).timestamp() for value in values]
    minutes = [_minute(int(at // 60), zone, locale) for at in times]
    near = [
        day if not -_DAY < distance < _DAY else _within_a_day(distance, locale)
        for distance, (_, _, day) in zip([floor(at - now) for at in times], minutes, strict=True)
    ]
    return [utc for utc, _, _ in minutes], [exact for _, exact, _ in minutes], near


@_kept
def _minute(since_1970: int, zone: str, locale: str) -> tuple[str, str, str]:
    """A minute in UTC as HTML writes it, as a date with its time of day in the zone, and as a date there."""
    utc = datetime.fromtimestamp(since_1970 * 60, UTC)
    local = utc.astimezone(ZoneInfo(zone))
    day = _day(local.year, local.month, local.day, "medium", locale)
    return utc.isoformat(timespec="minutes"), _exact(local, locale), day


@_kept
def _within_a_day(distance: int, locale: str) -> str:
    seconds = abs(distance)
    unit, length = next((unit, length) for unit, length, least in _UNITS if seconds >= least)
    count = round(seconds / length)
    return _distance(unit, -count if distance < 0 else count, locale)


@_kept
def _distance(unit: Unit, count: int, locale: str) -> str:
    whole = timedelta(**{f"{unit}s": count})
    return format_timedelta(
        whole, granularity=unit, threshold=float("inf"), add_direction=True, locale=_parsed(locale)
    )


def isolated(text: object) -> str:
    """A text with an order of its own, such as a name, a date or a range, kept apart from the sentence around it.

    Its first letter says which order; Arabic dates carry marks that do.
    """
    return f"\u2068{text}\u2069"


def init_filters(app: Flask) -> None:
    """Make the filters known to templates."""
    app.jinja_env.filters.update(
        number=number,
        points=points,
        compact=compact,
        money=money,
        percent=percent,
        date=date_text,
        datetime=datetime_text,
        month=month_text,
        reltime=reltime,
        isolated=isolated,
    )


def _locale() -> Locale:
    return _parsed(current.locale())


@_kept
def _parsed(locale: str) -> Locale:
    return Locale.parse(locale)


def _sign(value: Decimal, signed: bool) -> str:
    return "\u2212" if value < 0 else "+" if signed and value > 0 else ""


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _local(value: datetime) -> datetime:
    return _aware(value).astimezone(ZoneInfo(current.timezone()))

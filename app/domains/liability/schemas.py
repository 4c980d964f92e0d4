"""Shapes of liability: settings, the report and the journal."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field

Sharing = Literal["exact", "tenth"]
Month = Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", examples=["2026-10"])]
AccountText = Annotated[str, Field(min_length=1, max_length=80)]


class Accounts(BaseModel):
    """Names or numbers of the merchant's accounts, as the journal writes them."""

    sales: AccountText
    deferred: AccountText
    points: AccountText


@dataclass(frozen=True)
class Settings:
    """How a shop values points. `value_minor` is the stand-alone price of 1,000 points. `assumed` until it was saved."""

    value_minor: int
    fallback_bp: int
    override_bp: int | None
    override_reason: str
    sharing: Sharing
    accounts: dict[str, str]
    version: int
    assumed: bool


class SettingsForm(BaseModel):
    """The settings as staff type them: money in major units of the shop's currency, rates in percent."""

    version: int = Field(0, ge=0)
    value: Decimal = Field(ge=0, le=10_000_000, decimal_places=3)
    fallback: Decimal = Field(Decimal(100), ge=0, le=100, decimal_places=2)
    override: Decimal | None = Field(None, ge=0, le=100, decimal_places=2)
    override_reason: str = Field("", max_length=200)
    sharing: Sharing = "exact"
    accounts: Accounts


class AsOf(BaseModel):
    """At the end of which month; the present one when left out."""

    month: Month | None = None


class Span(BaseModel):
    """Which months, both included; the newest 24 when left out."""

    first: Month | None = None
    last: Month | None = None


class MonthsQuery(AsOf):
    """The list of months up to one."""

    sort: Literal["newest", "oldest"] = "newest"
    limit: int = Field(24, ge=1, le=200)
    cursor: str | None = Field(None, max_length=100)


class JournalQuery(Span):
    """Which lines of the journal; of every closed month when none is named."""

    account: Literal["sales", "deferred", "points"] | None = None
    sort: Literal["newest", "oldest"] = "newest"
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(None, max_length=100)


class EstimateOut(BaseModel):
    """The expected redemption rate and what it rests on. Rates and the error are in basis points.

    `source` is "override", "measured" or "fallback"; `error_bp` is the mean distance of each mature month from what the ones
    before it predicted.
    """

    rate_bp: int
    source: Literal["override", "measured", "fallback"]
    measured_bp: int | None
    error_bp: int | None
    mature_months: int
    mature_points: int


class BandOut(BaseModel):
    """Points by how many months ago they were earned; `to_months` is None for the oldest."""

    from_months: int
    to_months: int | None
    points: int


class StatusOut(BaseModel):
    """Points by status."""

    available: int
    pending: int
    held: int
    debt: int


class LiabilityOut(BaseModel):
    """What is outstanding at the end of a month and what it is worth, in minor units of `currency`.

    `by_status` is known for the present month only. `deferred_minor` is for points that came with sales; `gift_minor` is the
    expected cost of points given without a sale, which no revenue was deferred for.
    """

    month: str
    currency: str
    closed: bool
    outstanding: int
    from_sales: int
    gifts: int
    debt: int
    expected_redeemed: int
    expected_breakage: int
    deferred_minor: int
    gift_minor: int
    value_minor: int
    estimate: EstimateOut
    by_age: list[BandOut]
    by_status: StatusOut | None


class RollForwardRow(BaseModel):
    """One month in points and in money (minor units); each closes where the next opens.

    points: opening + issued + restored - redeemed - expired - reversed = closing;
    money: opening + added - reversed - released = closing, `caught_up` being what a changed estimate brought of `released`.
    """

    month: str
    closed: bool
    rate_bp: int
    opening_points: int
    issued_points: int
    restored_points: int
    redeemed_points: int
    expired_points: int
    reversed_points: int
    closing_points: int
    opening_minor: int
    added_minor: int
    reversed_minor: int
    released_minor: int
    caught_up_minor: int
    closing_minor: int


class RollForwardOut(BaseModel):
    """Months, oldest first."""

    currency: str
    months: list[RollForwardRow]


class JournalLine(BaseModel):
    """One line of double entry; one of `debit_minor` and `credit_minor` is zero. The lines of a date balance."""

    date: date
    account: str
    debit_minor: int
    credit_minor: int
    currency: str
    memo: str


class JournalOut(BaseModel):
    """Lines of closed months, oldest first."""

    currency: str
    lines: list[JournalLine]


@dataclass(frozen=True)
class Difference:
    """Where the stored sums and the ledger differ."""

    month: str
    what: str
    stored: int
    ledger: int

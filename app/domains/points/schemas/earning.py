"""What is given and calculated: bodies and answers of its endpoints."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.domains.points.schemas.values import MAX_POINTS


class AwardIn(BaseModel):
    """Award points by hand."""

    customer_id: str = Field(
        min_length=1, max_length=80, description="Member id, Shopify customer id or its gid"
    )
    points: int = Field(gt=0, le=MAX_POINTS)
    reason: str = Field(min_length=1, max_length=200, description="Shown to staff and to the member")


class DeductIn(AwardIn):
    """Deduct available points by hand."""


Deed = Literal[
    "signup",
    "birthday",
    "newsletter",
    "review",
    "social_follow",
    "social_share",
    "custom_event",
    "store_visit",
    "referral",
]
EventName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$")]
Reference = Annotated[
    str,
    Field(
        min_length=1,
        max_length=120,
        description="What tells this one from others of its kind at your side, such as the review's id: each earns once",
    ),
]


class EarnIn(BaseModel):
    """Earn points for an order that the shop knows, or for something that a member did."""

    customer_id: str = Field(min_length=1, max_length=80)
    order_id: str | None = Field(
        None, max_length=80, description="Shopify order id or gid; needed for purchase"
    )
    action_type: Literal["purchase"] | Deed
    reference: Reference | None = None
    event: EventName | None = Field(None, description="The event's name; needed for custom_event")
    locale: Literal["en", "es", "fr", "ar", "he"] | None = None


DecimalText = Annotated[str, Field(pattern=r"^\d{1,12}(\.\d{1,4})?$")]
Texts = Annotated[list[Annotated[str, Field(max_length=255)]], Field(max_length=250)]


class CartLine(BaseModel):
    """A line of a cart; amounts in the shop's currency."""

    product_id: int | None = Field(None, gt=0)
    variant_id: int | None = Field(None, gt=0)
    quantity: int = Field(1, ge=1, le=100_000)
    price: DecimalText = Field(description="Of one piece, before discounts")
    discount: DecimalText = Field("0", description="Off the whole line")
    tax: DecimalText = Field("0", description="Of the whole line")
    gift_card: bool = False
    vendor: str = Field("", max_length=255)
    product_type: str = Field("", max_length=255)
    tags: Texts = []
    collections: list[int] = Field([], max_length=250)
    on_sale: bool = False


class CalculateIn(BaseModel):
    """A cart, a known order, or a deed whose points are asked for."""

    customer_id: str | None = Field(
        None, max_length=80, description="Member id, Shopify customer id or gid; without it: somebody new"
    )
    action_type: Literal["purchase"] | Deed = "purchase"
    event: EventName | None = None
    order_id: str | None = Field(None, max_length=80, description="Shopify order id or gid, instead of lines")
    lines: list[CartLine] = Field([], max_length=500)
    taxes_included: bool = False
    shipping: DecimalText = "0"
    tip: DecimalText = "0"
    currency: str | None = Field(
        None, pattern="^[A-Z]{3}$", description="The currency that the shopper pays in"
    )
    country: str | None = Field(None, pattern="^[A-Z]{2}$", examples=["FR"])
    channel: str = Field("web", max_length=64)
    customer_tags: Texts = []
    company: bool = False
    locale: Literal["en", "es", "fr", "ar", "he"] | None = None


class LinePoints(BaseModel):
    """Points of a line by its number in the cart from 1, or by its id in the order; 0 is the whole order."""

    line: int
    points: int


class Calculated(BaseModel):
    """What would be earned, and why. `skipped` says by rule why it gives nothing."""

    points: int
    multiplier: float
    currency: str
    by_rule: dict[str, int]
    by_line: list[LinePoints]
    why: str
    refusal: str | None
    skipped: dict[str, str]


class EarnOut(BaseModel):
    """The entry that the earn led to."""

    transaction_id: UUID
    points: int

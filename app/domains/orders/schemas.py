"""Orders and refunds as Shopify's webhooks carry them. Unknown fields are ignored, known ones must have their type."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Amount = Annotated[str, Field(max_length=32)]
Id = Annotated[int, Field(gt=0, lt=2**63)]


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


class Money(_Payload):
    """An amount in one currency."""

    amount: Amount
    currency_code: str = Field(max_length=3)


class MoneySet(_Payload):
    """An amount in the shop's currency (and in the shopper's, which does not earn)."""

    shop_money: Money


class Allocation(_Payload):
    """A discount's share of a line."""

    amount: Amount = "0"
    amount_set: MoneySet | None = None


class TaxLine(_Payload):
    """One tax of a line."""

    price: Amount = "0"
    price_set: MoneySet | None = None


class ProductFacts(_Payload):
    """What rules ask about a line's product and no webhook says."""

    type: str = ""
    tags: list[str] = Field(default_factory=list)
    collections: list[int] = Field(default_factory=list)
    sale: bool = False


class LinePayload(_Payload):
    """An order line."""

    id: Id
    title: str = Field("", max_length=500)
    sku: str | None = Field(None, max_length=255)
    product_id: int | None = None
    variant_id: int | None = None
    vendor: str | None = Field(None, max_length=255)
    product: "ProductFacts | None" = Field(
        None, description="Only when the order was read from the Admin API"
    )
    quantity: int = Field(ge=0, le=10_000_000)
    current_quantity: int | None = Field(None, ge=0)
    price: Amount = "0"
    price_set: MoneySet | None = None
    total_set: MoneySet | None = Field(
        None, description="Price times quantity, where Shopify gives the total instead"
    )
    gift_card: bool = False
    discount_allocations: list[Allocation] = Field(default_factory=list)
    tax_lines: list[TaxLine] = Field(default_factory=list)


class RefundLine(_Payload):
    """What a refund took back of a line."""

    line_item_id: Id
    quantity: int = Field(ge=0)
    subtotal: Amount = "0"
    subtotal_set: MoneySet | None = None
    total_tax: Amount = "0"
    total_tax_set: MoneySet | None = None


class Adjustment(_Payload):
    """A difference between what the lines say and what was paid back; negative when more was paid back."""

    kind: str = Field("", max_length=64)
    amount: Amount = "0"
    amount_set: MoneySet | None = None
    tax_amount: Amount = "0"
    tax_amount_set: MoneySet | None = None


class RefundPayload(_Payload):
    """A refund, alone or inside an order."""

    id: Id
    order_id: Id
    refund_line_items: list[RefundLine] = Field(default_factory=list)
    order_adjustments: list[Adjustment] = Field(default_factory=list)


class OrderCustomer(_Payload):
    """The customer of an order."""

    id: Id
    email: str | None = Field(None, max_length=320)
    first_name: str | None = Field(None, max_length=255)
    last_name: str | None = Field(None, max_length=255)
    phone: str | None = Field(None, max_length=64)
    tags: str | None = Field(None, max_length=10_000, description="Separated by commas")


class Address(_Payload):
    """Where an order goes, as far as rules ask."""

    country_code: str | None = Field(None, max_length=2)


class ShippingLine(_Payload):
    """What shipping cost."""

    price: Amount = "0"
    price_set: MoneySet | None = None
    discounted_price: Amount | None = None
    discounted_price_set: MoneySet | None = None
    tax_lines: list[TaxLine] = Field(default_factory=list)


class DiscountCode(_Payload):
    """A discount code used by an order."""

    code: str = Field(max_length=255)


class NoteAttribute(_Payload):
    """What the storefront wrote on the cart. Any theme or app can write these, so nothing is sure about them."""

    name: object = None
    value: object = None


class OrderPayload(_Payload):
    """The body of the orders topics."""

    id: Id
    name: str = Field("", max_length=64)
    currency: str = Field(pattern="^[A-Z]{3}$")
    taxes_included: bool = False
    test: bool = False
    source_name: str | None = Field(None, max_length=64)
    financial_status: str | None = Field(None, max_length=32)
    fulfillment_status: str | None = Field(None, max_length=32)
    customer_locale: str | None = Field(None, max_length=16)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    cancelled_at: datetime | None = None
    customer: OrderCustomer | None = None
    email: str | None = Field(None, max_length=320)
    phone: str | None = Field(None, max_length=64)
    discount_codes: list[DiscountCode] = Field(default_factory=list)
    note_attributes: list[NoteAttribute] = Field(default_factory=list)
    presentment_currency: str | None = Field(None, max_length=3)
    shipping_address: Address | None = None
    billing_address: Address | None = None
    company: dict[str, Any] | None = None
    shipping_lines: list[ShippingLine] = Field(default_factory=list)
    total_tip_received: Amount | None = None
    line_items: list[LinePayload] = Field(max_length=1000)
    refunds: list[RefundPayload] = Field(default_factory=list)


class OrderReference(_Payload):
    """A body that only names an order."""

    id: Id


class OrderEdit(_Payload):
    """What orders/edited says: which order; its lines are read again."""

    order_id: Id


class OrderEdited(_Payload):
    """The body of orders/edited."""

    order_edit: OrderEdit

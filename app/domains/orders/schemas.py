"""Orders and refunds as Shopify's webhooks carry them. Unknown fields are ignored, known ones must have their type."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

Amount = Annotated[str, Meta(max_length=32)] | int | float
Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Text64 = Annotated[str, Meta(max_length=64)]
Text255 = Annotated[str, Meta(max_length=255)]
Text320 = Annotated[str, Meta(max_length=320)]


class _Payload(Struct, gc=False):
    """A part of a body; it holds no circles, so the garbage collector need not look at it."""


class Money(_Payload):
    """An amount in one currency."""

    amount: Amount
    currency_code: Annotated[str, Meta(max_length=3)]


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
    tags: list[str] = []
    collections: list[int] = []
    sale: bool = False


class LinePayload(_Payload):
    """An order line."""

    id: Id
    quantity: Annotated[int, Meta(ge=0, le=10_000_000)]
    title: Annotated[str, Meta(max_length=500)] = ""
    sku: Text255 | None = None
    product_id: int | None = None
    variant_id: int | None = None
    vendor: Text255 | None = None
    # Only when the order was read from the Admin API.
    product: ProductFacts | None = None
    current_quantity: Annotated[int, Meta(ge=0)] | None = None
    price: Amount = "0"
    price_set: MoneySet | None = None
    # Price times quantity, where Shopify gives the total instead.
    total_set: MoneySet | None = None
    gift_card: bool = False
    discount_allocations: list[Allocation] = []
    tax_lines: list[TaxLine] = []


class RefundLine(_Payload):
    """What a refund took back of a line."""

    line_item_id: Id
    quantity: Annotated[int, Meta(ge=0)]
    subtotal: Amount = "0"
    subtotal_set: MoneySet | None = None
    total_tax: Amount = "0"
    total_tax_set: MoneySet | None = None


class Adjustment(_Payload):
    """A difference between what the lines say and what was paid back; negative when more was paid back."""

    kind: Text64 = ""
    amount: Amount = "0"
    amount_set: MoneySet | None = None
    tax_amount: Amount = "0"
    tax_amount_set: MoneySet | None = None


class RefundTransaction(_Payload):
    """Money that a refund moved."""

    kind: Text64 = ""
    status: Text64 = ""


class RefundPayload(_Payload):
    """A refund, alone or inside an order."""

    id: Id
    order_id: Id
    transactions: list[RefundTransaction] | None = None
    refund_line_items: list[RefundLine] = []
    order_adjustments: list[Adjustment] = []


class OrderCustomer(_Payload):
    """The customer of an order."""

    id: Id
    email: Text320 | None = None
    first_name: Text255 | None = None
    last_name: Text255 | None = None
    phone: Text64 | None = None
    # Separated by commas.
    tags: Annotated[str, Meta(max_length=10_000)] | None = None


class Address(_Payload):
    """Where an order goes, as far as rules ask."""

    country_code: Annotated[str, Meta(max_length=2)] | None = None


class ShippingLine(_Payload):
    """What shipping cost."""

    price: Amount = "0"
    price_set: MoneySet | None = None
    discounted_price: Amount | None = None
    discounted_price_set: MoneySet | None = None
    tax_lines: list[TaxLine] = []


class DiscountCode(_Payload):
    """A discount code used by an order."""

    code: Text255


class NoteAttribute(_Payload):
    """What the storefront wrote on the cart. Any theme or app can write these, so nothing is sure about them."""

    name: Any = None
    value: Any = None


class OrderPayload(_Payload):
    """The body of the orders topics."""

    id: Id
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    line_items: Annotated[list[LinePayload], Meta(max_length=1000)]
    name: Text64 = ""
    taxes_included: bool = False
    test: bool = False
    source_name: Text64 | None = None
    financial_status: Annotated[str, Meta(max_length=32)] | None = None
    fulfillment_status: Annotated[str, Meta(max_length=32)] | None = None
    customer_locale: Annotated[str, Meta(max_length=16)] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    cancelled_at: datetime | None = None
    customer: OrderCustomer | None = None
    email: Text320 | None = None
    phone: Text64 | None = None
    discount_codes: list[DiscountCode] = []
    note_attributes: list[NoteAttribute] = []
    presentment_currency: Annotated[str, Meta(max_length=3)] | None = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    company: dict[str, Any] | None = None
    shipping_lines: list[ShippingLine] = []
    total_tip_received: Amount | None = None
    total_outstanding: Amount | None = None
    refunds: list[RefundPayload] = []


class OrderReference(_Payload):
    """A body that only names an order."""

    id: Id


class OrderEdit(_Payload):
    """What orders/edited says: which order; its lines are read again."""

    order_id: Id


class OrderEdited(_Payload):
    """The body of orders/edited."""

    order_edit: OrderEdit

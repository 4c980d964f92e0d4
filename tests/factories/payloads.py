"""Bodies as Shopify sends them, with only what a test cares about spelled out."""

from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def at(minutes: int) -> str:
    """An ISO instant some minutes after the start of the test's time."""
    return (START + timedelta(minutes=minutes)).isoformat()


def customer(customer_id: int = 77, **changes: Any) -> dict[str, Any]:
    """A customers/* body."""
    return {
        "id": customer_id,
        "email": f"shopper{customer_id}@example.com",
        "first_name": "Noura",
        "last_name": "Haddad",
        "phone": None,
        "updated_at": at(0),
    } | changes


def money(amount: str, currency: str) -> dict[str, Any]:
    """A price set in the shop's currency."""
    return {"shop_money": {"amount": amount, "currency_code": currency}}


def line(
    line_id: int, price: str, quantity: int = 1, currency: str = "USD", **changes: Any
) -> dict[str, Any]:
    """A line item."""
    return {
        "id": line_id,
        "title": f"Item {line_id}",
        "sku": f"SKU{line_id}",
        "quantity": quantity,
        "price": price,
        "price_set": money(price, currency),
        "gift_card": False,
        "discount_allocations": [],
        "tax_lines": [],
    } | changes


def order(order_id: int = 5, lines: list[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    """An orders/* body: two lines of 100.00 and 29.90, paid, by customer 77."""
    return {
        "id": order_id,
        "name": f"#{1000 + order_id}",
        "currency": "USD",
        "taxes_included": False,
        "test": False,
        "source_name": "web",
        "financial_status": "paid",
        "created_at": at(0),
        "updated_at": at(0),
        "customer": customer(),
        "customer_locale": "en",
        "discount_codes": [],
        "line_items": lines
        if lines is not None
        else [line(order_id * 10 + 1, "100.00"), line(order_id * 10 + 2, "29.90")],
        "refunds": [],
    } | changes


def refund(
    refund_id: int, order_id: int, lines: list[tuple[int, int, str]] | None = None, amount: str | None = None
) -> dict[str, Any]:
    """A refunds/create body: lines as (line id, quantity, subtotal), or an amount without lines."""
    adjustments = []
    if amount is not None:
        adjustments.append(
            {"kind": "refund_discrepancy", "amount": f"-{amount}", "amount_set": money(f"-{amount}", "USD")}
        )
    return {
        "id": refund_id,
        "order_id": order_id,
        "refund_line_items": [
            {
                "line_item_id": line_id,
                "quantity": quantity,
                "subtotal": subtotal,
                "subtotal_set": money(subtotal, "USD"),
                "total_tax": "0.00",
            }
            for line_id, quantity, subtotal in lines or []
        ],
        "order_adjustments": adjustments,
    }

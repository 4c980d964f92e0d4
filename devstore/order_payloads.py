"""Webhook payloads about orders and refunds, in the shape of the REST resources."""

from collections.abc import Mapping
from decimal import Decimal

from devstore import money, payloads, times, totals
from devstore.gids import gid
from devstore.runtime import DevStore
from devstore.state import Doc


class Written:
    """Writes amounts of one order: text in shop currency, and sets of shop and presentment money."""

    def __init__(self, order: Doc, zone: str) -> None:
        self.order = order
        self.zone = zone

    def text(self, minor: int) -> str:
        """`129.90`"""
        return money.to_text(minor, self.order["currency"])

    def set(self, minor: int) -> Doc:
        """{shop_money, presentment_money}"""
        shop, shown = self.order["currency"], self.order["presentment_currency"]
        there = money.convert(minor, shop, shown, Decimal(self.order["rate"])) if shown != shop else minor
        return {
            "shop_money": {"amount": self.text(minor), "currency_code": shop},
            "presentment_money": {
                "amount": money.to_text(there, shown),
                "currency_code": shown,
            },
        }

    def both(self, name: str, minor: int) -> Doc:
        """{name: text, name_set: set}"""
        return {name: self.text(minor), f"{name}_set": self.set(minor)}

    def at(self, moment: str | None) -> str | None:
        """A moment in the shop's zone."""
        return times.local(moment, self.zone)


def order(store: DevStore, shop: str, order: Doc) -> Doc:
    """orders/create, paid, updated, cancelled and fulfilled."""
    found = store.state.by_key("shop", "", shop) or {}
    write = Written(order, found["timezone"])
    buyer = store.state.get("customer", shop, order["customer_id"]) if order["customer_id"] else None
    return {
        **_identity(order, write),
        **_sums(order, write),
        "customer": _buyer(payloads.customer(store, shop, buyer)) if buyer else None,
        "line_items": [line_item(line, order, write) for line in order["lines"]],
        "shipping_lines": _shipping_lines(order, write),
        "refunds": [refund_body(each, order, write) for each in order["refunds"]],
        "fulfillments": [],
    }


def refund(store: DevStore, shop: str, order: Doc, refund: Doc) -> Doc:
    """refunds/create."""
    found = store.state.by_key("shop", "", shop) or {}
    return refund_body(refund, order, Written(order, found["timezone"]))


def edited(order: Doc, edit_id: int, additions: Mapping[int, int], removals: Mapping[int, int]) -> Doc:
    """orders/edited: line ids and how many units came or went."""
    return {
        "order_edit": {
            "id": edit_id,
            "app_id": None,
            "created_at": order["updated_at"],
            "notify_customer": False,
            "order_id": order["id"],
            "staff_note": "",
            "user_id": None,
            "line_items": {
                "additions": [{"id": id, "delta": delta} for id, delta in additions.items()],
                "removals": [{"id": id, "delta": delta} for id, delta in removals.items()],
            },
            "discounts": {"line_item": {"additions": [], "removals": []}},
            "shipping_lines": {"additions": [], "removals": []},
        }
    }


def _identity(order: Doc, write: Written) -> Doc:
    return {
        "id": order["id"],
        "admin_graphql_api_id": gid("Order", order["id"]),
        "name": order["name"],
        "number": order["number"] - 1000,
        "order_number": order["number"],
        "token": order["token"],
        "test": order["test"],
        "confirmed": True,
        "source_name": order["source_name"],
        "app_id": 580111,
        "browser_ip": order["ip"],
        "landing_site": order["landing_site"],
        "referring_site": order["referring_site"],
        "email": order["email"] or "",
        "contact_email": order["email"],
        "phone": None,
        "customer_locale": order["customer_locale"],
        "buyer_accepts_marketing": False,
        "note": order["note"],
        "note_attributes": order["note_attributes"],
        "tags": ", ".join(order["tags"]),
        "created_at": write.at(order["created_at"]),
        "updated_at": write.at(order["updated_at"]),
        "processed_at": write.at(order["processed_at"]),
        "cancelled_at": write.at(order["cancelled_at"]),
        "cancel_reason": order["cancel_reason"],
        "closed_at": write.at(order["closed_at"]),
        "financial_status": totals.financial_status(order),
        "fulfillment_status": order["fulfillment_status"],
        "payment_gateway_names": sorted({each["gateway"] for each in order["transactions"]}),
        "discount_codes": [
            {
                "code": each["code"],
                "amount": write.text(each["amount"]),
                "type": each["type"],
            }
            for each in order["discount_codes"]
        ],
        "discount_applications": [_application(each, write) for each in order["applications"]],
    }


def _sums(order: Doc, write: Written) -> Doc:
    sums = totals.of(order)
    return {
        "currency": order["currency"],
        "presentment_currency": order["presentment_currency"],
        "taxes_included": order["taxes_included"],
        "tax_exempt": False,
        "estimated_taxes": False,
        "tax_lines": _taxes(sums.tax, order, write),
        **write.both("subtotal_price", sums.subtotal),
        **write.both("total_line_items_price", sums.line_items),
        **write.both("total_discounts", sums.discounts),
        **write.both("total_tax", sums.tax),
        **write.both("total_price", sums.total),
        "total_shipping_price_set": write.set(sums.shipping),
        "total_tip_received": write.text(0),
        "total_outstanding": write.text(max(0, sums.outstanding)),
        **write.both("current_subtotal_price", sums.current_subtotal),
        **write.both("current_total_discounts", sums.current_discounts),
        **write.both("current_total_tax", sums.current_tax),
        **write.both("current_total_price", sums.current_total),
        "current_shipping_price_set": write.set(sums.current_shipping),
    }


def line_item(line: Doc, order: Doc, write: Written) -> Doc:
    """One line of an order."""
    return {
        "id": line["id"],
        "admin_graphql_api_id": gid("LineItem", line["id"]),
        "product_id": line["product_id"],
        "variant_id": line["variant_id"],
        "product_exists": line["product_id"] is not None,
        "sku": line["sku"],
        "title": line["title"],
        "variant_title": line["variant_title"],
        "name": line["title"],
        "vendor": line["vendor"],
        "quantity": line["quantity"],
        "current_quantity": line["current_quantity"],
        "fulfillable_quantity": line["current_quantity"],
        "fulfillment_status": order["fulfillment_status"],
        "gift_card": line["gift_card"],
        "requires_shipping": not line["gift_card"],
        "taxable": line["taxable"],
        "grams": 0,
        "properties": line["properties"],
        **write.both("price", line["price"]),
        "total_discount": write.text(0),
        "total_discount_set": write.set(0),
        "discount_allocations": [
            {
                **write.both("amount", each["amount"]),
                "discount_application_index": each["application"],
            }
            for each in line["allocations"]
        ],
        "tax_lines": _taxes(totals.line_tax(line, order), order, write),
        "duties": [],
    }


def refund_body(refund: Doc, order: Doc, write: Written) -> Doc:
    """One refund: its lines, amount-only adjustments and transactions."""
    lines = {line["id"]: line for line in order["lines"]}
    return {
        "id": refund["id"],
        "admin_graphql_api_id": gid("Refund", refund["id"]),
        "order_id": order["id"],
        "created_at": write.at(refund["created_at"]),
        "processed_at": write.at(refund["created_at"]),
        "note": refund["note"],
        "user_id": None,
        "restock": True,
        "refund_line_items": [
            {
                "id": each["id"],
                "line_item_id": each["line_id"],
                "quantity": each["quantity"],
                "restock_type": each["restock_type"],
                "location_id": None,
                **write.both("subtotal", each["subtotal"]),
                **write.both("total_tax", each["tax"]),
                "line_item": line_item(lines[each["line_id"]], order, write),
            }
            for each in refund["lines"]
        ],
        "order_adjustments": [
            {
                "id": each["id"],
                "order_id": order["id"],
                "refund_id": refund["id"],
                "kind": each["kind"],
                "reason": "Refund discrepancy" if each["kind"] == "refund_discrepancy" else "Shipping refund",
                **write.both("amount", each["amount"]),
                **write.both("tax_amount", each["tax"]),
            }
            for each in refund["adjustments"]
        ],
        "transactions": [
            _transaction(each, order, write)
            for each in order["transactions"]
            if each["refund_id"] == refund["id"]
        ],
        "duties": [],
        "refund_shipping_lines": [],
    }


def _transaction(each: Doc, order: Doc, write: Written) -> Doc:
    return {
        "id": each["id"],
        "admin_graphql_api_id": gid("OrderTransaction", each["id"]),
        "order_id": order["id"],
        "kind": each["kind"],
        "status": "success",
        "gateway": each["gateway"],
        "amount": write.text(each["amount"]),
        "currency": order["currency"],
        "created_at": write.at(each["created_at"]),
        "processed_at": write.at(each["created_at"]),
        "test": order["test"],
    }


def _application(each: Doc, write: Written) -> Doc:
    value = each["value"]
    amount = write.text(value) if each["value_type"] == "fixed_amount" else f"{Decimal(value):f}"
    keys = (
        "target_type",
        "type",
        "value_type",
        "allocation_method",
        "target_selection",
        "code",
        "title",
    )
    return {**{key: each[key] for key in keys if key in each}, "value": amount}


def _shipping_lines(order: Doc, write: Written) -> list[Doc]:
    shipping = order["shipping"]
    if shipping is None:
        return []
    return [
        {
            "id": shipping["id"],
            "title": shipping["title"],
            "code": shipping["title"],
            "source": "shopify",
            **write.both("price", shipping["price"]),
            **write.both("discounted_price", totals.shipping_net(order)),
            "discount_allocations": [
                {
                    **write.both("amount", each["amount"]),
                    "discount_application_index": each["application"],
                }
                for each in shipping["allocations"]
            ],
            "tax_lines": [],
        }
    ]


def _taxes(tax: int, order: Doc, write: Written) -> list[Doc]:
    rate = Decimal(order["tax_rate"])
    return [{"title": "Tax", "rate": float(rate), **write.both("price", tax)}] if rate else []


def _buyer(customer: Doc) -> Doc:
    left_out = {"addresses"}
    return {key: value for key, value in customer.items() if key not in left_out}

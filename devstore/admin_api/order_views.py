"""Orders and refunds as GraphQL shows them."""

from decimal import Decimal
from typing import Any

from devstore import catalog, customers, money, totals
from devstore.admin_api import views
from devstore.admin_api.call import Call, Node
from devstore.admin_api.paging import connection
from devstore.gids import gid
from devstore.state import Doc


def bag(order: Doc, minor: int) -> Node:
    """A MoneyBag."""
    shop, shown = order["currency"], order["presentment_currency"]
    there = money.convert(minor, shop, shown, Decimal(order["rate"])) if shown != shop else minor
    return {"shopMoney": views.amount(minor, shop), "presentmentMoney": views.amount(there, shown)}


def order(call: Call, found: Doc) -> Node:
    """An Order."""
    id = gid("Order", found["id"])
    return {
        "__typename": "Order",
        "id": id,
        "legacyResourceId": str(found["id"]),
        "name": found["name"],
        "number": found["number"],
        "test": found["test"],
        "createdAt": found["created_at"],
        "processedAt": found["processed_at"],
        "updatedAt": found["updated_at"],
        "cancelledAt": found["cancelled_at"],
        "cancelReason": (found["cancel_reason"] or "").upper() or None,
        "closedAt": found["closed_at"],
        "closed": bool(found["closed_at"]),
        "confirmed": True,
        "edited": found["edited"],
        "email": found["email"],
        "clientIp": found["ip"],
        "note": found["note"],
        "sourceName": found["source_name"],
        "displayFinancialStatus": totals.financial_status(found).upper(),
        "displayFulfillmentStatus": (found["fulfillment_status"] or "unfulfilled").upper(),
        "currencyCode": found["currency"],
        "presentmentCurrencyCode": found["presentment_currency"],
        "taxesIncluded": found["taxes_included"],
        "customerLocale": found["customer_locale"],
        "discountCodes": [each["code"] for each in found["discount_codes"]],
        "discountCode": found["discount_codes"][0]["code"] if found["discount_codes"] else None,
        "tags": found["tags"],
        "customAttributes": [
            {"key": each["name"], "value": each["value"]} for each in found["note_attributes"]
        ],
        "paymentGatewayNames": sorted({each["gateway"] for each in found["transactions"]}),
        "purchasingEntity": lambda *_: _purchaser(call, found),
        "retailLocation": {"id": gid("Location", found["location_id"])} if found["location_id"] else None,
        "customer": lambda *_: _customer(call, found),
        "lineItems": lambda _info, **page: connection(
            found["lines"], lambda line: line_item(call, found, line), **page
        ),
        "refunds": lambda _info, first=None, **_: [
            refund(call, found, each) for each in found["refunds"][:first]
        ],
        "transactions": lambda _info, first=None, **_: [
            _transaction(found, each) for each in found["transactions"][:first]
        ],
        **_sums(found),
        **views.metafields(call, id),
    }


def line_item(call: Call, order: Doc, line: Doc) -> Node:
    """A LineItem."""
    gross, net = totals.line_gross(line), totals.line_net(line)
    tax, included = totals.line_tax(line, order) - line["gone_tax"], order["taxes_included"]

    def discounted(_info: Any, withCodeDiscounts: bool = False) -> Node:
        own = sum(
            each["amount"]
            for each in line["allocations"]
            if order["applications"][each["application"]]["level"] == "line"
        )
        return bag(order, gross - own if withCodeDiscounts else gross)

    return {
        "__typename": "LineItem",
        "id": gid("LineItem", line["id"]),
        "title": line["title"],
        "name": line["title"],
        "variantTitle": line["variant_title"],
        "sku": line["sku"],
        "vendor": line["vendor"],
        "quantity": line["quantity"],
        "currentQuantity": line["current_quantity"],
        "refundableQuantity": line["current_quantity"],
        "unfulfilledQuantity": line["current_quantity"],
        "isGiftCard": line["gift_card"],
        "requiresShipping": not line["gift_card"],
        "taxable": line["taxable"],
        "product": lambda *_: _product(call, line),
        "variant": lambda *_: _variant(call, line),
        "sellingPlan": None,
        "customAttributes": [
            {"key": each["name"], "value": each.get("value")} for each in line["properties"]
        ],
        "originalUnitPriceSet": bag(order, line["price"]),
        "originalTotalSet": bag(order, gross),
        "discountedTotalSet": discounted,
        "priceAfterAllDiscountsBeforeTaxesSet": bag(order, net - line["gone_net"] - (tax if included else 0)),
        "totalDiscountSet": bag(order, gross - net),
        "discountAllocations": [_allocation(order, each) for each in line["allocations"]],
        "taxLines": lambda *_, **__: _taxes(order, totals.line_tax(line, order)),
    }


def refund(call: Call, order: Doc, found: Doc) -> Node:
    """A Refund. Refunded shipping is listed apart from amount-only adjustments."""
    lines = {line["id"]: line for line in order["lines"]}
    moved = sum(each["amount"] for each in order["transactions"] if each["refund_id"] == found["id"])
    shipping = [each for each in found["adjustments"] if each["kind"] == "shipping_refund"]
    others = [each for each in found["adjustments"] if each["kind"] != "shipping_refund"]

    def refunded(each: Doc) -> Node:
        return {
            "__typename": "RefundLineItem",
            "id": gid("RefundLineItem", each["id"]),
            "quantity": each["quantity"],
            "restockType": each["restock_type"].upper(),
            "restocked": True,
            "subtotalSet": bag(order, each["subtotal"]),
            "totalTaxSet": bag(order, each["tax"]),
            "lineItem": lambda *_: line_item(call, order, lines[each["line_id"]]),
        }

    def adjustment(each: Doc) -> Node:
        return {
            "id": gid("OrderAdjustment", each["id"]),
            "reason": "REFUND_DISCREPANCY",
            "amountSet": bag(order, each["amount"]),
            "taxAmountSet": bag(order, each["tax"]),
        }

    def shipping_line(each: Doc) -> Node:
        return {
            "id": gid("RefundShippingLine", each["id"]),
            "subtotalAmountSet": bag(order, -each["amount"]),
            "taxAmountSet": bag(order, each["tax"]),
        }

    return {
        "__typename": "Refund",
        "id": gid("Refund", found["id"]),
        "legacyResourceId": str(found["id"]),
        "createdAt": found["created_at"],
        "processedAt": found["created_at"],
        "updatedAt": found["created_at"],
        "note": found["note"],
        "totalRefundedSet": bag(order, moved),
        "refundLineItems": lambda _info, **page: connection(found["lines"], refunded, **page),
        "orderAdjustments": lambda _info, **page: connection(others, adjustment, **page),
        "refundShippingLines": lambda _info, **page: connection(shipping, shipping_line, **page),
        "order": lambda *_: globals()["order"](call, order),
    }


def _sums(found: Doc) -> Node:
    sums = totals.of(found)
    amounts = {
        "subtotalPriceSet": sums.subtotal,
        "currentSubtotalPriceSet": sums.current_subtotal,
        "totalDiscountsSet": sums.discounts,
        "currentTotalDiscountsSet": sums.current_discounts,
        "totalTaxSet": sums.tax,
        "currentTotalTaxSet": sums.current_tax,
        "totalShippingPriceSet": sums.shipping,
        "currentShippingPriceSet": sums.current_shipping,
        "totalPriceSet": sums.total,
        "currentTotalPriceSet": sums.current_total,
        "totalReceivedSet": sums.paid,
        "totalRefundedSet": sums.refunded,
        "netPaymentSet": sums.paid - sums.refunded,
        "totalOutstandingSet": sums.outstanding,
        "totalTipReceivedSet": 0,
    }
    return {name: bag(found, minor) for name, minor in amounts.items()}


def _customer(call: Call, found: Doc) -> Node | None:
    known = customers.find(call.store, call.domain, found["customer_id"]) if found["customer_id"] else None
    return views.customer(call, known) if known else None


def _purchaser(call: Call, found: Doc) -> Node | None:
    if found["company_id"]:
        company = {"id": gid("Company", found["company_id"]), "name": f"Company {found['company_id']}"}
        return {"__typename": "PurchasingCompany", "company": company}
    return _customer(call, found)


def _product(call: Call, line: Doc) -> Node | None:
    found = catalog.product(call.store, call.domain, line["product_id"]) if line["product_id"] else None
    return views.product(call, found) if found else None


def _variant(call: Call, line: Doc) -> Node | None:
    found = catalog.variant(call.store, call.domain, line["variant_id"]) if line["variant_id"] else None
    return views.variant(call, *found) if found else None


def _allocation(order: Doc, each: Doc) -> Node:
    application = order["applications"][each["application"]]
    value: Node = {"__typename": "PricingPercentageValue", "percentage": float(application["value"])}
    if application["value_type"] == "fixed_amount":
        value = {"__typename": "MoneyV2", **views.amount(application["value"], order["currency"])}
    return {
        "allocatedAmountSet": bag(order, each["amount"]),
        "discountApplication": {
            "__typename": "DiscountCodeApplication",
            "index": each["application"],
            "code": application["code"],
            "targetType": application["target_type"].upper(),
            "targetSelection": application["target_selection"].upper(),
            "allocationMethod": application["allocation_method"].upper(),
            "value": value,
        },
    }


def _taxes(order: Doc, tax: int) -> list[Node]:
    rate = Decimal(order["tax_rate"])
    if not rate:
        return []
    return [
        {
            "title": "Tax",
            "rate": float(rate),
            "ratePercentage": float(rate * 100),
            "priceSet": bag(order, tax),
        }
    ]


def _transaction(order: Doc, each: Doc) -> Node:
    return {
        "__typename": "OrderTransaction",
        "id": gid("OrderTransaction", each["id"]),
        "kind": each["kind"].upper(),
        "status": "SUCCESS",
        "gateway": each["gateway"],
        "amountSet": bag(order, each["amount"]),
        "createdAt": each["created_at"],
        "processedAt": each["created_at"],
        "test": order["test"],
    }

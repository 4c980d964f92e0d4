"""How facts about an order are merged. Pure: the same facts in any order, any number of times, give the same row."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from msgspec import convert
from msgspec.structs import asdict

from app.core.money import to_minor
from app.core.values import value
from app.domains.orders.schemas import (
    Amount,
    LinePayload,
    MoneySet,
    OrderPayload,
    RefundPayload,
    RefundTransaction,
)

# The cart attribute in which the storefront carries an advocate's code to the order.
REFERRAL_ATTRIBUTE = "_loyalnest_ref"
# The one in which a checkout names the points that are held for it.
HOLD_ATTRIBUTE = "_loyalnest_hold"
# After a refund Shopify's status says no longer whether something is still owed; that is seen from the amounts.
_REFUNDED = frozenset({"partially_refunded", "refunded"})


@dataclass
class OrderFacts:
    """Everything that is known of one order. `lines` and `refunds` are kept as JSON values in minor units.

    `lines`, and shipping and tip in `facts`, are what counts: while something that was added to a paid order is not
    paid, what was paid before. Then `facts` holds the newest news as `ordered` {lines, shipping, tip} and as `settled`
    {version, lines: [[id, quantity, net, tax]], shipping, tip} the newest at which nothing was owed.
    """

    order_id: int
    name: str = ""
    customer_id: int | None = None
    currency: str = ""
    taxes_included: bool = False
    test: bool = False
    source_name: str = ""
    lines: list[dict[str, Any]] = field(default_factory=list)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    discount_codes: list[str] = field(default_factory=list)
    referral_code: str = ""
    known: bool = False
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    fulfilled_at: datetime | None = None
    cancelled_at: datetime | None = None
    deleted_at: datetime | None = None
    stale_after: datetime | None = None
    paid_triggered_at: datetime | None = None


def _minor(money: MoneySet | None, plain: Amount, currency: str) -> int:
    return to_minor(str(money.shop_money.amount if money else plain), currency)


def _part(amount: int, share: int, whole: int) -> int:
    if share == whole:
        return amount
    return int((Decimal(amount) * share / whole).quantize(Decimal(1), rounding=ROUND_HALF_UP)) if whole else 0


def read_line(
    line: LinePayload, currency: str, taxes_included: bool, refunded_quantity: int
) -> dict[str, Any]:
    """One line after discounts: net and tax in minor units, for the quantity that was not edited away.

    `current_quantity` is what is left after edits and refunds, so the refunded pieces are added back: refunds are
    subtracted later, under their own facts.
    """
    gross = (
        _minor(line.total_set, 0, currency)
        if line.total_set
        else _minor(line.price_set, line.price, currency) * line.quantity
    )
    discount = tax = 0
    for part in line.discount_allocations:
        discount += _minor(part.amount_set, part.amount, currency)
    for levied in line.tax_lines:
        tax += _minor(levied.price_set, levied.price, currency)
    kept = line.quantity
    if line.current_quantity is not None:
        kept = min(line.current_quantity + refunded_quantity, line.quantity)
    total = max(gross - discount, 0)
    net = total - tax if taxes_included else total
    found = {
        "id": line.id,
        "title": line.title,
        "sku": line.sku or "",
        "quantity": kept,
        "net": _part(max(net, 0), kept, line.quantity),
        "tax": _part(tax, kept, line.quantity),
        "gift_card": line.gift_card,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "vendor": line.vendor or "",
    }
    if discount:
        found["discounted"] = True
    if line.product is not None:
        found["product"] = asdict(line.product)
    return found


def read_facts(payload: OrderPayload) -> dict[str, Any]:
    """What rules ask about an order besides its lines; what the payload does not say is left out."""
    currency = payload.currency
    address = payload.shipping_address or payload.billing_address
    found: dict[str, Any] = {"company": payload.company is not None}
    hold = next((one.value for one in payload.note_attributes if one.name == HOLD_ATTRIBUTE), None)
    if isinstance(hold, str) and len(hold) <= 36:
        found["hold"] = hold
    if address is not None and address.country_code:
        found["country"] = address.country_code
    if payload.presentment_currency:
        found["presentment"] = payload.presentment_currency
    if payload.customer is not None and payload.customer.tags is not None:
        found["customer_tags"] = [tag.strip() for tag in payload.customer.tags.split(",") if tag.strip()]
    if payload.shipping_lines:
        tax = sum(
            _minor(part.price_set, part.price, currency)
            for line in payload.shipping_lines
            for part in line.tax_lines
        )
        cost = sum(
            _minor(
                line.discounted_price_set or (None if line.discounted_price else line.price_set),
                line.discounted_price or line.price,
                currency,
            )
            for line in payload.shipping_lines
        )
        found["shipping"] = [cost - tax if payload.taxes_included else cost, tax]
    if payload.total_tip_received:
        found["tip"] = _minor(None, payload.total_tip_received, currency)
    return found


def read_refund(refund: RefundPayload, currency: str) -> dict[str, Any]:
    """One refund in minor units. `subtotal` of a line includes tax when the order's prices do; kept as it came.

    `moneyless` marks lines that went without money, as when an edit takes goods off.
    """
    found: dict[str, Any] = {
        "lines": [
            [
                line.line_item_id,
                _minor(line.subtotal_set, line.subtotal, currency),
                _minor(line.total_tax_set, line.total_tax, currency),
                line.quantity,
            ]
            for line in refund.refund_line_items
        ],
        "amount": -sum(
            _minor(part.amount_set, part.amount, currency)
            + _minor(part.tax_amount_set, part.tax_amount, currency)
            for part in refund.order_adjustments
            if part.kind == "refund_discrepancy"
        ),
        "shipping": _shipping_back(refund, currency),
    }
    if refund.transactions is not None and not found["amount"] and not any(map(_gives, refund.transactions)):
        found["moneyless"] = True
    return found


def _gives(transaction: RefundTransaction) -> bool:
    return transaction.kind == "refund" and transaction.status not in {"failure", "error"}


def _shipping_back(refund: RefundPayload, currency: str) -> list[int]:
    """What a refund gave back of shipping: without its tax, and the tax."""
    parts = [part for part in refund.order_adjustments if part.kind == "shipping_refund"]
    return [
        -sum(_minor(part.amount_set, part.amount, currency) for part in parts),
        -sum(_minor(part.tax_amount_set, part.tax_amount, currency) for part in parts),
    ]


def refund_currency(refund: RefundPayload) -> str:
    """The shop currency that a refund names; empty when it does not."""
    for line in refund.refund_line_items:
        if line.subtotal_set:
            return line.subtotal_set.shop_money.currency_code
    for part in refund.order_adjustments:
        if part.amount_set:
            return part.amount_set.shop_money.currency_code
    return ""


@value
class OrderNews:
    """An order payload, read once: what it says in minor units, whatever is known already."""

    payload: OrderPayload
    topic: str
    told_at: datetime
    lines: list[dict[str, Any]]
    refunds: dict[str, dict[str, Any]]
    facts: dict[str, Any]
    settled: bool


def read_order(payload: OrderPayload, topic: str, told_at: datetime) -> OrderNews:
    """Read an order payload. Raises MoneyFormat."""
    refunded: dict[int, int] = {}
    for refund in payload.refunds:
        for line in refund.refund_line_items:
            refunded[line.line_item_id] = refunded.get(line.line_item_id, 0) + line.quantity
    lines = [
        read_line(line, payload.currency, payload.taxes_included, refunded.get(line.id, 0))
        for line in payload.line_items
    ]
    refunds = {str(refund.id): read_refund(refund, payload.currency) for refund in payload.refunds}
    settled = payload.financial_status == "paid" or _is_settled(payload, topic, refunds)
    return OrderNews(payload, topic, told_at, lines, refunds, read_facts(payload), settled)


def _is_settled(payload: OrderPayload, topic: str, refunds: dict[str, dict[str, Any]]) -> bool:
    """Whether the order is paid and nothing of it is owed. What was paid back without goods is not owed again."""
    if payload.financial_status not in _REFUNDED and topic != "orders/paid":
        return False
    back: int = sum(max(refund["amount"], 0) for refund in refunds.values())
    return _minor(None, payload.total_outstanding or 0, payload.currency) <= back


def merge_order(facts: OrderFacts, news: OrderNews) -> None:
    """Take over an order payload. Its lines replace ours unless ours are newer; what happened once stays happened."""
    payload, told_at = news.payload, news.told_at
    for refund_id, refund in news.refunds.items():
        merge_refund(facts, refund_id, refund)
    version = payload.updated_at or told_at
    if not facts.known or facts.stale_after is None or version >= facts.stale_after:
        _replace(facts, news, version)
    elif news.settled:
        _paid_before(facts, news, version)
    if payload.customer is not None and facts.customer_id is None:
        facts.customer_id = payload.customer.id
    facts.placed_at = facts.placed_at or payload.created_at or told_at
    if news.settled:
        facts.paid_at = facts.paid_at or told_at
    if payload.fulfillment_status == "fulfilled" or news.topic == "orders/fulfilled":
        facts.fulfilled_at = facts.fulfilled_at or told_at
    if payload.cancelled_at is not None or news.topic == "orders/cancelled":
        facts.cancelled_at = facts.cancelled_at or payload.cancelled_at or told_at
    if news.topic == "orders/paid" and facts.paid_triggered_at is None:
        facts.paid_triggered_at = told_at


def merge_refund(facts: OrderFacts, refund_id: str, refund: dict[str, Any]) -> None:
    """Take over a refund. Money that went back once stays gone, whatever older news say."""
    before = facts.refunds.get(refund_id)
    if before is not None and "moneyless" in refund and "moneyless" not in before:
        refund = {key: one for key, one in refund.items() if key != "moneyless"}
    facts.refunds[refund_id] = refund


def _replace(facts: OrderFacts, news: OrderNews, version: datetime) -> None:
    payload = news.payload
    ordered, settled = facts.facts.pop("ordered", None), facts.facts.pop("settled", None)
    if news.settled:
        settled = None
    elif settled is None and facts.paid_at is not None and facts.stale_after is not None:
        settled = _settlement(facts.lines, facts.facts, facts.stale_after)
    facts.known = True
    facts.stale_after = version
    facts.name = payload.name
    facts.currency = payload.currency
    facts.taxes_included = payload.taxes_included
    facts.test = payload.test
    facts.source_name = payload.source_name or ""
    facts.discount_codes = [code.code for code in payload.discount_codes]
    facts.referral_code = _referral_code(payload)
    before = ordered["lines"] if ordered else facts.lines
    products = {line["id"]: line["product"] for line in before if "product" in line}
    facts.lines = [
        {"product": products[line["id"]]} | line if line["id"] in products else line for line in news.lines
    ]
    if ordered:
        facts.facts |= _extras(ordered)
    facts.facts = facts.facts | news.facts
    if settled is not None:
        facts.facts |= {"ordered": _amounts(facts.lines, facts.facts), "settled": settled}


def _paid_before(facts: OrderFacts, news: OrderNews, version: datetime) -> None:
    """Note what was paid when a newer payload, told already, has something added to it that is not."""
    settled = facts.facts.get("settled")
    if settled is None and facts.paid_at is not None:
        return
    if settled is None or version.timestamp() >= settled["version"]:
        facts.facts.setdefault("ordered", _amounts(facts.lines, facts.facts))
        facts.facts["settled"] = _settlement(news.lines, news.facts, version)


def _extras(amounts: dict[str, Any]) -> dict[str, Any]:
    return {name: amounts[name] for name in ("shipping", "tip") if name in amounts}


def _amounts(lines: list[dict[str, Any]], facts: dict[str, Any]) -> dict[str, Any]:
    return {"lines": lines} | _extras(facts)


def _settlement(lines: list[dict[str, Any]], facts: dict[str, Any], version: datetime) -> dict[str, Any]:
    paid = [[line["id"], line["quantity"], line["net"], line["tax"]] for line in lines]
    return {"version": version.timestamp(), "lines": paid} | _extras(facts)


def count_paid(facts: OrderFacts) -> None:
    """Let only count what was paid, while something that was added to a paid order is not. Changes nothing else.

    Goods that went without money went from what nobody paid, as far as there is such.
    """
    if "settled" not in facts.facts:
        return
    ordered, settled = facts.facts["ordered"], facts.facts["settled"]
    gone: dict[int, int] = {}
    for refund in facts.refunds.values():
        for line_id, _, _, quantity in refund["lines"] if "moneyless" in refund else ():
            gone[line_id] = gone.get(line_id, 0) + quantity
    paid = {line_id: amounts for line_id, *amounts in settled["lines"]}
    counted = (
        _counted(line, paid.get(line["id"], [0, 0, 0]), gone.get(line["id"], 0)) for line in ordered["lines"]
    )
    facts.lines = [line for line in counted if line["quantity"]]
    kept = {key: one for key, one in facts.facts.items() if key not in {"shipping", "tip"}}
    if "shipping" in ordered and "shipping" in settled:
        kept["shipping"] = min(ordered["shipping"], settled["shipping"])
    if "tip" in ordered and "tip" in settled:
        kept["tip"] = min(ordered["tip"], settled["tip"])
    facts.facts = kept


def _counted(line: dict[str, Any], paid: list[int], gone: int) -> dict[str, Any]:
    """A line with as many pieces as were paid and are still there; `gone` of those that were not are refunded later."""
    quantity, net, tax = paid
    kept = min(quantity + gone, line["quantity"])
    if kept <= quantity:
        return line | {"quantity": kept, "net": _part(net, kept, quantity), "tax": _part(tax, kept, quantity)}
    more, added = kept - quantity, line["quantity"] - quantity
    return line | {
        "quantity": kept,
        "net": net + _part(line["net"] - net, more, added),
        "tax": tax + _part(line["tax"] - tax, more, added),
    }


def _referral_code(payload: OrderPayload) -> str:
    found = (one.value for one in payload.note_attributes if one.name == REFERRAL_ATTRIBUTE)
    value = next(found, None)
    code = value.strip().upper() if isinstance(value, str) else ""
    return code if len(code) <= 32 and code.isascii() and code.isalnum() else ""


def _number(gid: str) -> int:
    return int(gid.rsplit("/", 1)[1].split("?", 1)[0])


def _money(bag: dict[str, Any]) -> dict[str, Any]:
    shop = bag["shopMoney"]
    return {"shop_money": {"amount": shop["amount"], "currency_code": shop["currencyCode"]}}


def _amount(node: dict[str, Any], name: str) -> str:
    return str(node[name]["shopMoney"]["amount"])


def _snapshot_line(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": _number(line["id"]),
        "title": line["title"],
        "sku": line.get("sku"),
        "product_id": line.get("product") and _number(line["product"]["id"]),
        "variant_id": line.get("variant") and _number(line["variant"]["id"]),
        "vendor": line.get("product") and line["product"]["vendor"],
        "product": _snapshot_product(line),
        "quantity": line["quantity"],
        "current_quantity": line["currentQuantity"],
        "total_set": _money(line["originalTotalSet"]),
        "gift_card": line["isGiftCard"],
        "discount_allocations": [
            {"amount_set": _money(part["allocatedAmountSet"])} for part in line["discountAllocations"]
        ],
        "tax_lines": [{"price_set": _money(tax["priceSet"])} for tax in line["taxLines"]],
    }


def _snapshot_product(line: dict[str, Any]) -> dict[str, Any]:
    product, variant = line.get("product") or {}, line.get("variant") or {}
    before, now = variant.get("compareAtPrice"), variant.get("price")
    return {
        "type": product.get("productType") or "",
        "tags": product.get("tags") or [],
        "collections": [_number(one["id"]) for one in (product.get("collections") or {}).get("nodes", [])],
        "sale": before is not None and now is not None and Decimal(before) > Decimal(now),
    }


def _snapshot_refund(refund: dict[str, Any], order_id: int) -> dict[str, Any]:
    return {
        "id": _number(refund["id"]),
        "order_id": order_id,
        "transactions": [{"kind": "refund"}] if Decimal(_amount(refund, "totalRefundedSet")) else [],
        "refund_line_items": [
            {
                "line_item_id": _number(part["lineItem"]["id"]),
                "quantity": part["quantity"],
                "subtotal_set": _money(part["subtotalSet"]),
                "total_tax_set": _money(part["totalTaxSet"]),
            }
            for part in refund["refundLineItems"]
        ],
        "order_adjustments": [
            {
                "kind": "refund_discrepancy",
                "amount_set": _money(part["amountSet"]),
                "tax_amount_set": _money(part["taxAmountSet"]),
            }
            for part in refund["orderAdjustments"]
            if part.get("reason") != "SHIPPING_REFUND"
        ]
        + [
            {
                "kind": "shipping_refund",
                "amount_set": _negative(part["subtotalAmountSet"]),
                "tax_amount_set": _negative(part["taxAmountSet"]),
            }
            for part in refund.get("refundShippingLines", [])
        ],
    }


def _negative(bag: dict[str, Any]) -> dict[str, Any]:
    shop = bag["shopMoney"]
    return {"shop_money": {"amount": str(-Decimal(shop["amount"])), "currency_code": shop["currencyCode"]}}


def _snapshot_customer(customer: dict[str, Any] | None) -> dict[str, Any] | None:
    return customer and {
        "id": int(customer["legacyResourceId"]),
        "first_name": customer.get("firstName"),
        "last_name": customer.get("lastName"),
        "email": (customer.get("defaultEmailAddress") or {}).get("emailAddress"),
        "tags": ",".join(customer.get("tags") or []),
    }


def payload_from_snapshot(order: dict[str, Any]) -> OrderPayload:
    """An order read from the Admin API in the shape of the webhook, so that both go through the same merge."""
    order_id = int(order["legacyResourceId"])
    return convert(
        {
            "id": order_id,
            "name": order["name"],
            "currency": order["currencyCode"],
            "taxes_included": order["taxesIncluded"],
            "test": order["test"],
            "source_name": order.get("sourceName"),
            "presentment_currency": order.get("presentmentCurrencyCode"),
            "company": (order.get("purchasingEntity") or {}).get("company"),
            "financial_status": (order.get("displayFinancialStatus") or "").lower() or None,
            "total_outstanding": str(
                Decimal(_amount(order, "currentTotalPriceSet")) - Decimal(_amount(order, "netPaymentSet"))
            ),
            "fulfillment_status": (order.get("displayFulfillmentStatus") or "").lower() or None,
            "customer_locale": order.get("customerLocale"),
            "created_at": order["createdAt"],
            "updated_at": order["updatedAt"],
            "cancelled_at": order.get("cancelledAt"),
            "customer": _snapshot_customer(order.get("customer")),
            "discount_codes": [{"code": code} for code in order.get("discountCodes") or []],
            "note_attributes": [
                {"name": one["key"], "value": one["value"]} for one in order.get("customAttributes") or []
            ],
            "line_items": [_snapshot_line(line) for line in order["lineItems"]],
            "refunds": [_snapshot_refund(refund, order_id) for refund in order["refunds"]],
        },
        OrderPayload,
        strict=False,
    )

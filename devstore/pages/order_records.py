"""Orders in the admin: placed, paid, refunded, edited, cancelled, deleted."""

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from devstore import catalog, customers, orders, shops, totals
from devstore.current import dev_store
from devstore.errors import Refused
from devstore.pages import site
from devstore.pages.admin_view import page, text, whole
from devstore.state import Doc

order_records = Blueprint("order_records", __name__)
_LINES = 3


@order_records.get("/admin/store/<handle>/orders")
def listed(handle: str) -> str:
    """The newest orders, and the form for a new one."""
    store, shop = dev_store(), site.shop_at(handle)
    domain = shop["domain"]
    known = {each["id"]: each for each in customers.every(store, domain)}
    found = [{**order, **_sums(order)} for order in orders.latest(store, domain, 100)]
    return page(
        "admin/orders.html",
        shop,
        "orders",
        orders=found,
        customers=known,
        products=catalog.products(store, domain),
        line_count=_LINES,
    )


def _sums(order: Doc) -> Doc:
    return {"sums": totals.of(order), "status": totals.financial_status(order)}


@order_records.post("/admin/store/<handle>/orders")
def place(handle: str) -> Response:
    """Place an order for a customer or a guest."""
    store, shop = dev_store(), site.shop_at(handle)
    wanted = [
        {"variant_id": whole(f"variant_{at}"), "quantity": whole(f"quantity_{at}", 1)}
        for at in range(_LINES)
        if whole(f"variant_{at}")
    ]
    try:
        order = orders.place(
            store,
            shop["domain"],
            wanted,
            customer_id=whole("customer") or None,
            email=text("email"),
            codes=(text("codes") or "").split(),
            paid="paid" in request.form,
            test="test" in request.form,
        )
    except Refused as refusal:
        site.say(refusal.message, "problem")
        return redirect(url_for("order_records.listed", handle=handle))
    site.say(f"Order {order['name']} was placed.")
    return redirect(url_for("order_records.shown", handle=handle, id=order["id"]))


@order_records.get("/admin/store/<handle>/orders/<int:id>")
def shown(handle: str, id: int) -> str:
    """One order with everything that can be done to it."""
    store, shop = dev_store(), site.shop_at(handle)
    order = orders.get(store, shop["domain"], id)
    buyer = customers.find(store, shop["domain"], order["customer_id"]) if order["customer_id"] else None
    lines = [{**line, "net": totals.line_net(line)} for line in order["lines"]]
    return page(
        "admin/order.html",
        shop,
        "orders",
        order={**order, **_sums(order), "lines": lines},
        customer=buyer,
        products=catalog.products(store, shop["domain"]),
    )


@order_records.post("/admin/store/<handle>/orders/<int:id>/<step>")
def step(handle: str, id: int, step: str) -> Response:
    """Do something to an order: pay, fulfill, cancel, refund, refund-amount, edit or delete."""
    shop = site.shop_at(handle)
    steps = {
        "pay": _pay,
        "fulfill": _fulfill,
        "cancel": _cancel,
        "refund": _refund_lines,
        "refund-amount": _refund_amount,
        "edit": _edit,
        "delete": _delete,
    }
    if step not in steps:
        raise Refused("There is no such step", code="not_found", status=404)
    try:
        site.say(steps[step](shop["domain"], id))
    except Refused as refusal:
        site.say(refusal.message, "problem")
    if step == "delete":
        return redirect(url_for("order_records.listed", handle=shops.handle_of(shop["domain"])))
    return redirect(url_for("order_records.shown", handle=handle, id=id))


def _pay(shop: str, id: int) -> str:
    orders.pay(dev_store(), shop, id)
    return "The order was paid."


def _fulfill(shop: str, id: int) -> str:
    orders.fulfill(dev_store(), shop, id)
    return "The order was fulfilled."


def _cancel(shop: str, id: int) -> str:
    orders.cancel(dev_store(), shop, id, refund="refund" in request.form)
    return "The order was canceled."


def _refund_lines(shop: str, id: int) -> str:
    order = orders.get(dev_store(), shop, id)
    items = [
        {"line_id": line["id"], "quantity": whole(f"line_{line['id']}")}
        for line in order["lines"]
        if whole(f"line_{line['id']}")
    ]
    orders.refund(dev_store(), shop, id, items=items)
    return "The items were refunded."


def _refund_amount(shop: str, id: int) -> str:
    orders.refund(dev_store(), shop, id, amount=text("amount"))
    return "The amount was refunded."


def _edit(shop: str, id: int) -> str:
    order = orders.get(dev_store(), shop, id)
    wanted: list[Doc] = [
        {"line_id": line["id"], "quantity": whole(f"line_{line['id']}")}
        for line in order["lines"]
        if whole(f"line_{line['id']}", line["current_quantity"]) != line["current_quantity"]
    ]
    if whole("variant"):
        wanted.append({"variant_id": whole("variant"), "quantity": whole("quantity", 1)})
    orders.edit(dev_store(), shop, id, wanted)
    return "The order was edited."


def _delete(shop: str, id: int) -> str:
    orders.delete(dev_store(), shop, id)
    return "The order was deleted."

"""The part of the control API that is about orders and products."""

from flask import Blueprint, Response, jsonify

from devstore import catalog, order_payloads, orders, totals
from devstore import control_models as models
from devstore.control import body, query_number, query_shop
from devstore.current import dev_store
from devstore.gids import gid
from devstore.state import Doc

control_orders = Blueprint("control_orders", __name__, url_prefix="/_control")


def _answer(shop: str, order: Doc) -> Doc:
    return {
        "id": order["id"],
        "admin_graphql_api_id": gid("Order", order["id"]),
        "name": order["name"],
        "financial_status": totals.financial_status(order),
        "order": order_payloads.order(dev_store(), shop, order),
    }


@control_orders.get("/products")
def list_products() -> Response:
    """The catalogue of a shop; prices in minor units."""
    return jsonify(products=catalog.products(dev_store(), query_shop()))


@control_orders.get("/orders")
def list_orders() -> Response:
    """The newest orders as webhooks show them."""
    shop = query_shop()
    found = orders.latest(dev_store(), shop, query_number("limit", 50))
    return jsonify(orders=[order_payloads.order(dev_store(), shop, order) for order in found])


@control_orders.get("/orders/<int:id>")
def show_order(id: int) -> Response:
    """One order as webhooks show it."""
    shop = query_shop()
    return jsonify(order_payloads.order(dev_store(), shop, orders.get(dev_store(), shop, id)))


@control_orders.post("/orders")
def place_order() -> tuple[Response, int]:
    """Place an order."""
    given = body(models.NewOrder)
    fields = given.model_dump(exclude={"shop", "lines", "discount_codes", "presentment_rate", "tax_rate"})
    rates = {"rate": given.presentment_rate, "tax_rate": given.tax_rate}
    fields |= {name: str(rate) for name, rate in rates.items() if rate is not None}
    order = orders.place(
        dev_store(),
        given.shop,
        [line.model_dump(exclude={"index", "line_id"}) for line in given.lines],
        codes=[code if isinstance(code, str) else code.model_dump() for code in given.discount_codes],
        **fields,
    )
    return jsonify(_answer(given.shop, order)), 201


@control_orders.post("/orders/<int:id>/pay")
def pay_order(id: int) -> Response:
    """Collect what is outstanding, or a part of it."""
    given = body(models.Payment)
    return jsonify(_answer(given.shop, orders.pay(dev_store(), given.shop, id, given.amount)))


@control_orders.post("/orders/<int:id>/fulfill")
def fulfill_order(id: int) -> Response:
    """Send everything off."""
    shop = body(models.Body).shop
    return jsonify(_answer(shop, orders.fulfill(dev_store(), shop, id)))


@control_orders.post("/orders/<int:id>/cancel")
def cancel_order(id: int) -> Response:
    """Cancel, by default giving back what was paid."""
    given = body(models.Cancel)
    order = orders.cancel(dev_store(), given.shop, id, refund=given.refund, reason=given.reason)
    return jsonify(_answer(given.shop, order))


@control_orders.post("/orders/<int:id>/delete")
def delete_order(id: int) -> Response:
    """Delete an order."""
    orders.delete(dev_store(), body(models.Body).shop, id)
    return jsonify(ok=True)


@control_orders.post("/orders/<int:id>/refund")
def refund_order(id: int) -> Response:
    """Give back lines, an amount or shipping."""
    given = body(models.NewRefund)
    order, refund = orders.refund(
        dev_store(),
        given.shop,
        id,
        items=[line.model_dump() for line in given.lines],
        amount=given.amount,
        shipping=given.shipping,
        note=given.note,
    )
    return jsonify({**_answer(given.shop, order), "refund_id": refund["id"]})


@control_orders.post("/orders/<int:id>/edit")
def edit_order(id: int) -> Response:
    """Change the lines."""
    given = body(models.Edit)
    wanted = [line.model_dump() for line in given.lines]
    return jsonify(
        _answer(given.shop, orders.edit(dev_store(), given.shop, id, wanted, replace=given.replace))
    )

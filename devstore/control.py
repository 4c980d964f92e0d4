"""The JSON control API under /_control: shops, customers, app, faults, and what can be looked at."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ValidationError

from devstore import control_models as models
from devstore import customers, discounts, installs, messages, payloads, shops, tokens, webhooks
from devstore.current import dev_store, log_in
from devstore.errors import Refused, not_found
from devstore.faults import KINDS
from devstore.gids import gid
from devstore.settings import DEMO_SHOP
from devstore.state import Doc

control = Blueprint("control", __name__, url_prefix="/_control")
Model = TypeVar("Model", bound=BaseModel)


def body(model: type[Model]) -> Model:
    """The request's JSON as `model`. Raises Refused naming the fields."""
    if request.get_data() == b"":
        given: Any = {}
    else:
        given = request.get_json(silent=True)
        if not isinstance(given, dict):
            raise Refused("Send a JSON object", code="bad_json", status=400)
    if "shop" in request.args and "shop" in model.model_fields:
        given.setdefault("shop", request.args["shop"])
    try:
        found = model.model_validate(given)
    except ValidationError as error:
        fields = {".".join(map(str, each["loc"])): each["msg"] for each in error.errors()}
        raise Refused("Some fields are not right", fields=fields) from error
    if isinstance(found, models.Body) and not isinstance(found, models.NewShop):
        shops.get(dev_store(), found.shop)
    return found


def query_shop() -> str:
    """The shop of a GET: `?shop=`, or the demo shop. Raises Refused (404)."""
    shop = request.args.get("shop") or DEMO_SHOP
    shops.get(dev_store(), shop)
    return shop


def query_number(name: str, default: int) -> int:
    """A whole number of the query. Raises Refused."""
    try:
        return int(request.args.get(name, default))
    except ValueError as error:
        raise Refused(f"{name} must be a whole number", fields={name: "not a number"}) from error


@control.get("/shops")
def list_shops() -> Response:
    """Every shop."""
    return jsonify(shops=shops.every(dev_store()))


@control.post("/shops")
def add_shop() -> tuple[Response, int]:
    """Open another shop."""
    given = body(models.NewShop)
    fields = given.model_dump(exclude={"shop", "tax_rate"})
    return jsonify(shops.add(dev_store(), given.shop, tax_rate=str(given.tax_rate), **fields)), 201


@control.patch("/shops")
def change_shop() -> Response:
    """Change a shop's facts and send shop/update."""
    given = body(models.ShopChange)
    changes = given.model_dump(exclude={"shop"}, exclude_unset=True)
    return jsonify(shops.change(dev_store(), given.shop, changes))


@control.get("/customers")
def list_customers() -> Response:
    """Every customer of a shop; `?email=` finds one."""
    shop, email = query_shop(), request.args.get("email")
    if email is None:
        return jsonify(customers=customers.every(dev_store(), shop))
    found = customers.by_email(dev_store(), shop, email)
    return jsonify(customers=[found] if found else [])


@control.post("/customers")
def add_customer() -> tuple[Response, int]:
    """A new customer."""
    given = body(models.NewCustomer)
    customer = customers.add(dev_store(), given.shop, **given.model_dump(exclude={"shop"}))
    return jsonify(id=customer["id"], admin_graphql_api_id=gid("Customer", customer["id"])), 201


@control.get("/customers/<int:id>")
def show_customer(id: int) -> Response:
    """One customer with the ids of the orders."""
    shop = query_shop()
    customer = customers.get(dev_store(), shop, id)
    return jsonify(
        {**customer, "orders": [order["id"] for order in customers.orders_of(dev_store(), shop, id)]}
    )


@control.patch("/customers/<int:id>")
def change_customer(id: int) -> Response:
    """Change a customer."""
    given = body(models.CustomerChange)
    changes = given.model_dump(exclude={"shop"}, exclude_unset=True)
    return jsonify(customers.change(dev_store(), given.shop, id, changes))


@control.delete("/customers/<int:id>")
def delete_customer(id: int) -> Response:
    """Delete a customer."""
    customers.delete(dev_store(), body(models.Body).shop, id)
    return jsonify(ok=True)


@control.post("/customers/merge")
def merge_customers() -> Response:
    """Merge two customers."""
    given = body(models.Merge)
    return jsonify(customers.merge(dev_store(), given.shop, given.keep, given.remove))


@control.post("/customers/<int:id>/login")
def log_customer_in(id: int) -> Response:
    """A storefront cookie for a customer."""
    shop = body(models.Body).shop
    customers.get(dev_store(), shop, id)
    answer = jsonify()
    cookie = log_in(answer, shop, id)
    answer.set_data(jsonify(cookie=cookie).get_data())
    return answer


@control.post("/customers/<int:id>/redact")
def redact_customer(id: int) -> Response:
    """Send customers/redact."""
    return _compliance(id, "customers/redact", lambda order: {"orders_to_redact": order})


@control.post("/customers/<int:id>/data_request")
def request_data(id: int) -> Response:
    """Send customers/data_request."""
    number = dev_store().state.next_id()
    return _compliance(
        id,
        "customers/data_request",
        lambda order: {"orders_requested": order, "data_request": {"id": number}},
    )


def _compliance(id: int, topic: str, more: Callable[[list[int]], Doc]) -> Response:
    store, shop = dev_store(), body(models.Body).shop
    customer = customers.get(store, shop, id)
    ids = [order["id"] for order in customers.orders_of(store, shop, id)]
    told = {topic: {**payloads.compliance(store, shop, customer), **more(ids)}}
    return jsonify(deliveries=webhooks.publish(store, shop, told, force=True))


@control.post("/app/install")
def install_app() -> Response:
    """Install the app and open it once, as the admin does."""
    shop = body(models.Body).shop
    found = installs.install(dev_store(), shop)
    opened = installs.open_app(dev_store(), shop)
    return jsonify(shop=shop, installed=True, scopes=found["scopes"], app=opened)


@control.post("/app/uninstall")
def uninstall_app() -> Response:
    """Remove the app; with `redact`, shop/redact follows at once instead of after 48 hours."""
    given = body(models.Uninstall)
    installs.uninstall(dev_store(), given.shop)
    if given.redact:
        told = {"shop/redact": payloads.compliance(dev_store(), given.shop)}
        webhooks.publish(dev_store(), given.shop, told, force=True)
    return jsonify(shop=given.shop, installed=False)


@control.post("/app/scopes")
def change_scopes() -> Response:
    """Grant or take back optional scopes."""
    given = body(models.Scopes)
    return jsonify(scopes=installs.change_scopes(dev_store(), given.shop, add=given.add, remove=given.remove))


@control.post("/tokens/expire")
def expire_tokens() -> Response:
    """Let the app's access tokens expire now."""
    given = body(models.Expire)
    tokens.expire(dev_store(), given.shop, refresh_too=given.refresh)
    return jsonify(ok=True)


@control.get("/id-token")
def mint_id_token() -> Response:
    """An ID token for scripts; `?kind=customer&customer_id=` gives an extension's token."""
    store, shop = dev_store(), query_shop()
    if request.args.get("kind") == "customer":
        id = query_number("customer_id", 0)
        return jsonify(id_token=tokens.customer_token(store, shop, id or None))
    seconds = query_number("seconds", tokens.ID_SECONDS)
    return jsonify(id_token=tokens.id_token(store, shop, request.args.get("user"), seconds))


@control.get("/discounts")
def list_discounts() -> Response:
    """Every discount of a shop with its state and use."""
    found = discounts.every(dev_store(), query_shop())
    return jsonify(discounts=[{**each, "status": discounts.status(each)} for each in found])


@control.post("/discounts/<code>/<any(end, delete):what>")
def change_discount(code: str, what: str) -> Response:
    """End or delete a discount, as a merchant may in the admin."""
    store, shop = dev_store(), body(models.Body).shop
    found = discounts.by_code(store, shop, code)
    if found is None:
        raise not_found(f"The code {code}")
    (discounts.end if what == "end" else discounts.delete)(store, shop, found["id"])
    return jsonify(ok=True)


@control.get("/metafields")
def list_metafields() -> Response:
    """Every metafield that the app has set; `?owner=` is a global id."""
    state, shop, owner = dev_store().state, query_shop(), request.args.get("owner")
    return jsonify(
        metafields=state.where("metafield", shop, "owner", owner) if owner else state.all("metafield", shop)
    )


@control.get("/credit")
def list_credit() -> Response:
    """Gift cards and store credit that the app has given out; amounts in minor units."""
    state, shop = dev_store().state, query_shop()
    return jsonify(gift_cards=state.all("gift_card", shop), store_credit=state.all("store_credit", shop))


@control.get("/deliveries")
def list_deliveries() -> Response:
    """The newest webhooks and how many are still to be sent."""
    store, shop = dev_store(), request.args.get("shop")
    found = webhooks.deliveries(
        store,
        shop,
        topic=request.args.get("topic"),
        state=request.args.get("state"),
        limit=query_number("limit", 100),
    )
    return jsonify(deliveries=found, pending=webhooks.pending(store, shop))


@control.get("/deliveries/<int:id>")
def show_delivery(id: int) -> Response:
    """One webhook with its payload."""
    found = webhooks.delivery(dev_store(), id)
    if found is None:
        raise not_found(f"The delivery {id}")
    return jsonify(found)


@control.post("/deliveries/replay")
def replay_delivery() -> Response:
    """Send a webhook again under the same webhook id."""
    id = body(models.Replay).id
    if not webhooks.replay(dev_store(), id):
        raise not_found(f"The delivery {id}")
    return jsonify(ok=True)


@control.post("/webhooks")
def send_webhook() -> tuple[Response, int]:
    """Send any payload, signed."""
    given = body(models.AnyWebhook)
    return jsonify(id=webhooks.send_anything(dev_store(), given.shop, given.topic, given.payload)), 201


@control.get("/messages")
def list_messages() -> Response:
    """The newest e-mails and sink calls."""
    found = messages.latest(
        dev_store(),
        to=request.args.get("to"),
        channel=request.args.get("channel"),
        after=query_number("after", 0),
        limit=query_number("limit", 100),
    )
    return jsonify(messages=found)


@control.delete("/messages")
def clear_messages() -> Response:
    """Empty the mailbox."""
    return jsonify(removed=messages.clear(dev_store()))


@control.get("/faults")
def list_faults() -> Response:
    """Faults that are on, and the kinds there are."""
    return jsonify(faults=dev_store().faults.listed(), kinds=KINDS)


@control.post("/faults")
def add_fault() -> tuple[Response, int]:
    """Switch a fault on."""
    given = body(models.NewFault)
    if given.kind not in KINDS[given.target]:
        known = ", ".join(KINDS[given.target])
        raise Refused(f"Give a kind of {known}", fields={"kind": "unknown for this target"})
    fault = dev_store().faults.add(
        given.target,
        given.kind,
        given.rate,
        given.seconds,
        shop=given.shop,
        only=given.only,
        left=given.times,
        delay=given.delay,
    )
    return jsonify(id=fault.id), 201


@control.delete("/faults")
def clear_faults() -> Response:
    """Switch every fault off."""
    return jsonify(removed=dev_store().faults.clear())

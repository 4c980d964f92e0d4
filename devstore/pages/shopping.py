"""Cart and checkout of a storefront."""

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from devstore import orders
from devstore.current import dev_store
from devstore.errors import Refused
from devstore.pages import cart, site
from devstore.pages.admin_view import text, whole
from devstore.pages.store_view import page
from devstore.state import Doc

shopping = Blueprint("shopping", __name__)


@shopping.get("/store/<handle>/cart")
def shown(handle: str) -> str:
    """The cart with its codes."""
    shop = site.shop_at(handle)
    return page("store/cart.html", shop, "cart", **_contents(shop, handle))


def _contents(shop: Doc, handle: str, **how: Any) -> Doc:
    lines = cart.lines(dev_store(), shop["domain"], handle)
    return {"lines": lines, "quote": cart.priced(shop, handle, **how), "codes": cart.codes(handle)}


@shopping.post("/store/<handle>/cart/add")
def add(handle: str) -> BaseResponse:
    """Put a variant into the cart."""
    site.shop_at(handle)
    if whole("id"):
        cart.change(handle, {str(whole("id")): max(whole("quantity", 1), 1)}, add=True)
    return redirect(url_for("shopping.shown", handle=handle))


@shopping.post("/store/<handle>/cart")
def change(handle: str) -> BaseResponse:
    """Change quantities and codes, or go to checkout, by the button that was pressed."""
    site.shop_at(handle)
    quantities = {
        name.removeprefix("quantity_"): whole(name) for name in request.form if name.startswith("quantity_")
    }
    cart.change(handle, quantities)
    _take_codes(handle)
    if "checkout" in request.form:
        return redirect(url_for("shopping.checkout", handle=handle))
    return redirect(url_for("shopping.shown", handle=handle))


def _take_codes(handle: str) -> None:
    dropped = (request.form.get("remove_code") or "").upper()
    typed = request.form.get("code", "").replace(",", " ").split()
    cart.set_codes(handle, [code for code in [*cart.codes(handle), *typed] if code.upper() != dropped])


@shopping.get("/store/<handle>/cart.js")
def as_json(handle: str) -> Response:
    """The cart as scripts read it."""
    return jsonify(cart.as_json(site.shop_at(handle), handle))


@shopping.post("/store/<handle>/cart/update.js")
def update_by_script(handle: str) -> Response:
    """Change the cart by script: `updates` by variant id, `discount` a comma list of codes, `attributes`."""
    shop = site.shop_at(handle)
    given: Any = request.get_json(silent=True) or request.form.to_dict()
    updates, typed, attributes = (given.get(name) for name in ("updates", "discount", "attributes"))
    if isinstance(updates, dict):
        whole_ones = {id: str(n) for id, n in updates.items() if str(id).isdigit() and str(n).isdigit()}
        cart.change(handle, {str(id): int(n) for id, n in whole_ones.items()})
    if isinstance(typed, str):
        cart.set_codes(handle, typed.split(","))
    if isinstance(attributes, dict):
        kept = {**site.remembered(handle, "attributes", {}), **attributes}
        site.remember(handle, attributes={str(name): str(value)[:255] for name, value in kept.items()})
    return jsonify(cart.as_json(shop, handle))


@shopping.get("/store/<handle>/checkout")
def checkout(handle: str) -> str:
    """The checkout page."""
    shop = site.shop_at(handle)
    return _checkout_page(shop, handle, _email(shop, handle), None)


def _email(shop: Doc, handle: str) -> str | None:
    customer = site.customer(shop)
    found: str | None = customer["email"] if customer else site.remembered(handle, "email")
    return found


def _checkout_page(shop: Doc, handle: str, email: str | None, problem: str | None) -> str:
    contents = _contents(shop, handle, email=email, shipping=True)
    return page("store/checkout.html", shop, "checkout", email=email, problem=problem, **contents)


@shopping.post("/store/<handle>/checkout")
def proceed(handle: str) -> str | BaseResponse:
    """Add or drop a code, or place the order, by the button that was pressed."""
    store, shop = dev_store(), site.shop_at(handle)
    customer = site.customer(shop)
    email = customer["email"] if customer else text("email")
    site.remember(handle, email=None if customer else email)
    _take_codes(handle)
    if not {"pay", "pay_later"} & set(request.form):
        return redirect(url_for("shopping.checkout", handle=handle))
    attributes = site.remembered(handle, "attributes", {})
    quote = cart.priced(shop, handle, email=email, shipping=True)
    working = [each.code for each in quote.applied] if quote else []
    try:
        order = orders.place(
            store,
            shop["domain"],
            cart.wanted(store, shop["domain"], handle),
            customer_id=customer["id"] if customer else None,
            email=email,
            codes=working,
            paid="pay" in request.form,
            create_customer=True,
            shipping=cart.shipping_text(shop["currency"]),
            customer_locale=site.storefront_locale(handle),
            note_attributes=[{"name": name, "value": value} for name, value in attributes.items()],
        )
    except Refused as refusal:
        return _checkout_page(shop, handle, email, refusal.message)
    cart.empty(handle)
    return redirect(url_for("storefront.thanks", handle=handle, token=order["token"]))

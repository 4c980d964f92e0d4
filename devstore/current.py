"""What belongs to the running request: the dev store, the shop, the customer who is logged in."""

import re
from typing import cast

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from devstore import customers, shops
from devstore.errors import not_found
from devstore.runtime import DevStore
from devstore.state import Doc

_SHOP_HOST = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")


def dev_store() -> DevStore:
    """The running dev store."""
    return cast(DevStore, current_app.extensions["devstore"])


def asked_shop() -> str | None:
    """The shop whose domain the request was sent to; None on the dev store's own address."""
    host = request.host.split(":", 1)[0].lower()
    return host if _SHOP_HOST.fullmatch(host) else None


def shop_of_host() -> str:
    """The shop that the request is for: by its domain, or `?shop=` on our own address. Raises Refused (404)."""
    shop = asked_shop() or request.args.get("shop", "")
    if shops.find(dev_store(), shop) is None:
        raise not_found(f"The shop {shop}")
    return shop


def log_in(answer: Response, shop: str, customer_id: int) -> str:
    """Log a customer in on a storefront: sets the cookie on `answer` and returns it as `name=value`."""
    name, value = _cookie(shop), _serializer().dumps([shop, customer_id])
    text = str(value)
    answer.set_cookie(name, text, httponly=True, samesite="Lax", path="/")
    return f"{name}={text}"


def log_out(answer: Response, shop: str) -> None:
    """Log out of a storefront."""
    answer.delete_cookie(_cookie(shop), path="/")


def current_customer(shop: str) -> Doc | None:
    """The customer who is logged in on this shop's storefront."""
    try:
        given = _serializer().loads(request.cookies.get(_cookie(shop), ""))
    except BadSignature:
        return None
    if not isinstance(given, list) or len(given) != 2 or given[0] != shop:
        return None
    return customers.find(dev_store(), shop, given[1])


def _cookie(shop: str) -> str:
    return f"customer-{shops.handle_of(shop)}"


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(dev_store().secret, salt="customer")

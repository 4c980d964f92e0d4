"""The app proxy: storefront requests under /apps/<subpath>/ go to the app, signed as Shopify signs them."""

import re
import time
from urllib.parse import parse_qsl, quote, urlencode

import httpx
from flask import Blueprint, Response, request

from devstore import shops, signatures
from devstore.current import asked_shop, current_customer, dev_store
from devstore.errors import not_found
from devstore.runtime import DevStore

proxy = Blueprint("proxy", __name__)

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_OF_ONE_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"}
)
_KEPT_FROM_APP = _OF_ONE_HOP | {"host", "cookie", "accept-encoding"}
_KEPT_FROM_BROWSER = _OF_ONE_HOP | {"set-cookie", "content-encoding", "server", "date"}
_OURS = frozenset({"shop", "path_prefix", "timestamp", "signature", "hmac", "logged_in_customer_id"})
_client = httpx.Client(timeout=httpx.Timeout(20.0, connect=2.0), trust_env=False, follow_redirects=False)


@proxy.route("/store/<handle>/<prefix>/<subpath>", methods=_METHODS, defaults={"rest": ""})
@proxy.route("/store/<handle>/<prefix>/<subpath>/<path:rest>", methods=_METHODS)
def by_handle(handle: str, prefix: str, subpath: str, rest: str) -> Response:
    """The proxy on the dev store's own address, where an app's address in the admin has the same shape."""
    if (prefix, subpath) == ("apps", dev_store().settings.api_key):
        return _to_admin(handle, rest)
    return _forward(shops.domain_of(handle), prefix, subpath, rest)


def _to_admin(handle: str, rest: str) -> Response:
    place = f"/admin/store/{quote(handle)}/apps/{dev_store().app.handle}"
    within = f"/{quote(rest)}" if rest else ""
    query = request.query_string.decode("latin-1")
    return Response(status=302, headers={"Location": place + within + (f"?{query}" if query else "")})


@proxy.before_app_request
def by_host() -> Response | None:
    """The proxy on a shop's domain; other requests go on."""
    shop = asked_shop()
    if shop is None:
        return None
    prefix, subpath = dev_store().app.proxy_prefix, dev_store().app.proxy_subpath
    found = re.fullmatch(rf"/{re.escape(prefix)}/{re.escape(subpath)}(?:/(.*))?", request.path)
    return _forward(shop, prefix, subpath, found[1] or "") if found else None


def signed_query(store: DevStore, shop: str, raw_query: str, customer_id: int | None) -> str:
    """The query that the app gets: the browser's own without what only Shopify may say, and the signed part."""
    own = [pair for pair in parse_qsl(raw_query, keep_blank_values=True) if pair[0] not in _OURS]
    added = [
        ("shop", shop),
        ("logged_in_customer_id", str(customer_id) if customer_id else ""),
        ("path_prefix", f"/{store.app.proxy_prefix}/{store.app.proxy_subpath}"),
        ("timestamp", str(int(time.time()))),
    ]
    signature = signatures.proxy(store.settings.api_secret, [*own, *added])
    return urlencode([*own, *added, ("signature", signature)], quote_via=quote)


def _forward(shop: str, prefix: str, subpath: str, rest: str) -> Response:
    store = dev_store()
    found = shops.find(store, shop)
    declared = (prefix, subpath) == (store.app.proxy_prefix, store.app.proxy_subpath)
    if found is None or not found["installed_at"] or not declared:
        raise not_found("This page")
    customer = current_customer(shop)
    query = signed_query(store, shop, request.query_string.decode(), customer["id"] if customer else None)
    path = f"{store.app.proxy_path}/{quote(rest)}" if rest else store.app.proxy_path
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _KEPT_FROM_APP}
    headers |= {
        "X-Forwarded-For": request.remote_addr or "",
        "X-Forwarded-Host": shop,
        "X-Forwarded-Proto": "https",
    }
    try:
        answer = _client.request(
            request.method,
            f"{store.settings.app_url}{path}?{query}",
            content=request.get_data(),
            headers=headers,
        )
    except httpx.HTTPError as error:
        return Response(
            f"The app did not answer ({type(error).__name__})", status=502, content_type="text/plain"
        )
    back = {name: value for name, value in answer.headers.items() if name not in _KEPT_FROM_BROWSER}
    return Response(answer.content, status=answer.status_code, headers=back)

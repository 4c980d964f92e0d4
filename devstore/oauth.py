"""Shopify's token endpoint on a shop's domain: token exchange, refresh, authorization code."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from devstore import shops, tokens
from devstore.current import dev_store, shop_of_host
from devstore.strikes import strike_http
from devstore.tokens import GrantRefused

oauth = Blueprint("oauth", __name__)

_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
_OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"
_ONLINE = "urn:shopify:params:oauth:token-type:online-access-token"


@oauth.post("/admin/oauth/access_token")
def access_token() -> Response:
    """Token exchange, refresh, migration and code grant; JSON or form."""
    shop = shop_of_host()
    given: Mapping[str, Any] = request.get_json(silent=True) or request.form
    fault = dev_store().faults.strike("token", shop, None)
    if fault is not None:
        if fault.kind.startswith("invalid_"):
            return _refusal(fault.kind, "This fault was asked for")
        answer = strike_http(fault)
        if answer is not None:
            return answer
    try:
        body = _grant(shop, given)
    except GrantRefused as error:
        return _refusal(error.error, error.description)
    if fault is not None and fault.kind == "reset_after_send":
        strike_http(fault, after=True)
    return jsonify(body)


def _grant(shop: str, given: Mapping[str, Any]) -> dict[str, object]:
    store = dev_store()
    if (
        given.get("client_id") != store.settings.api_key
        or given.get("client_secret") != store.settings.api_secret
    ):
        raise GrantRefused("invalid_client", "Client authentication failed")
    found = shops.find(store, shop)
    if found is None or not found["installed_at"]:
        raise GrantRefused("invalid_client", "The app is not installed in this shop")
    expiring = str(given.get("expiring", "0")) == "1"
    kind = given.get("grant_type")
    if kind == "refresh_token":
        return tokens.refresh(store, shop, given.get("refresh_token"))
    if kind == _EXCHANGE:
        return _exchange(shop, given, expiring)
    if kind is None and given.get("code"):
        return tokens.redeem_code(store, shop, given["code"], expiring=expiring)
    raise GrantRefused("unsupported_grant_type", "This grant type is not supported")


def _exchange(shop: str, given: Mapping[str, Any], expiring: bool) -> dict[str, object]:
    store = dev_store()
    wanted, kind = given.get("requested_token_type"), given.get("subject_token_type")
    if kind == _OFFLINE and wanted == _OFFLINE and expiring:
        return tokens.migrate(store, shop, given.get("subject_token"))
    if kind != _ID_TOKEN or wanted not in {_OFFLINE, _ONLINE}:
        raise GrantRefused("invalid_request", "The token types do not fit")
    user = tokens.read_id_token(store, shop, given.get("subject_token"))
    if wanted == _ONLINE:
        return tokens.grant_online(store, shop, user)
    return tokens.grant(store, shop, expiring=expiring)


def _refusal(error: str, description: str) -> Response:
    answer = jsonify(error=error, error_description=description)
    answer.status_code = 400
    return answer

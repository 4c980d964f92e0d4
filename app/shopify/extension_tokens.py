"""Who calls from a checkout, customer-account or POS extension: tokens that cannot be exchanged for access."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shopify_app.types import RequestInput
from shopify_app.verify.checkout_ui_ext import verify_checkout_ui_ext_req

from app.core.errors import Unauthorized
from app.core.i18n import mark
from app.shopify import bearer, shop_domain
from app.shopify.credentials import app_config

CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "7200",
}
_CUSTOMER = "gid://shopify/Customer/"


class InvalidExtensionToken(Unauthorized):
    """The extension's token is missing, expired, of another app or not for a shop."""

    code = "invalid_extension_token"
    default_message = mark("The session has expired. Reload the page.")


@dataclass(frozen=True)
class ExtensionToken:
    """A verified buyer surface. `customer_id` is the numeric id of the logged-in buyer; None when nobody is."""

    shop_domain: str
    customer_id: str | None


def verify(headers: Mapping[str, str]) -> ExtensionToken:
    """Verify the Authorization header of a buyer-facing extension. Raises InvalidExtensionToken.

    The token says nothing about the cart: amounts sent along are hints.
    """
    authorization = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    token = bearer.from_header(authorization)
    claims = _claims(token) if token else {}
    domain = shop_domain.from_origin(claims.get("dest"))
    if domain is None or "exp" not in claims:
        raise InvalidExtensionToken
    number = str(claims.get("sub") or "").removeprefix(_CUSTOMER)
    is_customer = str(claims.get("sub") or "").startswith(_CUSTOMER) and number.isascii() and number.isdigit()
    return ExtensionToken(domain, number if is_customer else None)


def _claims(token: str) -> dict[str, Any]:
    request = RequestInput(method="POST", headers={"authorization": f"Bearer {token}"}, url="", body="")
    try:
        result = verify_checkout_ui_ext_req(request, app_config())
    except RecursionError:  # JSON nested a thousand deep, which the library lets through
        return {}
    return result.id_token.claims if result.ok and result.id_token else {}

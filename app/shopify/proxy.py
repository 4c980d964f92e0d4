"""App proxy requests: a storefront's visitor as Shopify vouches for them. Only the query is signed, never the body."""

import hmac
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from app.core import clock
from app.shopify import shop_domain
from app.shopify.credentials import secrets
from app.shopify.errors import ForgedRequest, MalformedDelivery

WINDOW_SECONDS = 90
_ONCE = ("shop", "timestamp", "signature", "hmac")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}")
_PATH_PREFIX = re.compile(r"/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class ProxyRequest:
    """A verified storefront request. `customer_id` is the numeric id of who is logged in there; None when nobody is.

    `path_prefix` is where the merchant mounted the proxy, such as /apps/loyalnest; `locale` is our own signed
    parameter; `parameters` are all others, the last value of each.
    """

    shop_domain: str
    customer_id: str | None
    path_prefix: str
    locale: str | None
    parameters: Mapping[str, str]


def verify(raw_query: bytes) -> ProxyRequest:
    """Verify the query string as it came over the wire. Raises ForgedRequest (401), MalformedDelivery (422)."""
    try:
        pairs = parse_qsl(
            raw_query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100
        )
    except ValueError as error:
        raise ForgedRequest() from error
    grouped: dict[str, list[str]] = defaultdict(list)
    for name, value in pairs:
        grouped[name].append(value)
    if any(len(grouped[name]) > 1 for name in _ONCE if name in grouped):
        raise ForgedRequest()
    signature = grouped.pop("signature", [""])[0]
    _check_signature(signature, grouped)
    _check_age(grouped.get("timestamp", [""])[0])
    return _read({name: values[-1] for name, values in grouped.items()})


def _check_signature(signature: str, grouped: Mapping[str, list[str]]) -> None:
    text = "".join(f"{name}={','.join(values)}" for name, values in sorted(grouped.items())).encode()
    given = signature.encode("utf-8", "replace")
    if not any(
        hmac.compare_digest(hmac.digest(key, text, "sha256").hex().encode(), given) for key in secrets()
    ):
        raise ForgedRequest()


def _check_age(timestamp: str) -> None:
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise ForgedRequest()
    if abs(clock.now().timestamp() - int(timestamp)) > WINDOW_SECONDS:
        raise ForgedRequest()


def _read(parameters: dict[str, str]) -> ProxyRequest:
    domain = shop_domain.parse(parameters.pop("shop", None))
    customer_id = parameters.pop("logged_in_customer_id", "")
    path_prefix, locale = parameters.pop("path_prefix", ""), parameters.pop("locale", "")
    parameters.pop("timestamp", None)
    if domain is None:
        raise MalformedDelivery(missing="shop")
    if customer_id and not re.fullmatch(r"[0-9]{1,20}", customer_id):
        raise MalformedDelivery(missing="logged_in_customer_id")
    if path_prefix and not _PATH_PREFIX.fullmatch(path_prefix):
        raise MalformedDelivery(missing="path_prefix")
    return ProxyRequest(
        domain, customer_id or None, path_prefix, locale if _LOCALE.fullmatch(locale) else None, parameters
    )

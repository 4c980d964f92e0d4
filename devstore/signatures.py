"""The three ways Shopify signs what it sends."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping


def webhook(secret: str, body: bytes) -> str:
    """Base64 signature over the raw bytes of a webhook."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def proxy(secret: str, query: Iterable[tuple[str, str]]) -> str:
    """Hex signature of an app proxy request over its decoded query: sorted, repeated values joined by commas, glued."""
    grouped: dict[str, list[str]] = {}
    for key, value in query:
        if key != "signature":
            grouped.setdefault(key, []).append(value)
    text = "".join(f"{key}={','.join(values)}" for key, values in sorted(grouped.items()))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def query(secret: str, parameters: Mapping[str, str]) -> str:
    """Hex `hmac` of an OAuth callback or of the address that the admin loads an app with."""
    text = "&".join(
        f"{_escaped(key, name=True)}={_escaped(value)}"
        for key, value in sorted(parameters.items())
        if key not in {"hmac", "signature"}
    )
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _escaped(text: str, *, name: bool = False) -> str:
    text = text.replace("%", "%25").replace("&", "%26")
    return text.replace("=", "%3D") if name else text

"""Installing and removing the app, its scopes, and the address the admin loads it with."""

import base64
import time
import uuid
from collections.abc import Iterable
from urllib.parse import urlencode

import httpx

from devstore import payloads, shops, signatures, times, tokens, webhooks
from devstore.errors import Refused
from devstore.runtime import DevStore
from devstore.state import Doc


def install(store: DevStore, domain: str) -> Doc:
    """Mark the app as installed with its declared scopes; installing twice changes nothing. Raises Refused (404)."""
    with store.state.transaction():
        shop = shops.get(store, domain)
        if not shop["installed_at"]:
            shop["installed_at"] = times.stamp()
            shop["installation_id"] = store.state.next_id()
            shop["scopes"] = list(store.app.scopes)
            shops.save(store, shop)
    return shop


def uninstall(store: DevStore, domain: str) -> Doc:
    """Remove the app: its tokens end at once, and app/uninstalled is sent. Raises Refused, 409 when not installed."""
    with store.state.transaction():
        shop = shops.get(store, domain)
        if not shop["installed_at"]:
            raise Refused(f"The app is not installed in {domain}", code="not_installed", status=409)
        tokens.revoke(store, domain)
        shop |= {"installed_at": None, "installation_id": None, "scopes": []}
        shops.save(store, shop)
        webhooks.publish(store, domain, {"app/uninstalled": payloads.shop(store, domain)}, force=True)
    return shop


def change_scopes(
    store: DevStore, domain: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()
) -> list[str]:
    """Grant or take back optional scopes. Sends app/scopes_update when something changes. Raises Refused."""
    with store.state.transaction():
        shop = shops.get(store, domain)
        if not shop["installed_at"]:
            raise Refused(f"The app is not installed in {domain}", code="not_installed", status=409)
        before = list(shop["scopes"])
        wanted, unwanted = set(add), set(remove)
        if store.app.scopes and wanted - {*store.app.scopes, *store.app.optional_scopes}:
            raise Refused("The app does not declare this scope", fields={"scopes": "not declared"})
        if unwanted & set(store.app.scopes):
            raise Refused("A required scope cannot be taken back", fields={"scopes": "required"})
        shop["scopes"] = [*before, *sorted(wanted - set(before))]
        shop["scopes"] = [scope for scope in shop["scopes"] if scope not in unwanted]
        if shop["scopes"] != before:
            shops.save(store, shop)
            scope = ",".join(shop["scopes"])
            store.state.run("UPDATE access_tokens SET scope = ? WHERE shop = ?", (scope, domain))
            told = payloads.scopes_update(before, shop["scopes"], shop["installation_id"])
            webhooks.publish(store, domain, {"app/scopes_update": told})
    return list(shop["scopes"])


def app_address(store: DevStore, domain: str, path: str | None = None, user: str | None = None) -> str:
    """The address of the app inside the admin's frame, with a fresh ID token and a signed query. `path` is a path of
    the app (default: its home) that may have a query of its own. Raises Refused (404)."""
    shop = shops.get(store, domain)
    target, _, own = (path or store.app.application_path).partition("?")
    query = {
        "embedded": "1",
        "shop": domain,
        "host": host_of(domain),
        "locale": shop["locale"],
        "session": uuid.uuid4().hex,
        "timestamp": str(int(time.time())),
        "id_token": tokens.id_token(store, domain, user),
    }
    query["hmac"] = signatures.query(store.settings.api_secret, query)
    rest = f"{own}&" if own else ""
    return f"{store.settings.app_url}{target}?{rest}{urlencode(query)}"


def host_of(domain: str) -> str:
    """The `host` parameter: where in the admin the app lives, base64 without padding."""
    return (
        base64.urlsafe_b64encode(f"admin.shopify.com/store/{shops.handle_of(domain)}".encode())
        .decode()
        .rstrip("=")
    )


def open_app(store: DevStore, domain: str) -> Doc:
    """Load the app once as the admin does, so that it exchanges its token: {status, error, location}."""
    try:
        answer = httpx.get(app_address(store, domain), timeout=20, trust_env=False, follow_redirects=False)
    except httpx.HTTPError as error:
        return {"status": None, "error": type(error).__name__, "location": None}
    return {"status": answer.status_code, "error": None, "location": answer.headers.get("location")}

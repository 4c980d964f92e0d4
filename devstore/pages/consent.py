"""The classic installation: the page where a shop's owner agrees, and the way back to the app with a code."""

import time
from urllib.parse import SplitResult, urlencode, urlsplit

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from devstore import installs, shops, signatures, tokens
from devstore.current import dev_store, shop_of_host
from devstore.errors import Refused

consent = Blueprint("consent", __name__)
_PATH = "/admin/oauth/authorize"


@consent.get(_PATH)
def asked() -> str | Response:
    """What the app asks for; a shop that has the app goes back to it at once."""
    store, domain, back = dev_store(), shop_of_host(), _way_back()
    shop = shops.get(store, domain)
    if shop["installed_at"]:
        return _return_with_code(domain, back)
    return render_template("consent.html", shop=shop, app=store.app)


@consent.post(_PATH)
def answered() -> Response:
    """Install the app and go back with a code, or go back with a no."""
    domain, back = shop_of_host(), _way_back()
    if request.form.get("answer") != "install":
        no = {"error": "access_denied", "error_description": "The owner did not agree"}
        return _return(domain, back, no)
    installs.install(dev_store(), domain)
    return _return_with_code(domain, back)


def _way_back() -> SplitResult:
    """Where the app wants the browser back. Raises Refused unless the app's configuration names it."""
    store = dev_store()
    back, own = urlsplit(request.args.get("redirect_uri", "")), urlsplit(store.settings.app_url)
    known = (back.scheme, back.netloc) == (own.scheme, own.netloc) and back.path in store.app.redirect_paths
    if request.args.get("client_id") != store.settings.api_key or not known:
        raise Refused("Unknown client or redirect_uri", code="invalid_request", status=400)
    return back


def _return_with_code(domain: str, back: SplitResult) -> Response:
    code = tokens.new_code(dev_store(), domain, request.args.get("scope", ""))
    return _return(domain, back, {"code": code, "host": installs.host_of(domain)})


def _return(domain: str, back: SplitResult, news: dict[str, str]) -> Response:
    query = {
        **news,
        "shop": domain,
        "state": request.args.get("state", ""),
        "timestamp": str(int(time.time())),
    }
    query["hmac"] = signatures.query(dev_store().settings.api_secret, query)
    own = f"{back.query}&" if back.query else ""
    return redirect(f"{back.scheme}://{back.netloc}{back.path}?{own}{urlencode(query)}")

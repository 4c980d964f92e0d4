"""The admin of a shop: installing the app, its frame, and what the App Bridge stand-in asks the page around it."""

import time
import uuid
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from devstore import catalog, installs, money, shops, signatures, tokens
from devstore.current import dev_store
from devstore.errors import Refused
from devstore.pages import site, theme
from devstore.pages.admin_view import back, page
from devstore.pages.words import ADMIN, LOCALES, words
from devstore.state import Doc

admin = Blueprint("admin", __name__)
_OUTSIDE = frozenset({"embedded", "hmac", "host", "id_token", "locale", "session", "shop", "timestamp"})


@admin.get("/admin/store/<handle>")
def home(handle: str) -> str:
    """The shop's start page."""
    return page("admin/home.html", site.shop_at(handle), "home")


@admin.get("/admin/store/<handle>/apps/<app_handle>")
@admin.get("/admin/store/<handle>/apps/<app_handle>/<path:rest>")
def app_frame(handle: str, app_handle: str, rest: str = "") -> str:
    """The app in its frame; the installation page while it is not installed."""
    store, shop = dev_store(), site.shop_at(handle)
    if app_handle != store.app.handle:
        raise Refused(f"There is no app {app_handle}", code="not_found", status=404)
    if not shop["installed_at"]:
        classic = f"{store.settings.app_url}/auth/begin?{urlencode({'shop': shop['domain']})}"
        return page("admin/install.html", shop, "app", scopes=store.app.scopes, classic=classic)
    path = store.app.application_path + (f"/{rest}" if rest else "")
    own = [pair for pair in request.args.items(multi=True) if pair[0] not in _OUTSIDE]
    source = frame_address(shop, path, own)
    return page("admin/frame.html", shop, "app", source=source, config=_frame_config(shop, handle))


def frame_address(shop: Doc, path: str, own: list[tuple[str, str]]) -> str:
    """The address the admin puts into the frame: the app's path and query, signed, with a fresh ID token."""
    store, domain = dev_store(), shop["domain"]
    handle = shops.handle_of(domain)
    query = {
        "embedded": "1",
        "host": installs.host_of(domain),
        "id_token": tokens.id_token(store, domain, str(site.staff(shop)["id"])),
        "locale": site.admin_locale(handle),
        "session": uuid.uuid4().hex,
        "shop": domain,
        "timestamp": str(int(time.time())),
    }
    query["hmac"] = signatures.query(store.settings.api_secret, {**dict(own), **query})
    return f"{store.settings.app_url}{path}?{urlencode([*own, *query.items()])}"


def _frame_config(shop: Doc, handle: str) -> Doc:
    store, person, locale = dev_store(), site.staff(shop), site.admin_locale(handle)
    base = url_for("admin.home", handle=handle)
    return {
        "appOrigin": store.settings.app_url,
        "appPath": store.app.application_path,
        "base": base,
        "place": f"{base}/apps/{store.app.handle}",
        "shopName": shop["name"],
        "words": {"dismiss": words(ADMIN, locale)["dismiss"]},
        "config": {
            "apiKey": store.settings.api_key,
            "host": installs.host_of(shop["domain"]),
            "locale": locale,
            "shop": shop["domain"],
        },
        "user": {
            "id": person["id"],
            "firstName": person["first_name"],
            "lastName": person["last_name"],
            "accountAccess": person["role"],
        },
    }


@admin.post("/admin/store/<handle>/frame/id-token")
def id_token(handle: str) -> Response:
    """A fresh ID token of whoever is signed in."""
    store, shop = dev_store(), site.shop_at(handle)
    if not shop["installed_at"]:
        raise Refused("The app is not installed", code="not_installed", status=409)
    return _fresh(token=tokens.id_token(store, shop["domain"], str(site.staff(shop)["id"])))


@admin.get("/admin/store/<handle>/frame/scopes")
def scopes(handle: str) -> Response:
    """What `shopify.scopes.query()` answers."""
    app, shop = dev_store().app, site.shop_at(handle)
    return _fresh(granted=shop["scopes"], required=list(app.scopes), optional=list(app.optional_scopes))


@admin.get("/admin/store/<handle>/frame/extensions")
def extensions(handle: str) -> Response:
    """What `shopify.app.extensions()` answers."""
    answer = jsonify(theme.extension_info(dev_store(), site.shop_at(handle)["domain"]))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@admin.get("/admin/store/<handle>/frame/resources")
def resources(handle: str) -> Response:
    """What the resource picker offers: products, variants or collections."""
    store, shop = dev_store(), site.shop_at(handle)
    kind = request.args.get("type", "product")
    if kind == "collection":
        found = [_collection(each) for each in store.state.all("collection", shop["domain"])]
    elif kind == "variant":
        products = catalog.products(store, shop["domain"])
        found = [_variant(product, each, shop) for product in products for each in product["variants"]]
    else:
        found = [_product(each, shop) for each in catalog.products(store, shop["domain"])]
    return _fresh(resources=found)


def _collection(collection: Doc) -> Doc:
    return {
        "id": f"gid://shopify/Collection/{collection['id']}",
        "title": collection["title"],
        "handle": collection["handle"],
    }


def _product(product: Doc, shop: Doc) -> Doc:
    return {
        "id": f"gid://shopify/Product/{product['id']}",
        "title": product["title"],
        "handle": product["handle"],
        "productType": product["product_type"],
        "vendor": product["vendor"],
        "images": [],
        "variants": [_variant(product, each, shop) for each in product["variants"]],
    }


def _variant(product: Doc, variant: Doc, shop: Doc) -> Doc:
    single = variant["title"] == "Default Title"
    return {
        "id": f"gid://shopify/ProductVariant/{variant['id']}",
        "title": variant["title"],
        "displayName": product["title"] if single else f"{product['title']} - {variant['title']}",
        "sku": variant["sku"],
        "price": money.to_text(variant["price"], shop["currency"]),
        "product": {"id": f"gid://shopify/Product/{product['id']}", "title": product["title"]},
    }


def _fresh(**body: Any) -> Response:
    answer = jsonify(body)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@admin.post("/admin/store/<handle>/install")
def install(handle: str) -> BaseResponse:
    """Install the app and open it."""
    store = dev_store()
    installs.install(store, site.shop_at(handle)["domain"])
    return redirect(url_for("admin.app_frame", handle=handle, app_handle=store.app.handle))


@admin.post("/admin/store/<handle>/uninstall")
def uninstall(handle: str) -> BaseResponse:
    """Remove the app."""
    installs.uninstall(dev_store(), site.shop_at(handle)["domain"])
    site.say("The app was uninstalled and was told so.")
    return redirect(url_for("admin.home", handle=handle))


@admin.post("/admin/store/<handle>/person")
def choose_person(handle: str) -> BaseResponse:
    """Use the admin as somebody else, or in another language."""
    shop = site.shop_at(handle)
    if request.form.get("staff", "").isdigit():
        site.remember(handle, staff=int(request.form["staff"]))
    if request.form.get("locale") in LOCALES:
        site.remember(handle, admin_locale=request.form["locale"])
    return back(url_for("admin.home", handle=shops.handle_of(shop["domain"])))

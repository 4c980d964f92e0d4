"""The storefront: products, account, language, the address that applies a discount code, the extension's files."""

import mimetypes

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from devstore import catalog, customers, orders, totals
from devstore.current import dev_store, log_in, log_out
from devstore.errors import Refused, not_found
from devstore.pages import cart, people, site, theme
from devstore.pages.admin_view import text
from devstore.pages.store_view import page
from devstore.pages.words import LOCALES, STORE, words
from devstore.state import Doc

storefront = Blueprint("storefront", __name__)


@storefront.get("/store/<handle>/")
def home(handle: str) -> str:
    """All products."""
    shop = site.shop_at(handle)
    return page("store/home.html", shop, "index", products=catalog.products(dev_store(), shop["domain"]))


@storefront.get("/store/<handle>/products/<slug>")
def product(handle: str, slug: str) -> str:
    """One product."""
    shop = site.shop_at(handle)
    found = catalog.by_handle(dev_store(), shop["domain"], slug)
    return page("store/product.html", shop, "product", product=found)


@storefront.get("/store/<handle>/account")
def account(handle: str) -> str | BaseResponse:
    """The customer's orders."""
    shop = site.shop_at(handle)
    customer = site.customer(shop)
    if customer is None:
        return redirect(url_for("storefront.login", handle=handle))
    found = [
        {**order, "sums": totals.of(order)}
        for order in reversed(customers.orders_of(dev_store(), shop["domain"], customer["id"]))
    ]
    return page("store/account.html", shop, "customers/account", orders=found)


@storefront.get("/store/<handle>/account/login")
def login(handle: str) -> str:
    """Choose a demo person, another known customer, or go on as a guest."""
    shop = site.shop_at(handle)
    people.seed_installed(dev_store(), shop["domain"])
    known = [each for each in customers.every(dev_store(), shop["domain"]) if each["email"]]
    demo = {people.email_of(first) for first, *_ in people.SHOPPERS}
    known.sort(key=lambda each: (each["email"] not in demo, -each["id"]))
    return page("store/login.html", shop, "customers/login", people=known[:40])


@storefront.post("/store/<handle>/account/login")
def log_someone_in(handle: str) -> BaseResponse:
    """Become a customer; the storefront changes to the language they speak."""
    shop = site.shop_at(handle)
    id = request.form.get("customer", "")
    found = customers.find(dev_store(), shop["domain"], int(id)) if id.isdigit() else None
    if found is None:
        site.remember(handle, locale=None)
        answer = redirect(url_for("storefront.home", handle=handle))
        log_out(answer, shop["domain"])
        return answer
    return _welcome(shop, handle, found)


@storefront.get("/store/<handle>/account/register")
def registration(handle: str) -> str:
    """The form for a new account."""
    return page("store/register.html", site.shop_at(handle), "customers/register", problem=None, typed={})


@storefront.post("/store/<handle>/account/register")
def register_someone(handle: str) -> str | BaseResponse:
    """Create an account and log in."""
    shop = site.shop_at(handle)
    locale = request.form.get("locale", "")
    try:
        made = customers.add(
            dev_store(),
            shop["domain"],
            email=text("email") or "",
            first_name=text("first_name"),
            last_name=text("last_name"),
            birthday=text("birthday"),
            locale=locale if locale in LOCALES else site.storefront_locale(handle),
        )
    except Refused as refusal:
        return page(
            "store/register.html", shop, "customers/register", problem=refusal.message, typed=request.form
        )
    return _welcome(shop, handle, made)


def _welcome(shop: Doc, handle: str, customer: Doc) -> BaseResponse:
    language = (customer["locale"] or "").split("-")[0]
    if language in LOCALES:
        site.remember(handle, locale=language)
    answer = redirect(url_for("storefront.home", handle=handle))
    log_in(answer, shop["domain"], customer["id"])
    return answer


@storefront.post("/store/<handle>/account/logout")
def leave(handle: str) -> BaseResponse:
    """Log out."""
    shop = site.shop_at(handle)
    answer = redirect(url_for("storefront.home", handle=handle))
    log_out(answer, shop["domain"])
    return answer


@storefront.post("/store/<handle>/localization")
def choose_language(handle: str) -> BaseResponse:
    """Read the storefront in another language."""
    site.shop_at(handle)
    if request.form.get("locale") in LOCALES:
        site.remember(handle, locale=request.form["locale"])
    return redirect(_inside(handle, request.form.get("back")))


@storefront.get("/store/<handle>/discount/<code>")
def apply_discount(handle: str, code: str) -> BaseResponse:
    """Shopify's address that puts a code on the cart and goes on to `redirect`."""
    site.shop_at(handle)
    cart.set_codes(handle, [*cart.codes(handle), code])
    said = words(STORE, site.storefront_locale(handle))["discount_kept"]
    site.say(said.format(code=code.upper()))
    return redirect(_inside(handle, request.args.get("redirect")))


def _inside(handle: str, path: str | None) -> str:
    """A path of this storefront; anything else leads to its start page. A bare /cart is that of this shop."""
    root = url_for("storefront.home", handle=handle)
    if path and path.startswith(root) and "\\" not in path:
        return path
    return f"{root}cart" if path == "/cart" else root


@storefront.get("/store/<handle>/cdn/extension/<name>")
def extension_asset(handle: str, name: str) -> Response:
    """A file of the theme extension."""
    site.shop_at(handle)
    path = theme.asset(name)
    if path is None:
        raise not_found("This file")
    answer = Response(path.read_bytes(), content_type=mimetypes.guess_type(path.name)[0])
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


@storefront.get("/store/<handle>/orders/<token>")
def thanks(handle: str, token: str) -> str:
    """The thank-you page of an order, found by its token."""
    shop = site.shop_at(handle)
    found = dev_store().state.where("order", shop["domain"], "token", token)
    if not found:
        raise not_found("This order")
    order = orders.get(dev_store(), shop["domain"], found[0]["id"])
    return page("store/thanks.html", shop, "order", order=order, sums=totals.of(order))

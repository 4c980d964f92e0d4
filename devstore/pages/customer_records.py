"""Customers, products and discounts in the admin."""

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from devstore import catalog, customers, discounts
from devstore.current import dev_store
from devstore.errors import Refused
from devstore.pages import people, site
from devstore.pages.admin_view import page, text, whole
from devstore.pages.words import LOCALES

customer_records = Blueprint("customer_records", __name__)


@customer_records.get("/admin/store/<handle>/customers")
def listed(handle: str) -> str:
    """Every customer, newest first, and the form for a new one."""
    shop = site.shop_at(handle)
    found = list(reversed(customers.every(dev_store(), shop["domain"])))
    counts = {
        each["id"]: len(customers.orders_of(dev_store(), shop["domain"], each["id"])) for each in found[:200]
    }
    return page("admin/customers.html", shop, "customers", customers=found[:200], counts=counts)


@customer_records.post("/admin/store/<handle>/customers")
def add(handle: str) -> Response:
    """Add a customer, or all demo shoppers."""
    store, shop = dev_store(), site.shop_at(handle)
    if "demo" in request.form:
        people.seed_shoppers(store, shop["domain"])
        site.say("The demo shoppers are there.")
        return redirect(url_for("customer_records.listed", handle=handle))
    try:
        made = customers.add(
            store,
            shop["domain"],
            email=text("email"),
            first_name=text("first_name"),
            last_name=text("last_name"),
            locale=request.form.get("locale") if request.form.get("locale") in LOCALES else "en",
            birthday=text("birthday"),
        )
        site.say(f"{made['email'] or 'A customer'} was added.")
    except Refused as refusal:
        site.say(refusal.message, "problem")
    return redirect(url_for("customer_records.listed", handle=handle))


@customer_records.get("/admin/store/<handle>/customers/<int:id>")
def shown(handle: str, id: int) -> str:
    """One customer with the orders, and what can be done."""
    store, shop = dev_store(), site.shop_at(handle)
    customer = customers.get(store, shop["domain"], id)
    others = [each for each in customers.every(store, shop["domain"]) if each["id"] != id]
    orders = list(reversed(customers.orders_of(store, shop["domain"], id)))
    return page("admin/customer.html", shop, "customers", customer=customer, others=others, orders=orders)


@customer_records.post("/admin/store/<handle>/customers/<int:id>")
def change(handle: str, id: int) -> Response:
    """Change, merge or delete a customer, by the button that was pressed."""
    store, shop = dev_store(), site.shop_at(handle)
    action, gone = request.form.get("action"), False
    try:
        if action == "delete":
            customers.delete(store, shop["domain"], id)
            gone = True
            site.say("The customer was deleted.")
        elif action == "merge":
            customers.merge(store, shop["domain"], id, whole("other"))
            site.say("The customers were merged.")
        else:
            fields = ("email", "first_name", "last_name", "birthday", "note")
            changes = {name: text(name) for name in fields} | {"locale": request.form.get("locale", "en")}
            customers.change(store, shop["domain"], id, changes)
            site.say("The customer was changed.")
    except Refused as refusal:
        site.say(refusal.message, "problem")
    if gone:
        return redirect(url_for("customer_records.listed", handle=handle))
    return redirect(url_for("customer_records.shown", handle=handle, id=id))


@customer_records.get("/admin/store/<handle>/products")
def products(handle: str) -> str:
    """Every product with its variants."""
    shop = site.shop_at(handle)
    found = catalog.products(dev_store(), shop["domain"])
    return page("admin/products.html", shop, "products", products=found)


@customer_records.get("/admin/store/<handle>/discounts")
@customer_records.get("/admin/store/<handle>/discounts/<path:rest>")
def discount_list(handle: str, rest: str = "") -> str:
    """Every discount with its codes, newest first; addresses of single ones lead here."""
    store, shop = dev_store(), site.shop_at(handle)
    found = [
        {**each, "status": discounts.status(each)}
        for each in reversed(discounts.every(store, shop["domain"]))
    ]
    return page("admin/discounts.html", shop, "discounts", discounts=found[:300], wanted=rest)


@customer_records.post("/admin/store/<handle>/discounts/<int:id>")
def end_discount(handle: str, id: int) -> Response:
    """End or delete a discount as a merchant would, behind the app's back."""
    store, shop = dev_store(), site.shop_at(handle)
    if request.form.get("action") == "delete":
        discounts.delete(store, shop["domain"], id)
        site.say("The discount was deleted.")
    else:
        discounts.end(store, shop["domain"], id)
        site.say("The discount has ended.")
    return redirect(url_for("customer_records.discount_list", handle=handle))

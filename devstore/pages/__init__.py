"""What a person sees of the dev store in a browser: index, admin with the app's frame, storefront, mailbox."""

from flask import Flask, Response, make_response, render_template

from devstore.errors import Refused
from devstore.pages import people
from devstore.pages.admin import admin
from devstore.pages.consent import consent
from devstore.pages.customer_records import customer_records
from devstore.pages.index import index
from devstore.pages.mailbox import mailbox
from devstore.pages.order_records import order_records
from devstore.pages.shopping import shopping
from devstore.pages.storefront import storefront
from devstore.pages.tools import tools
from devstore.settings import DEMO_SHOP

_PARTS = (index, admin, consent, order_records, customer_records, tools, storefront, shopping, mailbox)


def _refused(error: Refused) -> Response:
    return make_response(render_template("refused.html", error=error), error.status)


for _part in _PARTS:
    _part.register_error_handler(Refused, _refused)


def register(app: Flask) -> None:
    """Add the pages to the dev store's application. The shoppers of an installed demo shop are made if missing."""
    store = app.extensions["devstore"]
    app.secret_key = app.secret_key or store.secret
    for part in _PARTS:
        app.register_blueprint(part)
    people.seed_installed(store, DEMO_SHOP)


__all__ = ["register"]

"""The first page: shops, people and where everything is; and the App Bridge stand-in."""

from pathlib import Path

from flask import Blueprint, Response, render_template

from devstore import shops
from devstore.current import dev_store
from devstore.pages import people
from devstore.state import Doc

index = Blueprint("index", __name__)
_APP_BRIDGE = Path(__file__).parent.parent / "static" / "app-bridge.js"


@index.get("/")
def start() -> str:
    """Every shop with its admin and storefront."""
    store = dev_store()
    found: list[Doc] = [{**shop, "handle": shops.handle_of(shop["domain"])} for shop in shops.every(store)]
    return render_template(
        "index.html", shops=found, shoppers=people.SHOPPERS, staff=people.STAFF, app=store.app
    )


@index.get("/app-bridge.js")
def app_bridge() -> Response:
    """What the app loads instead of Shopify's App Bridge."""
    answer = Response(_APP_BRIDGE.read_bytes(), content_type="text/javascript; charset=utf-8")
    answer.headers["Cache-Control"] = "no-cache"
    return answer

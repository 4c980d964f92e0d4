"""The admin's own tools of a dev store: the theme's switches, webhook deliveries, faults."""

import json
import math
from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from devstore import webhooks
from devstore.current import dev_store
from devstore.errors import Refused
from devstore.faults import KINDS
from devstore.pages import site, theme
from devstore.pages.admin_view import page, text

tools = Blueprint("tools", __name__)


@tools.get("/admin/store/<handle>/themes")
@tools.get("/admin/store/<handle>/themes/<path:rest>")
def themes(handle: str, rest: str = "") -> str:
    """Which blocks of our extension the theme shows, with their settings; the theme editor's addresses lead here.

    As in Shopify's editor, `activateAppId=<client id>/<block>` shows the block switched on, to be saved by a person.
    """
    shop = site.shop_at(handle)
    blocks = [
        {
            "handle": block_handle,
            "name": theme.schema_text(block.schema.get("name", block_handle)),
            "embed": block.is_embed,
            "fields": [
                {**each, "label": theme.schema_text(each.get("label", each["id"]))}
                for each in block.schema.get("settings", [])
                if "id" in each
            ],
        }
        for block_handle, block in theme.blocks().items()
    ]
    chosen = theme.settings(dev_store(), shop["domain"])
    switched_on = request.args.get("activateAppId", "").rpartition("/")[2]
    if switched_on in chosen:
        chosen[switched_on]["on"] = True
    return page("admin/themes.html", shop, "theme", blocks=blocks, chosen=chosen, text_of=theme.schema_text)


@tools.get("/store/<handle>/themes/<path:rest>")
def theme_editor(handle: str, rest: str) -> Response:
    """The editor under the address that Shopify's admin gives it on its own host."""
    asked: dict[str, Any] = request.args.to_dict()
    return redirect(url_for("tools.themes", handle=handle, rest=rest, **asked))


@tools.post("/admin/store/<handle>/themes")
@tools.post("/admin/store/<handle>/themes/<path:rest>")
def save_theme(handle: str, rest: str = "") -> Response:
    """Keep the switches and settings."""
    shop = site.shop_at(handle)
    chosen = {}
    for block_handle, block in theme.blocks().items():
        settings = block.defaults()
        for field in block.schema.get("settings", []):
            given = request.form.get(f"{block_handle}.{field['id']}")
            if given is not None:
                settings[field["id"]] = int(given) if field["type"] == "range" and given.isdigit() else given
        chosen[block_handle] = {"on": f"{block_handle}.on" in request.form, "settings": settings}
    theme.save(dev_store(), shop["domain"], chosen)
    site.say("The theme was saved.")
    return redirect(url_for("tools.themes", handle=handle))


@tools.get("/admin/store/<handle>/deliveries")
def deliveries(handle: str) -> str:
    """The newest webhook deliveries with their attempts."""
    store, shop = dev_store(), site.shop_at(handle)
    topic, state = request.args.get("topic") or None, request.args.get("state") or None
    found = webhooks.deliveries(store, shop["domain"], topic=topic, state=state, limit=100)
    topics = sorted({subscription.topic for subscription in store.app.subscriptions})
    return page(
        "admin/deliveries.html",
        shop,
        "deliveries",
        deliveries=found,
        topics=topics,
        chosen={"topic": topic, "state": state},
        waiting=webhooks.pending(store, shop["domain"]),
    )


@tools.get("/admin/store/<handle>/deliveries/<int:id>")
def delivery(handle: str, id: int) -> str:
    """One delivery with its payload."""
    shop = site.shop_at(handle)
    found = webhooks.delivery(dev_store(), id)
    if found is None or found["shop"] != shop["domain"]:
        raise Refused(f"There is no delivery {id}", code="not_found", status=404)
    body = json.dumps(found["payload"], indent=2, ensure_ascii=False)
    return page("admin/delivery.html", shop, "deliveries", delivery=found, body=body)


@tools.post("/admin/store/<handle>/deliveries/<int:id>/replay")
def replay(handle: str, id: int) -> Response:
    """Send a delivery once more."""
    shop = site.shop_at(handle)
    found = webhooks.delivery(dev_store(), id)
    if found is None or found["shop"] != shop["domain"]:
        raise Refused(f"There is no delivery {id}", code="not_found", status=404)
    webhooks.replay(dev_store(), id)
    site.say(f"Delivery {id} is sent again.")
    return redirect(url_for("tools.deliveries", handle=handle))


@tools.get("/admin/store/<handle>/faults")
def faults(handle: str) -> str:
    """What goes wrong on demand."""
    return page(
        "admin/faults.html", site.shop_at(handle), "faults", faults=dev_store().faults.listed(), kinds=KINDS
    )


@tools.post("/admin/store/<handle>/faults")
def switch_fault(handle: str) -> Response:
    """Switch a fault on, or all of them off."""
    shop, known = site.shop_at(handle), dev_store().faults
    target, _, kind = request.form.get("fault", "").partition("/")
    if "clear" in request.form:
        site.say(f"{known.clear()} faults were switched off.")
    elif kind not in KINDS.get(target, ()):
        site.say("Choose a fault.", "problem")
    else:
        known.add(
            target,
            kind,
            min(max(_number("percent", 100) / 100, 0.01), 1),
            min(max(_number("seconds", 60), 1), 3600),
            shop=None if target == "mail" else shop["domain"],
            only=text("only"),
            delay=min(max(_number("delay", 2), 0.1), 60),
        )
        site.say(f"The fault {kind} is on.")
    return redirect(url_for("tools.faults", handle=handle))


def _number(name: str, default: float) -> float:
    try:
        given = float(request.form.get(name, ""))
    except ValueError:
        return default
    return given if math.isfinite(given) else default

"""Puts the dev store's web application together."""

import importlib.util
import logging
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from devstore import messages, shops
from devstore.admin_api import admin_api
from devstore.control import control
from devstore.control_orders import control_orders
from devstore.current import dev_store
from devstore.errors import Refused
from devstore.oauth import oauth
from devstore.proxy import proxy
from devstore.runtime import DevStore

log = logging.getLogger(__name__)


def create_app(store: DevStore, *, pages: bool = True) -> Flask:
    """The application over a running dev store; makes sure that the demo shop exists. Starts no threads.

    Without `pages` it has no page for a browser: Shopify's endpoints and the control API only.
    """
    app = Flask("devstore")
    app.config["MAX_CONTENT_LENGTH"] = 20_000_000
    app.extensions["devstore"] = store
    app.json.sort_keys = False  # type: ignore[attr-defined]
    shops.seed(store)
    for blueprint in (control, control_orders, oauth, admin_api, proxy):
        app.register_blueprint(blueprint)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.add_url_rule("/_ready", "ready", lambda: jsonify(ok=True))
    app.add_url_rule("/_sink/<channel>/", "sink", _sink, methods=["POST", "PUT"], defaults={"rest": ""})
    app.add_url_rule("/_sink/<channel>/<path:rest>", "sink", _sink, methods=["POST", "PUT"])
    if pages and importlib.util.find_spec("devstore.pages"):
        package: Any = importlib.import_module("devstore.pages")
        package.register(app)
    return app


def _refused(error: Refused) -> tuple[Response, int]:
    return jsonify(error={"code": error.code, "message": error.message, "fields": error.fields}), error.status


def _http_error(error: HTTPException) -> Response:
    answer = error.get_response()
    if request.path.startswith("/_"):
        answer.set_data(
            jsonify(error={"code": error.name, "message": error.description, "fields": {}}).get_data()
        )
        answer.content_type = "application/json"
    return Response(answer.get_data(), answer.status_code, dict(answer.headers))


def _sink(channel: str, rest: str) -> tuple[Response, int]:
    """Take anything that a third party's API would take (SMS gateways and the like) and keep it to be read."""
    body = request.get_json(silent=True)
    doc = {
        "method": request.method,
        "path": f"/{rest}",
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "body": body if body is not None else request.get_data(as_text=True),
    }
    return jsonify(id=messages.keep_call(dev_store(), channel, doc)), 201

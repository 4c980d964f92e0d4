"""Puts the web ring together: registries and settings in, a Flask application out."""

from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response, g, request
from flask.json.provider import JSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix

from app.core.settings import Settings
from app.web.actions import add_actions
from app.web.bars import BARS
from app.web.compression import init_compression
from app.web.dispatch import add_endpoints
from app.web.embedding import init_embedding
from app.web.endpoints import EndpointRegistry
from app.web.envelope import json_response
from app.web.failures import init_failures
from app.web.health import init_health
from app.web.list_parts import LIST_PARTS
from app.web.locale import init_locale
from app.web.logging import init_request_log
from app.web.menu import MenuGroup
from app.web.openapi import openapi_document
from app.web.pages import add_tabs
from app.web.preferences import init_preferences
from app.web.ratelimit import init_rate_limits
from app.web.rendering import ROOT, Admin, Templates, init_rendering
from app.web.security_headers import init_security_headers
from app.web.static_files import FOLDER, PREFIX
from app.web.styleguide import init_styleguide
from app.web.tabs import TabRegistry

MAX_REQUEST_BYTES = 8 * 1024 * 1024


class OrjsonProvider(JSONProvider):
    """Flask's JSON through orjson."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """JSON text; UUIDs and datetimes are written as strings."""
        return orjson.dumps(obj, option=orjson.OPT_UTC_Z).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """The document of a JSON text."""
        return orjson.loads(s)


def make_application(
    settings: Settings,
    endpoints: EndpointRegistry,
    tabs: TabRegistry,
    groups: tuple[MenuGroup, ...] = (),
    *,
    templates: Path | None = None,
) -> Flask:
    """A Flask application that serves the declared endpoints and tabs."""
    app = Flask(
        "loyalnest",
        static_folder=FOLDER,
        static_url_path=PREFIX,
        template_folder=str(templates or ROOT / "templates"),
    )
    app.json = OrjsonProvider(app)
    app.jinja_environment = Templates
    app.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES
    app.config["PREFERRED_URL_SCHEME"] = "https"
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    init_request_log(app)
    init_compression(app)
    init_security_headers(app, settings)
    init_rate_limits(app, settings.redis_url)
    init_locale(app)
    init_rendering(app, Admin(settings, tabs, groups))
    app.jinja_env.globals.update(list_parts=LIST_PARTS, bars=BARS)
    init_failures(app)
    init_embedding(app, settings)
    init_health(app, settings)
    init_preferences(app)
    init_styleguide(app, settings)
    add_endpoints(app, endpoints)
    add_tabs(app, tabs)
    add_actions(app, tabs)
    _add_openapi(app, endpoints)
    return app


def _add_openapi(app: Flask, endpoints: EndpointRegistry) -> None:
    body: list[bytes] = []

    @app.get("/openapi.json", endpoint="openapi.document")
    def document() -> Response:
        g.json_face = True
        if not body:
            body.append(orjson.dumps(openapi_document(endpoints)))
        response = json_response(body[0])
        response.headers["Cache-Control"] = "public, max-age=300"
        response.add_etag()
        response.make_conditional(request)
        return response

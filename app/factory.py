"""Wiring: every domain is loaded, the platform adapter is plugged into the web ring, and an application comes out."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable
from urllib.parse import quote

from flask import Flask

import app.domains
from app.admin_menu import GROUPS
from app.core.settings import Settings, get_settings
from app.domains.shops.api import WebhookIntake
from app.shopify import id_tokens
from app.web import endpoints, principals, tabs
from app.web.application import make_application
from app.web.logging import configure_logging
from app.web.principals import IdToken, InvalidIdToken, WrongAudience

BACKGROUND_MODULES = ("models", "handlers", "jobs")
MODULES = (*BACKGROUND_MODULES, "api", "tabs")


def load_domains(modules: Iterable[str] = MODULES) -> list[str]:
    """Import the named modules of every domain that has them, so that they register. Returns the imported names.

    A module of all domains comes before the next one of any: tabs may build on what handlers registered.
    """
    loaded = []
    domains = sorted(pkgutil.iter_modules(app.domains.__path__), key=lambda module: module.name)
    for name in modules:
        for found in domains:
            place = f"{app.domains.__name__}.{found.name}.{name}"
            if importlib.util.find_spec(place) is not None:
                importlib.import_module(place)
                loaded.append(place)
    return loaded


def verify_id_token(token: str) -> IdToken:
    """An ID token checked by the platform adapter. Raises InvalidIdToken or WrongAudience."""
    address = f"{get_settings().app_url}/app?id_token={quote(token, safe='')}"
    match id_tokens.verify("GET", address, {}):
        case id_tokens.Verified(found):
            return IdToken(found.shop_domain, found.user_id, found.session_id, found.raw)
        case id_tokens.Rejected():
            raise WrongAudience
        case _:
            raise InvalidIdToken


def create_app(settings: Settings | None = None) -> Flask:
    """The application as it runs: all domains, Shopify's tokens, logs as JSON lines."""
    settings = settings or get_settings()
    configure_logging(settings.log_level)
    load_domains()
    principals.register_token_verifier(verify_id_token)
    application = make_application(settings, endpoints.registry(), tabs.registry(), GROUPS)
    application.wsgi_app = WebhookIntake(application.wsgi_app)  # type: ignore[method-assign]
    return application

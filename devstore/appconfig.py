"""What the app declares in `shopify.app.toml`: topics and their addresses, scopes, app proxy."""

import logging
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

log = logging.getLogger(__name__)

DEFAULT_URI = "/v1/api/shopify/webhook"


@dataclass(frozen=True)
class Subscription:
    """One topic and where it goes. `include_fields` empty means the whole payload."""

    topic: str
    uri: str
    name: str = ""
    include_fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class AppConfig:
    """The app as Shopify knows it. Without a file every topic is subscribed, so that nothing stays hidden."""

    name: str = "LoyalNest"
    handle: str = "loyalnest"
    application_path: str = "/app"
    scopes: tuple[str, ...] = ()
    optional_scopes: tuple[str, ...] = ()
    proxy_path: str = "/proxy"
    proxy_prefix: str = "apps"
    proxy_subpath: str = "loyalnest"
    redirect_paths: tuple[str, ...] = ("/auth/callback",)
    subscriptions: tuple[Subscription, ...] = ()
    everything: bool = field(default=False)

    def subscribed(self, topic: str) -> list[Subscription]:
        """The subscriptions of a topic."""
        if self.everything:
            return [Subscription(topic, DEFAULT_URI)]
        return [subscription for subscription in self.subscriptions if subscription.topic == topic]


def load(path: Path) -> AppConfig:
    """Read the file; a missing one gives the defaults and a warning. Raises ValueError when it is not valid TOML."""
    if not path.is_file():
        log.warning("%s is missing: every topic goes to %s", path, DEFAULT_URI)
        return AppConfig(everything=True)
    given = tomllib.loads(path.read_text(encoding="utf-8"))
    access, proxy = given.get("access_scopes", {}), given.get("app_proxy", {})
    redirects = tuple(urlsplit(url).path for url in given.get("auth", {}).get("redirect_urls", []))
    return AppConfig(
        name=given.get("name", "LoyalNest"),
        handle=given.get("handle", "loyalnest"),
        application_path=urlsplit(given.get("application_url", "/app")).path or "/",
        scopes=_scopes(access.get("scopes", "")) or tuple(access.get("required_scopes", ())),
        optional_scopes=tuple(access.get("optional_scopes", ())),
        proxy_path=urlsplit(proxy.get("url", "/proxy")).path,
        proxy_prefix=proxy.get("prefix", "apps"),
        proxy_subpath=proxy.get("subpath", "loyalnest"),
        redirect_paths=redirects or ("/auth/callback",),
        subscriptions=tuple(_subscriptions(given.get("webhooks", {}))),
    )


def resolve(uri: str, app_url: str) -> str:
    """Where a subscription's uri leads on this machine: its path and query on the app's own address."""
    parts = urlsplit(uri)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return urljoin(f"{app_url}/", target or "/")


def _scopes(text: str) -> tuple[str, ...]:
    return tuple(scope.strip() for scope in text.split(",") if scope.strip())


def _subscriptions(webhooks: Mapping[str, Any]) -> list[Subscription]:
    found = []
    for entry in webhooks.get("subscriptions", []):
        fields = tuple(entry.get("include_fields", ()))
        if entry.get("filter"):
            log.warning("the filter %r is not played: everything is delivered", entry["filter"])
        found += [
            Subscription(topic, entry.get("uri", DEFAULT_URI), entry.get("name", ""), fields)
            for topic in [*entry.get("topics", []), *entry.get("compliance_topics", [])]
        ]
    return found

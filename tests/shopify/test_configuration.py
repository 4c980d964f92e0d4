"""shopify.app.toml says what the code does: topics, addresses, versions, scopes."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from app.core import inbox
from app.core.settings import Settings
from app.shopify import id_tokens, oauth

ROOT = Path(__file__).resolve().parents[2]
COMPLIANCE = {"customers/data_request", "customers/redact", "shop/redact"}


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return tomllib.loads((ROOT / "shopify.app.toml").read_text(encoding="utf-8"))


def topics(config: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for subscription in config["webhooks"]["subscriptions"]:
        found += subscription.get("topics", []) + subscription.get("compliance_topics", [])
    return found


def test_every_topic_has_a_handler_and_every_handler_a_topic(config: dict[str, Any]) -> None:
    from app.factory import load_domains

    load_domains()
    assert set(topics(config)) == inbox.registered_topics()


def test_topics_are_declared_once_and_go_to_one_address(config: dict[str, Any]) -> None:
    declared = topics(config)
    assert len(declared) == len(set(declared))
    assert {subscription["uri"] for subscription in config["webhooks"]["subscriptions"]} == {
        "/v1/api/shopify/webhook"
    }


def test_compliance_topics_are_declared_as_such(config: dict[str, Any]) -> None:
    declared = [s.get("compliance_topics", []) for s in config["webhooks"]["subscriptions"]]
    assert {topic for listed in declared for topic in listed} == COMPLIANCE


def test_the_module_named_beside_a_topic_handles_it(config: dict[str, Any]) -> None:
    text = (ROOT / "shopify.app.toml").read_text(encoding="utf-8")
    named = re.findall(r"^\[\[webhooks\.subscriptions\]\](?: # (\S+))?$", text, re.MULTILINE)
    for path, subscription in zip(named, config["webhooks"]["subscriptions"], strict=True):
        source = (ROOT / path).read_text(encoding="utf-8")
        for topic in subscription.get("topics", []) + subscription.get("compliance_topics", []):
            assert f'"{topic}"' in source, f"{path} does not mention {topic}"


def test_one_version_of_the_api(config: dict[str, Any]) -> None:
    assert config["webhooks"]["api_version"] == Settings.model_fields["shopify_api_version"].default
    assert (
        (ROOT / "app" / "shopify" / "graphql" / "schema.graphql")
        .read_text()
        .startswith(f"# Made by scripts/prune_schema.py from admin_{config['webhooks']['api_version']}")
    )


def test_addresses_are_https_and_ours(config: dict[str, Any]) -> None:
    origin = config["application_url"].removesuffix("/app")
    assert origin.startswith("https://") and config["embedded"] is True
    assert config["auth"]["redirect_urls"] == [origin + oauth.CALLBACK_PATH]
    assert config["app_proxy"] == {"url": origin + "/proxy", "prefix": "apps", "subpath": "loyalnest"}
    assert id_tokens.BOUNCE_PATH.startswith("/app/")


def test_scopes_are_asked_for_once_and_managed_installation_stays(config: dict[str, Any]) -> None:
    required = config["access_scopes"]["scopes"].split(",")
    optional = config["access_scopes"]["optional_scopes"]
    assert len(set(required + optional)) == len(required + optional)
    assert "write_app_proxy" in required and "read_customers" in required
    assert not {
        scope for scope in required if "gift_card" in scope or "store_credit" in scope or "theme" in scope
    }
    assert "use_legacy_install_flow" not in config["access_scopes"]


def test_names_fit_shopifys_limits(config: dict[str, Any]) -> None:
    assert len(config["name"]) <= 30
    assert re.fullmatch(r"[a-z0-9-]+", config["handle"])
    web = tomllib.loads((ROOT / "shopify.web.toml").read_text(encoding="utf-8"))
    assert web["webhooks_path"] == "/v1/api/shopify/webhook"

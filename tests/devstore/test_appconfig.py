from devstore import appconfig
from devstore.settings import ROOT


def test_topics_lead_to_the_app_on_this_machine(store):
    (subscription,) = store.app.subscribed("shop/redact")
    assert (
        appconfig.resolve(subscription.uri, "http://127.0.0.1:9")
        == "http://127.0.0.1:9/v1/api/shopify/webhook"
    )
    assert store.app.subscribed("themes/publish") == []


def test_without_a_file_everything_is_subscribed(tmp_path, caplog):
    config = appconfig.load(tmp_path / "missing.toml")
    assert config.subscribed("anything")[0].uri == appconfig.DEFAULT_URI
    assert "missing" in caplog.text


def test_the_apps_own_file_can_be_read():
    config = appconfig.load(ROOT / "shopify.app.toml")
    assert config.subscribed("orders/paid") and "read_orders" in config.scopes
    assert config.proxy_path.startswith("/") and config.application_path.startswith("/")

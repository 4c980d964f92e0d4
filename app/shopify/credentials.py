"""The app's own key and secrets, in the shapes the protocols want."""

from shopify_app import AppConfig

from app.core.settings import get_settings


def secrets() -> tuple[bytes, ...]:
    """Secrets that may have signed an incoming request: the present one and, during a rotation, the one before."""
    settings = get_settings()
    found = [settings.shopify_api_secret.get_secret_value()]
    if settings.shopify_api_secret_old is not None:
        found.append(settings.shopify_api_secret_old.get_secret_value())
    # An empty secret would make every signature forgeable.
    return tuple(secret.encode() for secret in found if secret)


def app_config() -> AppConfig:
    """What the official package wants to know."""
    settings = get_settings()
    old = settings.shopify_api_secret_old
    return AppConfig(
        client_id=settings.shopify_api_key,
        client_secret=settings.shopify_api_secret.get_secret_value(),
        old_client_secret=(old.get_secret_value() or None) if old else None,
    )

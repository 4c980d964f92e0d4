"""Configuration: one typed object built from the environment, failing loudly at start."""

import base64
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def _thirty_two_bytes(value: SecretStr) -> SecretStr:
    try:
        raw = base64.b64decode(value.get_secret_value(), validate=True)
    except ValueError:
        raise ValueError("must be base64") from None
    if len(raw) != 32:
        raise ValueError("must be 32 bytes, base64 encoded")
    return value


class Settings(BaseSettings):
    """Every environment variable the application reads; `.env.example` lists the same names."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    environment: Literal["development", "production"] = "production"
    app_url: str = Field(description="Public https origin of the application, without a trailing slash")
    database_url: str = Field(
        description="PostgreSQL URL of the application role: neither owner nor superuser"
    )
    database_owner_url: str = Field(
        default="", description="PostgreSQL URL for migrations; DATABASE_URL when empty"
    )
    redis_url: str = Field(description="Redis or Valkey URL; never the only place of a fact")
    master_key: Annotated[SecretStr, AfterValidator(_thirty_two_bytes)]
    shopify_api_key: str
    shopify_api_secret: SecretStr
    shopify_api_secret_old: SecretStr | None = None
    shopify_api_version: str = "2026-10"
    shopify_connect_to: str = Field(
        default="", description="Origin that answers for *.myshopify.com; empty for Shopify"
    )
    shopify_admin_origin: str = "https://admin.shopify.com"
    shopify_app_bridge_url: str = "https://cdn.shopify.com/shopifycloud/app-bridge.js"
    smtp_url: str = Field(default="", description="smtp://[user:password@]host:port; empty stops sending")
    mail_from: str = "LoyalNest <no-reply@loyalnest.example>"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    database_pool_size: int = Field(default=8, ge=1, le=64, description="Connections per process")
    inbox_retention_days: int = Field(default=30, ge=2, description="How long handled webhooks are kept")

    @model_validator(mode="after")
    def _strip(self) -> "Settings":
        object.__setattr__(self, "app_url", self.app_url.rstrip("/"))
        object.__setattr__(self, "shopify_connect_to", self.shopify_connect_to.rstrip("/"))
        return self

    @property
    def shopify_stand_in(self) -> str:
        """Origin where a developer's browser finds a shop's own pages; empty for Shopify, and always in production."""
        return self.shopify_connect_to if self.environment == "development" else ""

    @property
    def owner_url(self) -> str:
        """The URL that owns the schema."""
        return self.database_owner_url or self.database_url

    @property
    def master_key_bytes(self) -> bytes:
        """The 32 bytes that wrap each shop's data key."""
        return base64.b64decode(self.master_key.get_secret_value())


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()

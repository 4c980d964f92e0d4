"""The environment of the application's processes, built from a data folder and the person's own variables."""

import os
from dataclasses import dataclass

from dev.data import DataFolder
from dev.services import Services

DEMO_SHOP = "loyalnest-demo.myshopify.com"
DEFAULT_PORT = 8400
OVERRIDABLE = (
    *(
        "ENVIRONMENT",
        "APP_URL",
        "MASTER_KEY",
        "SHOPIFY_API_KEY",
        "SHOPIFY_API_SECRET",
        "SHOPIFY_API_SECRET_OLD",
    ),
    *("SHOPIFY_API_VERSION", "SHOPIFY_CONNECT_TO", "SHOPIFY_ADMIN_ORIGIN", "SHOPIFY_APP_BRIDGE_URL"),
    *("SMTP_URL", "MAIL_FROM", "LOG_LEVEL", "DATABASE_POOL_SIZE", "INBOX_RETENTION_DAYS"),
)


@dataclass(frozen=True)
class Ports:
    """The five neighbouring ports of one installation."""

    app: int = DEFAULT_PORT

    @property
    def devstore(self) -> int:
        return self.app + 1

    @property
    def postgres(self) -> int:
        return self.app + 2

    @property
    def valkey(self) -> int:
        return self.app + 3

    @property
    def smtp(self) -> int:
        return self.app + 4

    @property
    def app_url(self) -> str:
        return f"http://127.0.0.1:{self.app}"

    @property
    def devstore_url(self) -> str:
        return f"http://127.0.0.1:{self.devstore}"


def inherited() -> dict[str, str]:
    """The person's environment without what would leak from this program into its children."""
    dropped = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "GUNICORN_CMD_ARGS"}
    return {name: value for name, value in os.environ.items() if name not in dropped}


def application(data: DataFolder, ports: Ports, services: Services) -> dict[str, str]:
    """Variables of web, worker, cron and operator commands. What the person set wins over what is generated."""
    generated = {
        "ENVIRONMENT": "development",
        "APP_URL": ports.app_url,
        "MASTER_KEY": data.secrets["master_key"],
        "SHOPIFY_API_KEY": data.secrets["shopify_api_key"],
        "SHOPIFY_API_SECRET": data.secrets["shopify_api_secret"],
        "SHOPIFY_CONNECT_TO": ports.devstore_url,
        "SHOPIFY_ADMIN_ORIGIN": ports.devstore_url,
        "SHOPIFY_APP_BRIDGE_URL": f"{ports.devstore_url}/app-bridge.js",
        "SMTP_URL": f"smtp://127.0.0.1:{ports.smtp}",
        "LOG_LEVEL": "INFO",
    }
    chosen = {name: os.environ[name] for name in OVERRIDABLE if os.environ.get(name)}
    fixed = {
        "DATABASE_URL": services.database.application,
        "DATABASE_OWNER_URL": services.database.owner,
        "REDIS_URL": services.redis_url,
        "PYTHONUNBUFFERED": "1",
    }
    return {**inherited(), **generated, **chosen, **fixed}

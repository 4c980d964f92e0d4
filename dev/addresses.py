"""The addresses of a running installation, for people (a table) and for programs (`addresses.json`)."""

import json
from dataclasses import dataclass

from dev.data import DataFolder, write_private
from dev.environment import DEMO_SHOP, Ports

_HANDLE = DEMO_SHOP.removesuffix(".myshopify.com")
STAFF_HINT = "open it: you are Maya, the owner; become Owen, a manager, at the top right"
SHOPPER_HINT = (
    "sign in at /account/login as Noura (ar), Camille (fr), Ana (es), Yael (he) or Grace (en); no password"
)


@dataclass(frozen=True)
class Addresses:
    """Where everything is. The database URL is the application role's."""

    ports: Ports
    environment: dict[str, str]

    @property
    def as_json(self) -> dict[str, str]:
        """The content of addresses.json."""
        store = self.ports.devstore_url
        return {
            "app": self.environment["APP_URL"],
            "admin": f"{store}/admin/store/{_HANDLE}",
            "storefront": f"{store}/store/{_HANDLE}/",
            "mailbox": f"{store}/mailbox",
            "devstore": store,
            "shop": DEMO_SHOP,
            "api_key": self.environment["SHOPIFY_API_KEY"],
            "api_secret": self.environment["SHOPIFY_API_SECRET"],
            "database_url": self.environment["DATABASE_URL"],
            "database_owner_url": self.environment["DATABASE_OWNER_URL"],
            "redis_url": self.environment["REDIS_URL"],
            "admin_sign_in": STAFF_HINT,
            "storefront_sign_in": SHOPPER_HINT,
        }

    def write(self, data: DataFolder) -> None:
        """Replace addresses.json in one step; it holds secrets, so only its owner reads it."""
        write_private(data.addresses, json.dumps(self.as_json, indent=2) + "\n")

    def table(self, data: DataFolder) -> str:
        """The table for the terminal."""
        known = self.as_json
        rows = [
            ("admin", known["admin"], STAFF_HINT),
            ("storefront", known["storefront"], SHOPPER_HINT),
            ("app", known["app"], "ready: /readyz, alive: /healthz"),
            ("mailbox", known["mailbox"], "every e-mail, SMS and call that the app sends"),
            ("data", str(data.path), "all addresses and keys: addresses.json; logs: logs/"),
        ]
        wide = max(len(address) for _, address, _ in rows)
        lines = [f"  {name:<11}{address:<{wide}}  {hint}" for name, address, hint in rows]
        return "\n".join(["", *lines, "", "  Ctrl-C stops everything; the data stays.", ""])

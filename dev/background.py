"""`services`: PostgreSQL and Valkey in the background, for work without the rest."""

import argparse
import shlex

from dev.data import resolve
from dev.services import LocalServices


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the verb."""
    verb = verbs.add_parser("services", help="start or stop PostgreSQL and Valkey in the background")
    verb.add_argument("--data", help="data folder (default: $LOYALNEST_DATA or .data)")
    verb.add_argument(
        "--port", type=int, help="port of PostgreSQL; Valkey takes the next one (default: free ones)"
    )
    verb.add_argument("--stop", action="store_true", help="stop them")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Start and print shell lines that export the addresses, or stop."""
    data = resolve(options.data)
    data.prepare()
    local = LocalServices(data)
    with data.locked("services"):
        if options.stop:
            local.stop()
            return 0
        local.start_detached(options.port, options.port and options.port + 1)
        services = local.connect()
    exports = {
        "DATABASE_URL": services.database.application,
        "DATABASE_OWNER_URL": services.database.owner,
        "REDIS_URL": services.redis_url,
        "MASTER_KEY": data.secrets["master_key"],
        "SHOPIFY_API_KEY": data.secrets["shopify_api_key"],
        "SHOPIFY_API_SECRET": data.secrets["shopify_api_secret"],
    }
    for name, value in exports.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0

"""Fills a new installation through the dev store, the way a merchant would: the demo shop installs the app."""

import argparse
import json

import httpx

from dev.data import resolve
from dev.environment import DEMO_SHOP
from dev.failure import Refused


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the verb."""
    verb = verbs.add_parser("seed", help="install the demo shop in the running installation (up does it)")
    verb.add_argument("--data", help="data folder (default: $LOYALNEST_DATA or .data)")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Seed the installation that runs on the data folder."""
    data = resolve(options.data)
    if not data.addresses.exists():
        raise Refused("Nothing runs on this data folder; start it with ./dev.sh up.")
    seed(json.loads(data.addresses.read_text())["devstore"])
    return 0


def seed(devstore_url: str, shop: str = DEMO_SHOP) -> None:
    """Install the app in the shop; a second time changes nothing. Raises Refused when the app does not take it."""
    address = f"{devstore_url}/_control/app/install"
    try:
        answer = httpx.post(address, json={"shop": shop}, timeout=30, trust_env=False)
    except httpx.HTTPError as error:
        raise Refused(f"The dev store does not answer at {devstore_url}: {type(error).__name__}.") from error
    if answer.status_code >= 400:
        raise Refused(f"The dev store did not install {shop}: {answer.text[:200]}")
    opened = answer.json().get("app") or {}
    status = opened.get("status")
    if status is None or status >= 400:
        raise Refused(f"The app did not open in {shop}: {status or opened.get('error')}; see the web log.")

"""The panel in a browser: a dev store that renders it, and an app proxy whose answers the test decides."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright
from werkzeug.serving import make_server

from dev.browser import ensure_chromium
from devstore import customers, installs, runtime, shops
from devstore.app import create_app
from devstore.pages import people
from devstore.runtime import DevStore
from devstore.settings import DEMO_SHOP
from tests.devstore.conftest import settings_for

ROOT = "/store/loyalnest-demo"
APP = "http://127.0.0.1:28400"
# Pages that a test answers itself count as public ones, which may not load scripts from this machine otherwise.
_FLAGS = ["--no-sandbox", "--disable-features=LocalNetworkAccessChecks"]
FIRST, SECOND = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def member_summary(**changes: Any) -> dict[str, Any]:
    """What the app answers about a member who can afford the first of two rewards."""
    rewards = [
        {
            "id": FIRST,
            "name": "Free shipping",
            "description": "",
            "points": 300,
            "missing": 0,
            "redeemable": True,
            "price_text": "300 points",
            "confirm_text": "Use 300 points for Free shipping?",
            "note": None,
        },
        {
            "id": SECOND,
            "name": "<img src=x onerror=alert(1)>",
            "description": "",
            "points": 5000,
            "missing": 4000,
            "redeemable": False,
            "price_text": "5,000 points",
            "confirm_text": "",
            "note": "4,000 more points needed",
        },
    ]
    given: dict[str, Any] = {
        "version": "1-a",
        "state": "member",
        "language": "en",
        "program": "Rewards",
        "balance": {
            "available": 1000,
            "pending": 0,
            "debt": 0,
            "available_text": "1,000 points",
            "sentence": "You have 1,000 points.",
            "pending_text": None,
            "debt_text": None,
            "expiring_text": None,
        },
        "tier": {
            "name": "Bronze",
            "color": "#a8622d",
            "next_name": "Silver",
            "needed": 500,
            "progress_percent": 50,
            "progress_text": "500 more points to reach Silver",
        },
        "cards": [],
        "rewards": rewards,
        "codes": [],
        "earning": [{"text": "10 points for every $1 spent"}],
        "activity": [
            {
                "id": "entry",
                "points": 1000,
                "points_text": "+1,000",
                "reason": "1,000 points for joining.",
                "created_at": "2026-11-21T00:00:00Z",
                "date_text": "November 21, 2026",
            }
        ],
    }
    return {**given, **changes}


def guest_summary() -> dict[str, Any]:
    """What the app answers to somebody who is not logged in."""
    rewards = [{**reward, "redeemable": False, "missing": 0} for reward in member_summary()["rewards"]]
    return member_summary(state="guest", balance=None, tier=None, activity=[], rewards=rewards)


@dataclass
class Proxy:
    """The app behind the proxy. `plan` holds answers to be given first, by path: (status, body) or None for none."""

    summary: dict[str, Any] = field(default_factory=member_summary)
    plan: dict[str, list[tuple[int, Any] | None]] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def serve(self, route: Route) -> None:
        """Answer one request."""
        request = route.request
        path = request.url.split("/apps/loyalnest/")[1].split("?")[0]
        self.asked.append(
            (request.method, path, json.loads(request.post_data) if request.post_data else None)
        )
        planned = self.plan.get(path.split("/")[0], [])
        answer = planned.pop(0) if planned else (200, self.summary)
        if answer is None:
            route.abort("connectionreset")
        else:
            route.fulfill(status=answer[0], json=answer[1])

    def keys(self) -> list[str]:
        """The idempotency keys that were sent."""
        return [body["idempotency_key"] for method, _, body in self.asked if method == "POST"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=ensure_chromium(), args=_FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def shop_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevStore]:
    """A dev store with the demo shop and its shoppers."""
    folder: Path = tmp_path_factory.mktemp("devstore")
    store = runtime.start(settings_for(folder, app_url=APP))
    shops.seed(store)
    installs.install(store, DEMO_SHOP)
    people.seed_shoppers(store, DEMO_SHOP)
    yield store
    store.state.close()


@pytest.fixture(scope="session")
def origin(shop_store: DevStore) -> Iterator[str]:
    """The address at which the dev store serves."""
    server = make_server("127.0.0.1", 0, create_app(shop_store), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def proxy() -> Proxy:
    """The app's answers in this test."""
    return Proxy()


Open = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, origin: str, shop_store: DevStore, proxy: Proxy) -> Iterator[Open]:
    """Opens the storefront: visit("/", who="Noura", width=320). Script errors fail the test."""
    contexts, problems = [], []

    def go(path: str = "/", *, who: str | None = None, width: int = 1000, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        context.set_default_timeout(5_000)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.route("**/apps/loyalnest/**", proxy.serve)
        if who:
            known = customers.by_email(shop_store, DEMO_SHOP, people.email_of(who))
            assert known is not None
            context.request.post(f"{origin}{ROOT}/account/login", form={"customer": str(known["id"])})
        page.goto(f"{origin}{ROOT}{path}")
        return page

    yield go
    for context in contexts:
        context.close()
    assert problems == []

"""The running product and a browser in front of it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dev.browser import ensure_chromium
from dev.data import REPOSITORY
from dev.translations import compile_catalogs
from tests.conftest import _truncation
from tests.e2e.desk import WIDE, Arrive, resize
from tests.e2e.merchant import Merchant
from tests.e2e.pictures import Album
from tests.e2e.stack import PATIENCE, Stack, running
from tests.e2e.watch import Watch

_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


def _emptied(owner_url: str, redis_url: str) -> None:
    statement = _truncation(owner_url)
    assert statement is not None
    with psycopg.connect(owner_url) as connection:
        connection.execute(statement)
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, database_url: str, database_owner_url: str, redis_url: str
) -> Iterator[Stack]:
    """Everything that runs in production, on this worker's database. It ends with the module: tests that follow
    on the same database must not meet our workers."""
    compile_catalogs()
    _emptied(database_owner_url, redis_url)
    services = {
        "DATABASE_URL": database_url,
        "DATABASE_OWNER_URL": database_owner_url,
        "REDIS_URL": redis_url,
    }
    with running(tmp_path_factory.mktemp("stack"), services) as started:
        yield started
    _emptied(database_owner_url, redis_url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium."""
    expect.set_options(timeout=PATIENCE * 1000)
    chromium = os.environ.get("CHROMIUM_PATH") or ensure_chromium()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        yield launched
        launched.close()
    expect.set_options(timeout=5_000)


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fails the test for problems that no step noticed."""
    watching = Watch()
    yield watching
    watching.check()


Visit = Callable[[], Page]


@pytest.fixture
def visit(browser: Browser, watch: Watch) -> Iterator[Visit]:
    """Opens a window of a person of their own: cookies are not shared with other windows."""
    contexts = []

    def arrive() -> Page:
        context = browser.new_context(viewport={"width": 1360, "height": 1000}, reduced_motion="reduce")
        context.set_default_timeout(PATIENCE * 1000)
        watch.over(context)
        contexts.append(context)
        return context.new_page()

    yield arrive
    for context in contexts:
        context.close()


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Path:
    """An empty folder for the pictures of one test."""
    folder: Path = REPOSITORY / "artifacts" / "e2e" / request.node.name.replace("[", "-").strip("]")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    return folder


@pytest.fixture
def arrive(stack: Stack, shop: str, visit: Visit, pictures: Path) -> Arrive:
    """Opens a place of the app as the owner of the module's shop, in a window and language of their own."""

    def open_app(path: str = "", locale: str = "en") -> Merchant:
        merchant = Merchant(visit(), stack, shop, locale, Album(pictures, locale))
        resize(merchant, WIDE)
        merchant.choose_language()
        merchant.open(path)
        return merchant

    return open_app

"""What the cases need: a shop with members, servers of this product and of the reference, bodies to send."""

import base64
import hashlib
import hmac
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import orjson
import psycopg

from app.core import ids
from app.core.db import cross_shop, unit_of_work
from app.core.settings import get_settings
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.shops.events import ShopInstalled
from benchmarks import reference

DOMAIN = "benchmark.myshopify.com"
MEMBERS = 1_000


@dataclass(frozen=True)
class World:
    """The shop that is measured and its members, in the order of their customer ids 1 to MEMBERS."""

    shop_id: UUID
    members: list[UUID]


def build() -> World:
    """Install a shop with the default program, enroll members, make the reference's tables."""
    shop_id = ids.new_id()
    with cross_shop("benchmark") as uow:
        uow.execute(
            "INSERT INTO shop_directory (domain, shop_id) VALUES (%(domain)s, %(shop)s)",
            {"domain": DOMAIN, "shop": shop_id},
        )
    with unit_of_work(shop_id) as uow:
        uow.execute(
            "INSERT INTO shops (shop_id, domain, installed_at) VALUES (%(shop)s, %(domain)s, now())",
            {"shop": shop_id, "domain": DOMAIN},
        )
        uow.publish([ShopInstalled(shop_id, DOMAIN, "USD", again=False)])
    with unit_of_work(shop_id) as uow:
        found = members.enroll(uow, [Person(number) for number in range(1, MEMBERS + 1)])
    with psycopg.connect(get_settings().owner_url, autocommit=True) as owner:
        owner.execute("SELECT set_config('app.cross_shop', 'on', false)")
        owner.execute(reference.TABLES)
        owner.execute(
            "INSERT INTO reference.accounts (shop_id, member_id) SELECT shop_id, id FROM members WHERE shop_id = %s",
            (shop_id,),
        )
        owner.execute("GRANT USAGE ON SCHEMA reference TO PUBLIC")
        owner.execute("GRANT ALL ON ALL TABLES IN SCHEMA reference TO PUBLIC")
        owner.execute("ANALYZE")
    return World(shop_id, [found[number].id for number in range(1, MEMBERS + 1)])


def order_body(order_id: int, customer_id: int) -> bytes:
    """A paid order of two lines, about as large as a small one of Shopify's (2.8 kB)."""
    lines = [
        {
            "id": order_id * 10 + number,
            "title": f"Item {number}",
            "sku": f"SKU-{number}",
            "quantity": 1,
            "current_quantity": 1,
            "price": price,
            "price_set": {"shop_money": {"amount": price, "currency_code": "USD"}},
            "gift_card": False,
            "discount_allocations": [],
            "tax_lines": [],
            "vendor": "LoyalNest",
            "properties": [],
            "name": "x" * 500,
        }
        for number, price in enumerate(("100.00", "29.90"))
    ]
    return orjson.dumps(
        {
            "id": order_id,
            "name": f"#{order_id}",
            "currency": "USD",
            "financial_status": "paid",
            "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-21T10:00:00Z",
            "customer": {"id": customer_id, "first_name": "Grace", "last_name": "Hopper"},
            "customer_locale": "en",
            "discount_codes": [],
            "line_items": lines,
            "refunds": [],
            "note": "y" * 600,
        }
    )


@lru_cache(maxsize=1)
def _same_body() -> tuple[bytes, str]:
    body = order_body(1, 1)
    return body, sign(body)


def sign(body: bytes) -> str:
    """Shopify's signature of a body."""
    secret = get_settings().shopify_api_secret.get_secret_value().encode()
    return base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()


def webhook_request(
    number: int, body: bytes | None = None, triggered_at: str = "2026-11-21T10:00:00Z"
) -> bytes:
    """One HTTP request with its own webhook id; without a body every request carries the same order."""
    signature = sign(body) if body is not None else _same_body()[1]
    body = body if body is not None else _same_body()[0]
    return (
        f"POST /v1/api/shopify/webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-Shopify-Topic: orders/paid\r\nX-Shopify-Hmac-Sha256: {signature}\r\n"
        f"X-Shopify-Shop-Domain: {DOMAIN}\r\nX-Shopify-API-Version: 2026-10\r\n"
        f"X-Shopify-Webhook-Id: bench-{number}\r\nX-Shopify-Event-Id: bench-{number}\r\n"
        f"X-Shopify-Triggered-At: {triggered_at}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(target: str, **variables: str) -> Iterator[tuple[int, int]]:
    """A gunicorn of 2 workers and 4 threads on a free port, with further variables. Gives (port, process id)."""
    port = free_port()
    environment = dict(os.environ, REFERENCE_DATABASE_URL=get_settings().database_url, **variables)
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "-k", "gthread", "-w", "2", "--threads", "4",
         "--keep-alive", "30", "--log-level", "error", target],
        env=environment,
    )  # fmt: skip
    try:
        _wait(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=15)


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server did not start")


def settle() -> None:
    """Let the database finish what earlier rounds left behind, so that no round pays for another one's rows."""
    with psycopg.connect(get_settings().owner_url, autocommit=True) as owner:
        owner.execute("VACUUM ANALYZE")


def database_process() -> int:
    """Process id of the PostgreSQL server, when it runs on this machine."""
    with psycopg.connect(get_settings().owner_url, autocommit=True) as owner:
        backend = owner.execute("SELECT pg_backend_pid()").fetchone()
        with open(f"/proc/{backend[0]}/stat") as file:  # type: ignore[index]
            return int(file.read().rpartition(")")[2].split()[1])

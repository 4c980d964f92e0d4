"""Webhooks: queued in the same transaction as what they tell, sent by threads, tried again as Shopify does."""

import json
import logging
import random
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from sqlite3 import Row
from typing import Any

import httpx

from devstore import appconfig, signatures, times
from devstore.appconfig import Subscription
from devstore.runtime import DevStore
from devstore.settings import API_VERSION
from devstore.state import Doc

log = logging.getLogger(__name__)

MORE_ATTEMPTS = 8
_SPAN_SECONDS = 4 * 3600
_SENDERS = 4
_IDLE_SECONDS = 0.25


def wait_before(attempt: int, speed: float) -> float:
    """Seconds between attempt number `attempt` (from 1) and the next: doubling, 4 h in all, divided by speed."""
    return float(_SPAN_SECONDS / (2**MORE_ATTEMPTS - 1) * 2.0 ** (attempt - 1) / speed)


def publish(
    store: DevStore,
    shop: str,
    told: Mapping[str, Doc],
    event_id: str | None = None,
    *,
    force: bool = False,
) -> list[int]:
    """Queue one happening, told by one or several topics with one event id. Returns the ids of the deliveries.

    Only subscribed topics of installed shops go out; `force` sends to a shop that has just been left.
    """
    installed = store.state.by_key("shop", "", shop)
    if not force and not (installed and installed["installed_at"]):
        return []
    event, ids = event_id or str(uuid.uuid4()), []
    with store.state.transaction():
        for topic, payload in told.items():
            for subscription in store.app.subscribed(topic):
                delivery = _queue(store, shop, subscription, payload, event)
                if delivery is not None:
                    ids.append(delivery)
    store.bell.set()
    return ids


def send_anything(store: DevStore, shop: str, topic: str, payload: Any) -> int:
    """Queue any payload under any topic, signed, whether subscribed or not. Returns the id of the delivery."""
    subscription = (store.app.subscribed(topic) or [Subscription(topic, appconfig.DEFAULT_URI)])[0]
    delivery = _insert(store, shop, subscription, payload, _Happening(str(uuid.uuid4()), time.time()))
    store.bell.set()
    return delivery


def replay(store: DevStore, id: int) -> bool:
    """Send a delivery once more, with the same webhook id; false when it is unknown."""
    changed = store.state.changed(
        "UPDATE deliveries SET state = 'pending', due = ? WHERE id = ?",
        (time.time(), id),
    )
    store.bell.set()
    return changed > 0


def pending(store: DevStore, shop: str | None = None) -> int:
    """How many deliveries are still to be sent or sent again."""
    rows = store.state.run(
        "SELECT count(*) AS n FROM deliveries WHERE state IN ('pending', 'sending') AND (? IS NULL OR shop = ?)",
        (shop, shop),
    )
    return int(rows[0]["n"])


def deliveries(
    store: DevStore,
    shop: str | None,
    *,
    topic: str | None = None,
    state: str | None = None,
    limit: int = 100,
) -> list[Doc]:
    """The newest deliveries, newest first, without their bodies."""
    rows = store.state.run(
        "SELECT * FROM deliveries WHERE (?1 IS NULL OR shop = ?1) AND (?2 IS NULL OR topic = ?2)"
        " AND (?3 IS NULL OR state = ?3) ORDER BY id DESC LIMIT ?4",
        (shop, topic, state, limit),
    )
    return [_shown(row) for row in rows]


def delivery(store: DevStore, id: int) -> Doc | None:
    """One delivery with its payload."""
    rows = store.state.run("SELECT * FROM deliveries WHERE id = ?", (id,))
    return {**_shown(rows[0]), "payload": json.loads(rows[0]["body"])} if rows else None


def _shown(row: Row) -> Doc:
    fields = (
        "id",
        "shop",
        "topic",
        "url",
        "webhook_id",
        "event_id",
        "triggered_at",
        "state",
        "about",
    )
    return {
        **{field: row[field] for field in fields},
        "attempts": json.loads(row["tries"]),
    }


def _queue(store: DevStore, shop: str, subscription: Subscription, payload: Doc, event: str) -> int | None:
    if store.faults.strike("webhooks", shop, subscription.topic, "drop"):
        return None
    if subscription.include_fields:
        payload = {key: payload[key] for key in subscription.include_fields if key in payload}
    due = time.time()
    late = store.faults.strike("webhooks", shop, subscription.topic, "delay", "reorder")
    if late is not None:
        due += late.delay if late.kind == "delay" else random.uniform(0, late.delay)
    return _insert(store, shop, subscription, payload, _Happening(event, due))


@dataclass(frozen=True)
class _Happening:
    """The event that several deliveries share, and when (epoch seconds) they are due."""

    event_id: str
    due: float


def _insert(
    store: DevStore, shop: str, subscription: Subscription, payload: Any, happening: _Happening
) -> int:
    about = payload.get("admin_graphql_api_id") if isinstance(payload, dict) else None
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    rows = store.state.run(
        "INSERT INTO deliveries (shop, topic, name, url, webhook_id, event_id, triggered_at, body, state, due, about)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?) RETURNING id",
        (
            shop,
            subscription.topic,
            subscription.name,
            appconfig.resolve(subscription.uri, store.settings.app_url),
            str(uuid.uuid4()),
            happening.event_id,
            times.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            body,
            happening.due,
            about,
        ),
    )
    return int(rows[0]["id"])


class Senders:
    """Threads that send what is due. Start once per process; `stop` returns within a second or leaves them behind."""

    def __init__(self, store: DevStore) -> None:
        self._store = store
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"webhooks-{number}", daemon=True)
            for number in range(_SENDERS)
        ]

    def start(self) -> None:
        """Begin to send; what was on its way when the dev store stopped is sent again."""
        self._store.state.run("UPDATE deliveries SET state = 'pending' WHERE state = 'sending'")
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take no more work."""
        self._stopping.set()
        self._store.bell.set()
        for thread in self._threads:
            thread.join(0.2)

    def _work(self) -> None:
        limits = httpx.Limits(max_keepalive_connections=4)
        with httpx.Client(timeout=httpx.Timeout(5.0, connect=1.0), trust_env=False, limits=limits) as client:
            while not self._stopping.is_set():
                row = self._claim()
                if row is None:
                    self._store.bell.wait(_IDLE_SECONDS)
                    self._store.bell.clear()
                    continue
                try:
                    self._deliver(client, row)
                except Exception:
                    log.exception("delivery %s broke", row["id"])
                    self._store.state.run(
                        "UPDATE deliveries SET state = 'failed' WHERE id = ?",
                        (row["id"],),
                    )

    def _claim(self) -> Row | None:
        rows = self._store.state.run(
            "UPDATE deliveries SET state = 'sending' WHERE id = (SELECT id FROM deliveries"
            " WHERE state = 'pending' AND due <= ? ORDER BY due, id LIMIT 1) RETURNING *",
            (time.time(),),
        )
        return rows[0] if rows else None

    def _deliver(self, client: httpx.Client, row: Row) -> None:
        faults = self._store.faults
        if faults.strike("webhooks", row["shop"], row["topic"], "duplicate"):
            twin = threading.Thread(target=_attempt, args=(self._store, client, row), daemon=True)
            twin.start()
        outcome = _attempt(self._store, client, row)
        tries = [*json.loads(row["tries"]), outcome]
        if outcome["status"] is not None and 200 <= outcome["status"] < 300:
            state, due = "delivered", row["due"]
        elif len(tries) > MORE_ATTEMPTS:
            state, due = "failed", row["due"]
        else:
            state = "pending"
            due = time.time() + wait_before(len(tries), self._store.settings.retry_speed)
        self._store.state.run(
            "UPDATE deliveries SET state = ?, due = ?, tries = ? WHERE id = ?",
            (state, due, json.dumps(tries), row["id"]),
        )


def headers(store: DevStore, row: Row, signature: str) -> dict[str, str]:
    """The headers that Shopify puts on a delivery."""
    named = {"X-Shopify-Name": row["name"]} if row["name"] else {}
    return {
        "Content-Type": "application/json",
        "User-Agent": "Shopify-Captain-Hook",
        "X-Shopify-Topic": row["topic"],
        "X-Shopify-Hmac-Sha256": signature,
        "X-Shopify-Shop-Domain": row["shop"],
        "X-Shopify-API-Version": API_VERSION,
        "X-Shopify-Webhook-Id": row["webhook_id"],
        "X-Shopify-Event-Id": row["event_id"],
        "X-Shopify-Triggered-At": row["triggered_at"],
        **named,
    }


def _attempt(store: DevStore, client: httpx.Client, row: Row) -> Doc:
    signature = signatures.webhook(store.settings.api_secret, row["body"])
    if store.faults.strike("webhooks", row["shop"], row["topic"], "bad_signature"):
        signature = signatures.webhook("another secret", row["body"])
    started, at = time.monotonic(), times.stamp()
    try:
        with client.stream(
            "POST",
            row["url"],
            content=row["body"],
            headers=headers(store, row, signature),
        ) as answer:
            status: int | None = answer.status_code
            answer.read()
            error = None
    except httpx.HTTPError as failure:
        status, error = None, type(failure).__name__
    return {
        "at": at,
        "status": status,
        "error": error,
        "ms": round(1000 * (time.monotonic() - started)),
    }

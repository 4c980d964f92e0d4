"""The dev store's memory: one SQLite file of JSON documents, plus tables for tokens, deliveries and messages."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

_TABLES = """
CREATE TABLE IF NOT EXISTS docs (
  kind TEXT NOT NULL, shop TEXT NOT NULL, id INTEGER NOT NULL, key TEXT, doc TEXT NOT NULL,
  PRIMARY KEY (kind, shop, id));
CREATE UNIQUE INDEX IF NOT EXISTS docs_by_key ON docs (kind, shop, key) WHERE key IS NOT NULL;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS access_tokens (
  token TEXT PRIMARY KEY, shop TEXT NOT NULL, scope TEXT NOT NULL, mode TEXT NOT NULL, expires REAL);
CREATE TABLE IF NOT EXISTS refresh_tokens (
  token TEXT PRIMARY KEY, shop TEXT NOT NULL, parent TEXT, expires REAL NOT NULL, first_used REAL,
  superseded INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS codes (
  code TEXT PRIMARY KEY, shop TEXT NOT NULL, scope TEXT NOT NULL, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY, shop TEXT NOT NULL, topic TEXT NOT NULL, name TEXT NOT NULL, url TEXT NOT NULL,
  webhook_id TEXT NOT NULL, event_id TEXT NOT NULL, triggered_at TEXT NOT NULL, body BLOB NOT NULL,
  state TEXT NOT NULL, due REAL NOT NULL, tries TEXT NOT NULL DEFAULT '[]', about TEXT);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due);
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, received_at TEXT NOT NULL,
  recipients TEXT NOT NULL, doc TEXT NOT NULL);
"""


class State:
    """Documents by kind, shop and id. Safe from any thread: one connection behind one lock."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_TABLES)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are kept together or not at all; an inner one joins the outer one."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Run one statement and return its rows."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def changed(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one statement and return how many rows it touched."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def next_id(self, name: str = "id") -> int:
        """A new number, unlike any before it. The first is taken from the clock, so that an emptied dev store
        does not reuse the ids it gave away earlier."""
        first = int(time.time()) * 1000 if name == "id" else 1001
        rows = self.run(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (name, first),
        )
        return int(rows[0]["value"])

    def put(self, kind: str, shop: str, doc: Doc, key: str | None = None) -> None:
        """Insert or replace a document by its `id`. `key` is a second, unique way to find it."""
        self.run(
            "INSERT INTO docs VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (kind, shop, id) DO UPDATE SET key = excluded.key, doc = excluded.doc",
            (kind, shop, doc["id"], key, json.dumps(doc)),
        )

    def get(self, kind: str, shop: str, id: int) -> Doc | None:
        """One document by id."""
        return _one(
            self.run(
                "SELECT doc FROM docs WHERE kind = ? AND shop = ? AND id = ?",
                (kind, shop, id),
            )
        )

    def by_key(self, kind: str, shop: str, key: str) -> Doc | None:
        """One document by its key."""
        return _one(
            self.run(
                "SELECT doc FROM docs WHERE kind = ? AND shop = ? AND key = ?",
                (kind, shop, key),
            )
        )

    def all(self, kind: str, shop: str) -> list[Doc]:
        """Every document of a kind in a shop, oldest first."""
        rows = self.run("SELECT doc FROM docs WHERE kind = ? AND shop = ? ORDER BY id", (kind, shop))
        return [json.loads(row["doc"]) for row in rows]

    def latest(self, kind: str, shop: str, limit: int) -> list[Doc]:
        """The newest documents of a kind in a shop, newest first."""
        rows = self.run(
            "SELECT doc FROM docs WHERE kind = ? AND shop = ? ORDER BY id DESC LIMIT ?",
            (kind, shop, limit),
        )
        return [json.loads(row["doc"]) for row in rows]

    def where(self, kind: str, shop: str, field: str, value: object) -> list[Doc]:
        """Documents whose top-level `field` has `value`, oldest first."""
        rows = self.run(
            "SELECT doc FROM docs WHERE kind = ? AND shop = ? AND json_extract(doc, ?) = ? ORDER BY id",
            (kind, shop, f"$.{field}", value),
        )
        return [json.loads(row["doc"]) for row in rows]

    def remove(self, kind: str, shop: str, id: int) -> bool:
        """Forget a document; whether it was there."""
        return (
            self.changed(
                "DELETE FROM docs WHERE kind = ? AND shop = ? AND id = ?",
                (kind, shop, id),
            )
            > 0
        )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _one(rows: list[sqlite3.Row]) -> Doc | None:
    return json.loads(rows[0]["doc"]) if rows else None

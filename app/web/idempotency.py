"""Replayable writes: the first answer of a key is stored in the transaction of its work and given again."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import orjson
import psycopg
from flask import Response

from app.core.crypto import unwrap, wrap
from app.core.db import UnitOfWork
from app.core.errors import Conflict, Invalid
from app.core.i18n import mark
from app.web.principals import Principal

HEADER = "Idempotency-Key"
FORM_FIELD = "idempotency_key"
REPLAYED = "Idempotency-Replayed"
PURPOSE = "idempotency"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_STORED_HEADERS = ("Content-Type", "HX-Trigger", "HX-Location", "HX-Retarget", "HX-Reswap", "Location")
_NO_SHOP = UUID(int=0)


class BadIdempotencyKey(Invalid):
    """The key is empty, too long or not printable."""

    code = "bad_idempotency_key"
    default_message = mark("An idempotency key has 1 to 255 printable ASCII characters without spaces.")


class IdempotencyMismatch(Conflict):
    """The key was used for another request."""

    code = "idempotency_mismatch"
    default_message = mark("This idempotency key was used for another request. Send a new one.")


class StillInProgress(Conflict):
    """The first request of this key has not finished yet."""

    code = "idempotency_in_progress"
    retryable = True
    default_message = mark(
        "The first request with this idempotency key is still running. Try again in a moment."
    )


@dataclass(frozen=True, slots=True)
class Once:
    """A keyed write of one principal. `request_hash` tells whether a repeat is the same request."""

    key: str
    principal: Principal
    request_hash: bytes

    def run(self, uow: UnitOfWork, work: Callable[[], Response]) -> Response:
        """The stored answer of this key, or the answer of `work`, stored beside what it did.

        A second request waits for the first one's row; when that takes longer than the lock timeout it is told to
        come back.
        """
        place = {"shop": uow.shop_id or _NO_SHOP, "principal": self.principal.key, "key": self.key}
        if not self._claim(uow, place):
            return self._replay(uow, place)
        response = work()
        answer = {
            "body": response.get_data(as_text=True),
            "headers": {name: response.headers[name] for name in _STORED_HEADERS if name in response.headers},
        }
        sealed = _seal(uow, orjson.dumps(answer).decode())
        uow.execute(
            "UPDATE idempotency_keys SET status = %(status)s, response = %(response)s"
            " WHERE shop_id = %(shop)s AND principal = %(principal)s AND key = %(key)s",
            {**place, "status": response.status_code, "response": sealed},
        )
        return response

    def _claim(self, uow: UnitOfWork, place: dict[str, object]) -> bool:
        try:
            claimed = uow.one(
                "INSERT INTO idempotency_keys (shop_id, principal, key, request_hash)"
                " VALUES (%(shop)s, %(principal)s, %(key)s, %(hash)s) ON CONFLICT DO NOTHING RETURNING key",
                {**place, "hash": self.request_hash},
            )
        except psycopg.errors.LockNotAvailable:
            raise StillInProgress() from None
        return claimed is not None

    def _replay(self, uow: UnitOfWork, place: dict[str, object]) -> Response:
        row = uow.one(
            "SELECT request_hash, status, response FROM idempotency_keys"
            " WHERE shop_id = %(shop)s AND principal = %(principal)s AND key = %(key)s",
            place,
        )
        if row is None or row["status"] is None:
            raise StillInProgress()
        if bytes(row["request_hash"]) != self.request_hash:
            raise IdempotencyMismatch()
        answer = orjson.loads(_unseal(uow, row["response"]))
        response = Response(answer["body"], status=row["status"], headers=answer["headers"])
        response.headers["Cache-Control"] = "no-store"
        response.headers[REPLAYED] = "true"
        return response


def once(key: str | None, principal: Principal, *parts: bytes) -> Once | None:
    """The keyed write a request asks for, None without a key. `parts` say what is asked: method, path, query, body."""
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise BadIdempotencyKey()
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return Once(key, principal, digest.digest())


def purge(uow: UnitOfWork) -> int:
    """Forget keys older than two days. Returns how many."""
    return uow.execute("DELETE FROM idempotency_keys WHERE created_at < now() - interval '48 hours'").rowcount


def _seal(uow: UnitOfWork, text: str) -> bytes | None:
    """An answer may hold personal data or a key shown once, so it is encrypted."""
    return uow.seal(text, PURPOSE) if uow.shop_id else wrap(_NO_SHOP, text.encode())


def _unseal(uow: UnitOfWork, blob: bytes) -> str:
    return (uow.unseal(blob, PURPOSE) or "") if uow.shop_id else unwrap(_NO_SHOP, bytes(blob)).decode()

"""Field encryption: AES-256-GCM with a data key per shop, wrapped by the master key; and a keyed blind index.

Layout of a sealed value: one byte of format, two of key version, twelve of nonce, then ciphertext with its tag.
The shop and the purpose are authenticated, so a value moved to another row's column or shop does not open.
"""

import hashlib
import hmac
import os
import threading
import unicodedata
from typing import TYPE_CHECKING
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.settings import get_settings

if TYPE_CHECKING:
    from app.core.db import UnitOfWork

_FORMAT = b"\x01"
_NONCE_BYTES = 12
_cache: dict[UUID, "ShopKeys"] = {}
_lock = threading.Lock()


class SealBroken(Exception):
    """A sealed value does not open: wrong key, shop or purpose, or changed bytes."""


class ShopKeys:
    """The data keys of one shop. New values use the newest; older ones still open."""

    def __init__(self, shop_id: UUID, keys: dict[int, bytes]) -> None:
        self._shop = shop_id.bytes
        self._ciphers = {version: AESGCM(key) for version, key in keys.items()}
        self._newest = max(keys)
        # The index must not move when keys rotate, so it hangs on the first key.
        self._index_key = hmac.digest(keys[min(keys)], b"blind-index", "sha256")

    def seal(self, text: str, purpose: str) -> bytes:
        """Encrypt `text`; `purpose` names the column and is needed again to open it."""
        return self.seal_bytes(text.encode(), purpose)

    def seal_bytes(self, data: bytes, purpose: str) -> bytes:
        """Encrypt bytes, as `seal` does text."""
        nonce = os.urandom(_NONCE_BYTES)
        head = _FORMAT + self._newest.to_bytes(2)
        return head + nonce + self._ciphers[self._newest].encrypt(nonce, data, self._bound(head, purpose))

    def unseal(self, blob: bytes, purpose: str) -> str:
        """Decrypt a text. Raises SealBroken."""
        return self.unseal_bytes(blob, purpose).decode()

    def unseal_bytes(self, blob: bytes, purpose: str) -> bytes:
        """Decrypt bytes. Raises SealBroken."""
        head, nonce, body = blob[:3], blob[3 : 3 + _NONCE_BYTES], blob[3 + _NONCE_BYTES :]
        cipher = self._ciphers.get(int.from_bytes(head[1:3])) if head[:1] == _FORMAT else None
        if cipher is None:
            raise SealBroken(purpose)
        try:
            return cipher.decrypt(nonce, body, self._bound(head, purpose))
        except (InvalidTag, ValueError):
            raise SealBroken(purpose) from None

    def blind_index(self, text: str, purpose: str) -> bytes:
        """16 bytes that are equal for equal normalized values of one shop and purpose."""
        normal = unicodedata.normalize("NFKC", text).strip().casefold()
        return hmac.digest(self._index_key, f"{purpose}\0{normal}".encode(), "sha256")[:16]

    def _bound(self, head: bytes, purpose: str) -> bytes:
        return head + self._shop + purpose.encode()


def wrap(shop_id: UUID, key: bytes) -> bytes:
    """Encrypt a data key under the master key."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(get_settings().master_key_bytes).encrypt(nonce, key, b"shop-key" + shop_id.bytes)


def unwrap(shop_id: UUID, blob: bytes) -> bytes:
    """Decrypt a data key. Raises SealBroken when the master key is another one."""
    cipher = AESGCM(get_settings().master_key_bytes)
    try:
        return cipher.decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], b"shop-key" + shop_id.bytes)
    except (InvalidTag, ValueError):
        raise SealBroken("shop key") from None


def shop_keys(uow: "UnitOfWork") -> ShopKeys:
    """The keys of the unit of work's shop, made at first use and cached by this process once committed."""
    shop_id = uow.shop
    cached = _cache.get(shop_id)
    if cached is not None:
        return cached
    rows = uow.all("SELECT version, wrapped FROM shop_keys WHERE shop_id = %(shop)s", {"shop": shop_id})
    if not rows:
        uow.execute(
            "INSERT INTO shop_keys (shop_id, version, wrapped) VALUES (%(shop)s, 1, %(wrapped)s)"
            " ON CONFLICT DO NOTHING",
            {"shop": shop_id, "wrapped": wrap(shop_id, os.urandom(32))},
        )
        rows = uow.all("SELECT version, wrapped FROM shop_keys WHERE shop_id = %(shop)s", {"shop": shop_id})
        fresh = ShopKeys(shop_id, {row["version"]: unwrap(shop_id, bytes(row["wrapped"])) for row in rows})
        uow.after_commit(lambda: _remember(shop_id, fresh))
        return fresh
    keys = ShopKeys(shop_id, {row["version"]: unwrap(shop_id, bytes(row["wrapped"])) for row in rows})
    _remember(shop_id, keys)
    return keys


def cached_keys(shop_id: UUID) -> ShopKeys | None:
    """The shop's keys if this process has them already."""
    return _cache.get(shop_id)


def _remember(shop_id: UUID, keys: ShopKeys) -> None:
    with _lock:
        _cache[shop_id] = keys


def forget_keys(shop_id: UUID | None = None) -> None:
    """Drop cached keys, of one shop or of all."""
    with _lock:
        if shop_id is None:
            _cache.clear()
        else:
            _cache.pop(shop_id, None)


def fingerprint(secret: str) -> bytes:
    """SHA-256 of a high-entropy secret such as an API key, for look-ups without keeping it."""
    return hashlib.sha256(secret.encode()).digest()

"""Sealing: only the same shop and purpose open a value; keys are per shop, wrapped, rotated; the index does not move."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import crypto, ids
from app.core.crypto import SealBroken, ShopKeys, fingerprint, unwrap, wrap
from app.core.db import unit_of_work
from app.core.settings import get_settings

SHOP, OTHER = ids.new_id(), ids.new_id()
KEY, NEWER = b"k" * 32, b"n" * 32
KEYS = ShopKeys(SHOP, {1: KEY})


@given(st.text(), st.text(max_size=30))
def test_what_is_sealed_opens_again(text: str, purpose: str) -> None:
    assert KEYS.unseal(KEYS.seal(text, purpose), purpose) == text


def test_equal_texts_are_sealed_differently() -> None:
    assert KEYS.seal("same", "p") != KEYS.seal("same", "p")


def test_another_shop_purpose_or_key_does_not_open() -> None:
    sealed = KEYS.seal("secret", "members.email")
    for keys, purpose in (
        (KEYS, "members.phone"),
        (ShopKeys(OTHER, {1: KEY}), "members.email"),
        (ShopKeys(SHOP, {1: NEWER}), "members.email"),
        (ShopKeys(SHOP, {2: KEY}), "members.email"),
    ):
        with pytest.raises(SealBroken):
            keys.unseal(sealed, purpose)


def test_any_changed_byte_is_noticed() -> None:
    sealed = KEYS.seal("secret", "p")
    for place in range(len(sealed)):
        broken = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(SealBroken):
            KEYS.unseal(broken, "p")


@pytest.mark.parametrize("length", range(0, 32, 3))
def test_a_cut_value_does_not_open(length: int) -> None:
    with pytest.raises(SealBroken):
        KEYS.unseal(KEYS.seal("a long secret", "p")[:length], "p")


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key() -> None:
    rotated = ShopKeys(SHOP, {1: KEY, 2: NEWER})
    assert rotated.unseal(KEYS.seal("old", "p"), "p") == "old"
    with pytest.raises(SealBroken):
        KEYS.unseal(rotated.seal("new", "p"), "p")
    assert ShopKeys(SHOP, {2: NEWER}).unseal(rotated.seal("new", "p"), "p") == "new"


def test_the_index_survives_a_rotation() -> None:
    rotated = ShopKeys(SHOP, {1: KEY, 2: NEWER})
    assert rotated.blind_index("a@example.com", "p") == KEYS.blind_index("a@example.com", "p")


@pytest.mark.parametrize("text", ["A@Example.com", " a@example.com ", "ａ@example.com", "a@EXAMPLE.COM\n"])
def test_the_index_knows_different_spellings(text: str) -> None:
    assert KEYS.blind_index(text, "p") == KEYS.blind_index("a@example.com", "p")


def test_the_index_differs_by_shop_purpose_and_value() -> None:
    found = {
        KEYS.blind_index("a@example.com", "p"),
        KEYS.blind_index("a@example.com", "q"),
        KEYS.blind_index("b@example.com", "p"),
        ShopKeys(OTHER, {1: NEWER}).blind_index("a@example.com", "p"),
    }
    assert len(found) == 4 and {len(one) for one in found} == {16}


def test_wrapped_keys_open_for_their_shop_and_master_key_only(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped = wrap(SHOP, KEY)
    assert KEY not in wrapped and unwrap(SHOP, wrapped) == KEY
    with pytest.raises(SealBroken):
        unwrap(OTHER, wrapped)
    monkeypatch.setenv("MASTER_KEY", "T" * 43 + "=")
    get_settings.cache_clear()
    try:
        with pytest.raises(SealBroken):
            unwrap(SHOP, wrapped)
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()


def test_a_shops_key_is_made_once_by_many(clean_database: None) -> None:
    def seal(number: int) -> bytes:
        with unit_of_work(SHOP) as uow:
            return uow.seal(str(number), "p") or b""

    with ThreadPoolExecutor(6) as pool:
        sealed = list(pool.map(seal, range(6)))
    crypto.forget_keys()
    with unit_of_work(SHOP) as uow:
        assert [uow.unseal(blob, "p") for blob in sealed] == [str(number) for number in range(6)]
        row = uow.one("SELECT count(*) AS keys, min(wrapped) AS wrapped FROM shop_keys")
    assert row is not None and row["keys"] == 1


def test_a_key_that_was_never_committed_is_not_remembered(clean_database: None) -> None:
    def fail() -> None:
        with unit_of_work(OTHER) as uow:
            uow.seal("x", "p")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert crypto.cached_keys(OTHER) is None
    with unit_of_work(OTHER) as uow:
        sealed = uow.seal("y", "p")
    crypto.forget_keys(OTHER)
    with unit_of_work(OTHER) as uow:
        assert uow.unseal(sealed, "p") == "y"


def test_nothing_stays_nothing(clean_database: None) -> None:
    with unit_of_work(SHOP) as uow:
        assert uow.seal(None, "p") is None and uow.unseal(None, "p") is None
        empty: Any = uow.seal("", "p")
        assert uow.unseal(memoryview(empty), "p") == ""  # type: ignore[arg-type]


def test_fingerprints_are_stable_and_say_nothing() -> None:
    secret = "lnk_" + os.urandom(16).hex()
    assert fingerprint(secret) == fingerprint(secret) != fingerprint(secret + "x")
    assert len(fingerprint(secret)) == 32 and secret.encode() not in fingerprint(secret)

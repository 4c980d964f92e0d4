"""Tokens of checkout, customer-account and POS extensions."""

import time
from typing import Any

import pytest

from app.shopify import extension_tokens
from app.shopify.extension_tokens import ExtensionToken, InvalidExtensionToken
from tests.shopify.signing import OLD_SECRET, OTHER_SECRET, SHOP, id_token


def verify(secret: str | None = None, **changes: Any) -> ExtensionToken:
    claims = {"iss": None, "sid": None, "sub": None, "dest": SHOP, **changes}
    token = id_token(secret, **claims) if secret else id_token(**claims)
    return extension_tokens.verify({"authorization": f"Bearer {token}"})


@pytest.mark.parametrize("dest", [SHOP, f"https://{SHOP}"])
def test_a_buyer_who_is_not_logged_in(dest: str) -> None:
    assert verify(dest=dest) == ExtensionToken(SHOP, None)


def test_a_buyer_who_is_logged_in() -> None:
    assert verify(sub="gid://shopify/Customer/77").customer_id == "77"
    assert verify(OLD_SECRET, sub="gid://shopify/Customer/77").customer_id == "77"


@pytest.mark.parametrize(
    "sub", ["42", "gid://shopify/Customer/", "gid://shopify/Customer/7 OR 1", "gid://shopify/Order/1"]
)
def test_other_subjects_are_nobody(sub: str) -> None:
    assert verify(sub=sub).customer_id is None


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 30},
        {"exp": None},
        {"aud": "f" * 32},
        {"dest": "evil.example"},
        {"dest": None},
    ],
    ids=lambda changes: str(sorted(changes)),
)
def test_bad_tokens_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidExtensionToken) as caught:
        verify(**changes)
    assert caught.value.status == 401


def test_forged_and_missing_tokens_are_refused() -> None:
    with pytest.raises(InvalidExtensionToken):
        verify(OTHER_SECRET)
    for headers in ({}, {"Authorization": "Basic x"}, {"Authorization": "Bearer "}):
        with pytest.raises(InvalidExtensionToken):
            extension_tokens.verify(headers)

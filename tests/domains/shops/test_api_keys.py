"""API keys: shown once, found by fingerprint, limited to their scopes, dead when revoked or expired."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask

from app import cli
from app.core import clock, ids
from app.core.crypto import fingerprint
from app.core.permissions import ALL, Permission
from app.domains.shops import service
from app.domains.shops.api import resolve_api_key
from app.domains.shops.errors import ApiKeyNotFound, ExpiryPassed, UnknownScope
from app.domains.shops.schemas import NewApiKey
from tests.fixtures.shop import TestShop

READ = [Permission.PROGRAMS_READ]


def make(shop: TestShop, scopes: list[str] | None = None, **options: object) -> NewApiKey:
    with shop.work() as uow:
        return service.create_api_key(uow, "Till", scopes or ["all"], **options)  # type: ignore[arg-type]


def test_a_key_is_kept_as_a_fingerprint_only(shop: TestShop) -> None:
    made = make(shop)
    assert re.fullmatch(r"lnk_[A-Za-z0-9_-]{43}", made.secret)
    assert made.key.last_four == made.secret[-4:]
    assert made.secret not in repr(made)
    with shop.work() as uow:
        rows = str(uow.all("SELECT * FROM api_keys") + uow.all("SELECT * FROM api_key_directory"))
        assert made.secret not in rows and made.secret[4:] not in rows
        assert uow.one("SELECT action, after FROM audit_entries WHERE action LIKE 'api_key%%'") == {
            "action": "api_key.created",
            "after": {"label": "Till", "scopes": ["all"]},
        }


def test_a_key_stands_for_its_shop_and_scopes(shop: TestShop, other_shop: TestShop) -> None:
    mine, theirs = make(shop), make(other_shop, list(READ))
    principal = resolve_api_key(fingerprint(mine.secret))
    other = resolve_api_key(fingerprint(theirs.secret))
    assert principal is not None and other is not None
    assert (principal.shop_id, principal.permissions, principal.label) == (shop.id, ALL, "Till")
    assert (other.shop_id, other.permissions) == (other_shop.id, frozenset(READ))
    assert principal.shop is not None and principal.shop.domain == shop.domain
    assert resolve_api_key(fingerprint("lnk_guess")) is None


def test_through_the_api(shop: TestShop, app: Flask) -> None:
    made = make(shop, list(READ))
    client = app.test_client()
    bearer = {"Authorization": f"Bearer {made.secret}"}
    assert client.get("/api/loyalty-referral/programs", headers=bearer).status_code == 200
    assert client.post("/api/loyalty-referral/programs", json={}, headers=bearer).status_code == 403
    with shop.work() as uow:
        service.revoke_api_key(uow, made.key.id)
    assert client.get("/api/loyalty-referral/programs", headers=bearer).status_code == 401


def test_an_expired_key_is_nobody(shop: TestShop) -> None:
    made = make(shop, expires_at=clock.now() + timedelta(minutes=5))
    assert resolve_api_key(fingerprint(made.secret)) is not None
    later = clock.now() + timedelta(minutes=6)
    with clock.use_clock(lambda: later):
        assert resolve_api_key(fingerprint(made.secret)) is None
    with pytest.raises(ExpiryPassed):
        make(shop, expires_at=clock.now())


@pytest.mark.parametrize("scopes", [["programs:fly"], [""], ["programs:read", "x"]])
def test_unknown_scopes_are_refused(shop: TestShop, scopes: list[str]) -> None:
    with pytest.raises(UnknownScope) as refused:
        make(shop, scopes)
    assert "scopes" in refused.value.fields
    with shop.work() as uow:
        assert service.list_api_keys(uow) == []


def test_use_is_noted_at_most_once_a_minute(shop: TestShop) -> None:
    made = make(shop)
    start = clock.now()

    def used_at() -> object:
        with shop.work() as uow:
            return service.list_api_keys(uow)[0].last_used_at

    assert used_at() is None
    for seconds, expected in ((0, 0), (30, 0), (59, 0), (61, 61)):
        with clock.use_clock(lambda at=start + timedelta(seconds=seconds): at):
            service.api_key_holder(fingerprint(made.secret))
        assert used_at() == start + timedelta(seconds=expected)


def test_revoking_twice_is_revoking_once(shop: TestShop) -> None:
    made = make(shop)
    for _ in range(2):
        with shop.work() as uow:
            assert service.revoke_api_key(uow, made.key.id).revoked
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM audit_entries WHERE action = 'api_key.revoked'") == 1
        assert uow.scalar("SELECT count(*) FROM api_key_directory") == 0


def test_another_shops_key_cannot_be_seen_or_revoked(shop: TestShop, other_shop: TestShop) -> None:
    made = make(shop)
    with other_shop.work() as uow:
        assert service.list_api_keys(uow) == []
        with pytest.raises(ApiKeyNotFound):
            service.revoke_api_key(uow, made.key.id)
    assert resolve_api_key(fingerprint(made.secret)) is not None


def test_the_command_line_prints_the_key_and_nothing_else(
    shop: TestShop, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["api-key", "create", "--shop", shop.domain, "--scopes", "programs:read, members:read"]
    assert cli.main(arguments) == 0
    printed = capsys.readouterr()
    secret = printed.out.strip()
    assert printed.out == secret + "\n" and printed.err == ""
    holder = service.api_key_holder(fingerprint(secret))
    assert holder is not None and set(holder.key.scopes) == {
        Permission.PROGRAMS_READ,
        Permission.MEMBERS_READ,
    }
    assert cli.main(["api-key", "list", "--shop", shop.domain]) == 0
    listed = capsys.readouterr().out.split("\t")
    assert UUID(listed[0]) == holder.key.id and listed[1] == "active" and secret not in "".join(listed)
    assert cli.main(["api-key", "revoke", "--shop", shop.domain, listed[0]]) == 0
    assert service.api_key_holder(fingerprint(secret)) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "--shop", "nobody.myshopify.com", "--scopes", "all"], "There is no such shop."),
        (["create", "--shop", "not a shop", "--scopes", "all"], "myshopify.com"),
        (["create", "--shop", "first.myshopify.com", "--scopes", "fly"], "fly is not a permission."),
        (["revoke", "--shop", "first.myshopify.com", str(ids.new_id())], "There is no such API key"),
    ],
)
def test_the_command_line_refuses(
    shop: TestShop, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert cli.main(["api-key", *arguments]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and message in printed.err

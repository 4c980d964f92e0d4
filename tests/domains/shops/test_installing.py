"""First contact: what a verified visit leaves behind, and what it must never leave behind."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.core import clock
from app.core.db import cross_shop, unit_of_work
from app.core.errors import LoyalNestError
from app.domains.shops import service
from app.domains.shops.errors import InstallationUnfinished
from app.domains.shops.schemas import ShopContext
from app.shopify import sessions
from app.shopify.errors import AppRejected, InvalidIdToken
from app.shopify.tokens import OfflineToken
from tests.domains.shops.shopify import DOMAIN, Shopify, signed_id_token, verified
from tests.fixtures.web import PARTIAL
from tests.shopify.wire import Reply

REFUSED_TOKEN = Reply(400, {"error": "invalid_subject_token"})
UNKNOWN_APP = Reply(400, {"error": "invalid_client"})


def rows(sql: str) -> list[dict[str, Any]]:
    with cross_shop("test") as uow:
        return uow.all(sql)


def nothing_is_stored() -> bool:
    return not any(
        rows(f"SELECT 1 FROM {table}")
        for table in ("shop_directory", "shops", "staff", "shop_keys", "programs")
    )


def test_a_first_visit_installs_the_shop(shopify: Shopify) -> None:
    visitor = service.visit(verified("7"))
    shop = visitor.shop
    assert (shop.domain, shop.name, shop.currency, shop.timezone) == (
        DOMAIN,
        "Demo shop",
        "JPY",
        "Asia/Tokyo",
    )
    assert (shop.status, shop.needs_reopening, shop.scopes) == (
        "installed",
        False,
        "read_orders,write_discounts",
    )
    assert (visitor.staff.user_id, visitor.staff.role, visitor.staff.theme) == ("7", "owner", "auto")
    assert shopify.exchanges()[0]["subject_token"] == "raw-7"
    entry = service.look_up(DOMAIN)
    assert entry is not None and (entry.shop_id, entry.status) == (shop.id, "installed")
    with unit_of_work(shop.id) as uow:
        assert service.contact_email(uow) == "hello@demo.example"
    assert len(rows("SELECT 1 FROM programs")) == 1
    actions = {row["action"] for row in rows("SELECT action FROM audit_entries")}
    assert {"shop.installed", "staff.joined"} <= actions


def test_tokens_and_mail_addresses_are_sealed_at_rest(shopify: Shopify) -> None:
    service.visit(verified())
    row = rows("SELECT * FROM shops")[0]
    stored = b"|".join(
        bytes(value) if isinstance(value, bytes) else str(value).encode() for value in row.values()
    )
    assert not any(secret in stored for secret in (b"shpat_", b"shprt_", b"demo.example"))


def test_later_visits_ask_shopify_nothing(shopify: Shopify) -> None:
    first = service.visit(verified("1"))
    asked = len(shopify.seen)
    second, again = service.visit(verified("2")), service.visit(verified("1"))
    assert len(shopify.seen) == asked
    assert (first.staff.role, second.staff.role) == ("owner", "manager")
    assert again.staff == first.staff
    assert len(rows("SELECT 1 FROM staff")) == 2


def test_parallel_first_visits_make_one_shop(shopify: Shopify) -> None:
    shopify.delay_seconds = 0.1
    with ThreadPoolExecutor(8) as pool:
        visitors = list(pool.map(lambda number: service.visit(verified(str(number % 4))), range(8)))
    assert len({visitor.shop.id for visitor in visitors}) == 1
    assert shopify.tokens == 1
    assert len(rows("SELECT 1 FROM programs")) == len(rows("SELECT 1 FROM shops")) == 1
    roles = sorted(row["role"] for row in rows("SELECT role FROM staff"))
    assert roles == ["manager", "manager", "manager", "owner"]


def test_processes_that_race_agree_on_one_shop_and_the_later_token(shopify: Shopify) -> None:
    now = clock.now()
    context = ShopContext("Demo", None, "EUR", "UTC")
    made = [
        OfflineToken(
            f"access-{number}", "read_orders", now + timedelta(seconds=number), f"refresh-{number}", None
        )
        for number in range(3600, 3608)
    ]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda token: service.install(DOMAIN, token, context), reversed(made)))
    assert len(set(found)) == 1
    assert sessions.access_token(found[0]).access_token == "access-3607"
    assert len(rows("SELECT 1 FROM programs")) == 1


@pytest.mark.parametrize("fault", ["reset", "cut"])
@pytest.mark.parametrize("part", ["exchange", "context"])
def test_a_lost_answer_leaves_nothing(shopify: Shopify, part: str, fault: str) -> None:
    setattr(shopify, part, Reply(fault=fault))
    with pytest.raises(InstallationUnfinished):
        service.visit(verified())
    assert nothing_is_stored()
    setattr(shopify, part, None)
    assert service.visit(verified()).staff.role == "owner"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (REFUSED_TOKEN, InvalidIdToken),
        (UNKNOWN_APP, AppRejected),
        (Reply(503, {}), InstallationUnfinished),
        (Reply(429, {}, {"Retry-After": "7"}), InstallationUnfinished),
        (Reply(200, {"scope": "read_orders"}), InstallationUnfinished),
    ],
)
def test_a_refused_exchange_leaves_nothing(
    shopify: Shopify, reply: Reply, error: type[LoyalNestError]
) -> None:
    shopify.exchange = reply
    with pytest.raises(error):
        service.visit(verified())
    assert nothing_is_stored()


def test_a_dead_token_is_replaced_by_the_next_visit(shopify: Shopify) -> None:
    shop = service.visit(verified()).shop
    sessions.mark_for_reopening(shop.id, "shpat_secret_1")
    with unit_of_work(shop.id) as uow:
        assert service.get(uow).needs_reopening
    assert not service.visit(verified()).shop.needs_reopening
    assert sessions.access_token(shop.id).access_token == "shpat_secret_2"
    assert len(rows("SELECT 1 FROM audit_entries WHERE action = 'shop.installed'")) == 1


def test_staff_get_in_while_shopify_gives_no_token(shopify: Shopify) -> None:
    shop = service.visit(verified()).shop
    sessions.mark_for_reopening(shop.id, "shpat_secret_1")
    shopify.exchange = Reply(503, {})
    assert service.visit(verified()).shop.needs_reopening
    shopify.exchange = REFUSED_TOKEN
    with pytest.raises(InvalidIdToken):
        service.visit(verified())


def test_a_shop_that_comes_back_finds_its_data(shopify: Shopify) -> None:
    before = service.visit(verified("1"))
    with unit_of_work(before.shop.id) as uow:
        assert service.uninstall(uow, clock.now())
    after = service.visit(verified("1"))
    assert (
        after.shop.id == before.shop.id
        and after.shop.status == "installed"
        and after.shop.uninstalled_at is None
    )
    assert after.staff == before.staff
    assert len(rows("SELECT 1 FROM programs")) == 1
    again = [
        row["after"]["again"]
        for row in rows("SELECT after FROM audit_entries WHERE action = 'shop.installed'")
    ]
    assert sorted(again) == [False, True]


def test_an_erased_shop_comes_back_as_a_new_one(shopify: Shopify) -> None:
    old = service.visit(verified()).shop
    with unit_of_work(old.id) as uow:
        service.uninstall(uow, clock.now())
        assert service.mark_erased(uow)
    new = service.visit(verified()).shop
    assert new.id != old.id
    service.erase(old.id)
    with unit_of_work(new.id) as uow:
        assert service.contact_email(uow) == "hello@demo.example"


def test_through_the_web_a_document_bounces_and_a_fetch_retries(shopify: Shopify, app: Flask) -> None:
    client = app.test_client()
    shopify.exchange = REFUSED_TOKEN
    document = client.get(f"/app?shop={DOMAIN}&id_token={signed_id_token()}")
    assert document.status_code == 302 and document.location.startswith("/app/session-token-bounce?")
    fetch = client.get("/app", headers={**PARTIAL, "Authorization": f"Bearer {signed_id_token()}"})
    assert fetch.status_code == 401 and fetch.headers["X-Shopify-Retry-Invalid-Session-Request"] == "1"
    shopify.exchange = UNKNOWN_APP
    page = client.get(f"/app?id_token={signed_id_token()}")
    assert page.status_code == 409 and "<h1" in page.text
    shopify.exchange = Reply(503, {})
    page = client.get(f"/app?id_token={signed_id_token()}")
    assert page.status_code == 503 and "Retry-After" in page.headers
    assert nothing_is_stored()
    shopify.exchange = None
    page = client.get(f"/app?id_token={signed_id_token()}")
    assert page.status_code == 200
    assert DOMAIN in page.headers["Content-Security-Policy"]


def test_preferences_are_kept_by_staff_member(shopify: Shopify, app: Flask) -> None:
    client = app.test_client()
    headers = {"Authorization": f"Bearer {signed_id_token('1')}"}
    assert (
        client.post("/app/preferences", json={"theme": "dark", "locale": "ar"}, headers=headers).status_code
        == 204
    )
    mine, other = service.visit(verified("1")).staff, service.visit(verified("2")).staff
    assert (mine.theme, mine.locale) == ("dark", "ar")
    assert (other.theme, other.locale) == ("auto", None)
    assert client.post("/app/preferences", json={"theme": "light"}, headers=headers).status_code == 204
    assert service.visit(verified("1")).staff.locale == "ar"
    refused = client.post("/app/preferences", json={"theme": "pink"}, headers=headers)
    assert refused.status_code == 422
    page = client.get("/app", headers={"Authorization": f"Bearer {signed_id_token('1')}"})
    assert 'dir="rtl"' in page.text and 'data-theme="light"' in page.text

"""Shopify's privacy topics: the copy for the merchant, and forgetting a person everywhere."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock, inbox, outbox
from app.domains.compliance import jobs, service
from app.domains.compliance.errors import PrivacyRequestNotFound
from app.domains.compliance.schemas import PrivacyRequest
from app.domains.compliance.service.requests import NOTHING_HELD
from app.domains.members import service as members
from tests.domains.compliance.conftest import CUSTOMER, EMAIL, ORDER, buys
from tests.domains.notifications.postbox import Postbox
from tests.factories import payloads
from tests.fixtures import rows
from tests.fixtures.shop import TestShop

ASK = {"customer": {"id": CUSTOMER, "email": EMAIL}, "orders_requested": [ORDER], "data_request": {"id": 9}}
REDACT = {"customer": {"id": CUSTOMER, "email": EMAIL}, "orders_to_redact": [ORDER]}
STRANGER = {"customer": {"id": 1, "email": "nobody@example.com"}, "data_request": {"id": 10}}


def tell(shop: TestShop, topic: str, body: dict[str, Any], webhook_id: str | None = None) -> None:
    shop.tell(topic, body, webhook_id=webhook_id)
    shop.drain()


def requests(shop: TestShop) -> list[PrivacyRequest]:
    with shop.work() as uow:
        return service.list_requests(uow)


def export(shop: TestShop, request_id: UUID) -> dict[str, Any] | None:
    with shop.work() as uow:
        return service.open_export(uow, request_id)


def actions(shop: TestShop) -> list[str]:
    with shop.work() as uow:
        found = uow.all("SELECT action FROM audit_entries WHERE action LIKE 'privacy%%' ORDER BY id")
    return [row["action"] for row in found]


def text_of(shop: TestShop) -> str:
    """Everything that stands unsealed in any table of the shop."""
    with rows.connect() as connection:
        found = []
        for table in rows.shop_tables():
            statement = f'SELECT t::text AS row FROM "{table}" t WHERE shop_id = %s'
            found += [row["row"] for row in connection.execute(statement, (shop.id,)).fetchall()]  # type: ignore[call-overload]
    return "\n".join(found)


def test_a_copy_holds_what_every_domain_knows(shop: TestShop) -> None:
    tell(shop, "customers/data_request", ASK)
    (request,) = requests(shop)
    assert (request.kind, request.status, request.external_id, request.outcome) == (
        "data_request",
        "done",
        "9",
        "exported",
    )
    assert request.due_at - request.requested_at == timedelta(days=30)
    document = export(shop, request.id)
    assert document is not None
    assert {"members", "orders", "points", "tiers", "rewards", "notifications"} <= set(document["data"])
    text = str(document)
    assert EMAIL in text and "Noura" in text and "1299" in text.replace(",", "") and str(ORDER) in text
    assert actions(shop) == ["privacy.exported", "privacy.export_read"]


def test_the_copy_is_sealed_at_rest(shop: TestShop) -> None:
    tell(shop, "customers/data_request", ASK)
    text = text_of(shop)
    assert EMAIL not in text and EMAIL.encode().hex() not in text
    assert "Noura" not in text


def test_the_merchant_is_told_without_personal_data(shop: TestShop, postbox: Postbox) -> None:
    with shop.work() as uow:
        uow.execute(
            "UPDATE shops SET email_sealed = %(sealed)s, locale = 'fr'",
            {"sealed": uow.seal("hello@shop.example", "shops.email")},
        )
        uow.execute("UPDATE outbox SET state = 1")
    tell(shop, "customers/data_request", ASK)
    for _ in range(2):
        outbox.drain()
    (mail,) = postbox.mails
    (request,) = requests(shop)
    assert postbox.recipients == [["hello@shop.example"]]
    assert mail["Content-Language"] == "fr"
    plain = mail.get_body(("plain",))
    assert plain is not None
    everything = mail.as_string() + plain.get_content()
    assert f"/app/compliance/{request.id}" in plain.get_content()
    assert not any(secret in everything for secret in (EMAIL, "Noura", str(CUSTOMER), str(ORDER)))


def test_a_shop_without_a_contact_gets_no_mail(shop: TestShop, postbox: Postbox) -> None:
    with shop.work() as uow:
        uow.execute("UPDATE outbox SET state = 1")
    tell(shop, "customers/data_request", ASK)
    assert outbox.drain() == 1 and postbox.mails == []


def test_a_repeated_request_is_answered_once(shop: TestShop) -> None:
    for webhook_id in ("a", "b"):
        tell(shop, "customers/data_request", ASK, webhook_id)
    assert len(requests(shop)) == 1
    with shop.work() as uow:
        assert uow.scalar("SELECT outcome FROM inbox WHERE webhook_id = 'b'") == "answered before"


def test_a_stranger_is_answered_too(shop: TestShop) -> None:
    tell(shop, "customers/data_request", STRANGER)
    tell(shop, "customers/redact", STRANGER)
    tell(shop, "customers/redact", {"customer": {"email": "nobody@example.com"}})
    found = requests(shop)
    assert [request.outcome for request in found] == [NOTHING_HELD] * 3
    assert {request.status for request in found} == {"done"}


def test_a_person_known_by_mail_only_is_found(shop: TestShop) -> None:
    tell(shop, "customers/data_request", {"customer": {"email": EMAIL.upper()}, "data_request": {"id": 11}})
    (request,) = requests(shop)
    assert request.outcome == "exported" and request.member_id is not None


@pytest.mark.parametrize(
    "body", [{}, {"customer": None}, {"customer": {"id": "x"}}, {"customer": {"id": 2**63}}]
)
@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact"])
def test_another_shape_is_ignored(shop: TestShop, topic: str, body: dict[str, Any]) -> None:
    tell(shop, topic, body)
    assert requests(shop) == []
    assert [row["outcome"] for row in shop.undone()] == ["not the documented shape"]


def test_after_erasure_nothing_in_any_table_leads_to_the_person(shop: TestShop) -> None:
    assert str(CUSTOMER) in text_of(shop)
    tell(shop, "customers/redact", REDACT)
    text = text_of(shop)
    for trace in (str(CUSTOMER), EMAIL, "Noura", "Haddad"):
        assert trace not in text, trace
    with shop.work() as uow:
        assert members.by_customer(uow, CUSTOMER) is None
        row = uow.one("SELECT * FROM members")
        assert row is not None and row["status"] == "erased"
        assert not any(row[name] for name in row if name.endswith(("_sealed", "_index")))
        assert uow.scalar("SELECT sum(points) FROM points_entries") == 1_499
    assert actions(shop) == ["privacy.erased"]


def test_erasure_drops_copies_and_empties_kept_deliveries(shop: TestShop) -> None:
    tell(shop, "customers/data_request", ASK)
    (request,) = requests(shop)
    for webhook_id, body in (
        ("his", payloads.order(ORDER + 1, customer=payloads.customer(CUSTOMER))),
        ("note", {"id": 1, "note": f"for {EMAIL}"}),
        ("order", {"id": ORDER}),
        ("hers", payloads.order(8, customer=payloads.customer(88))),
    ):
        shop.tell("orders/paid", body, webhook_id=webhook_id)
    with shop.work() as uow:
        uow.execute("UPDATE inbox SET state = 3, attempts = 5 WHERE state = 0")
    tell(shop, "customers/redact", REDACT)
    assert export(shop, request.id) is None
    with shop.work() as uow:
        kept = uow.all("SELECT webhook_id FROM inbox WHERE payload IS NOT NULL")
        assert [row["webhook_id"] for row in kept] == ["hers"]
        emptied = uow.all("SELECT state, outcome FROM inbox WHERE webhook_id IN ('his', 'note', 'order')")
        assert {(row["state"], row["outcome"]) for row in emptied} == {(inbox.IGNORED, "erased")}


def test_a_body_that_does_not_open_is_not_kept(shop: TestShop) -> None:
    shop.tell("orders/paid", payloads.order(9), webhook_id="broken")
    with shop.work() as uow:
        uow.execute("UPDATE inbox SET state = 3, payload = 'garbage'::bytea WHERE webhook_id = 'broken'")
    tell(shop, "customers/redact", REDACT)
    with shop.work() as uow:
        assert uow.scalar("SELECT payload FROM inbox WHERE webhook_id = 'broken'") is None


def test_erasing_twice_is_erasing_once(shop: TestShop) -> None:
    tell(shop, "customers/redact", REDACT, "a")
    before = text_of(shop)
    with shop.work() as uow:
        assert service.request_erasure(uow, external_id="a", customer_id=CUSTOMER, email=EMAIL) is None
    assert text_of(shop) == before


def test_a_customer_who_comes_back_is_a_new_member(shop: TestShop) -> None:
    tell(shop, "customers/redact", REDACT)
    buys(shop, CUSTOMER, ORDER + 7)
    tell(shop, "customers/redact", REDACT)
    assert [request.outcome for request in requests(shop)] == ["erased", "erased"]
    assert str(CUSTOMER) not in text_of(shop)


def test_other_people_and_other_shops_keep_everything(shop: TestShop, other_shop: TestShop) -> None:
    buys(shop, 88, 8)
    buys(other_shop, CUSTOMER, ORDER)
    before = rows.count(other_shop.id)
    tell(shop, "customers/redact", REDACT)
    assert rows.count(other_shop.id) == before
    with other_shop.work() as uow:
        member = members.by_customer(uow, CUSTOMER)
        assert member is not None and members.profile(uow, member.id).email == EMAIL
    with shop.work() as uow:
        member = members.by_customer(uow, 88)
        assert member is not None and members.profile(uow, member.id).first_name == "Noura"


def test_another_shop_cannot_open_a_copy(shop: TestShop, other_shop: TestShop) -> None:
    tell(shop, "customers/data_request", ASK)
    (request,) = requests(shop)
    with pytest.raises(PrivacyRequestNotFound):
        export(other_shop, request.id)


@pytest.mark.parametrize(("age", "kept"), [(timedelta(days=29), True), (timedelta(days=31), False)])
def test_copies_are_kept_for_a_month(shop: TestShop, age: timedelta, kept: bool) -> None:
    tell(shop, "customers/data_request", ASK)
    (request,) = requests(shop)
    later = clock.now() + age
    with clock.use_clock(lambda: later):
        jobs.drop_exports()
    assert (export(shop, request.id) is not None) is kept

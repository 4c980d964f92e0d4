"""From a paid order to a mail in the member's language: once, with what is true when it is sent."""

import logging
from uuid import UUID

import pytest

from app.core import ids
from app.core.settings import get_settings
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.notifications import handlers, service
from app.domains.notifications.schemas import Earned
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from app.domains.programs import service as programs
from tests.domains.notifications.postbox import Postbox, buy, messages, pay, send
from tests.factories import payloads
from tests.fixtures.shop import TestShop


def member_of(shop: TestShop) -> UUID:
    """Customer 77."""
    with shop.work() as uow:
        member = members.by_customer(uow, 77)
    assert member is not None
    return member.id


def our_words(caplog: pytest.LogCaptureFixture) -> str:
    """What the product logged, tracebacks included; the test's mail server logs for itself."""
    records = [record for record in caplog.records if not record.name.startswith("mail.")]
    return "\n".join(logging.Formatter().format(record) for record in records)


def text_of(mail: object) -> str:
    """The plain text of a mail."""
    part = mail.get_body(("plain",))  # type: ignore[attr-defined]
    return str(part.get_content())


def test_an_order_is_told_once_with_the_balance(shop: TestShop, postbox: Postbox) -> None:
    buy(shop)
    send(shop, 2)
    [mail] = postbox.mails
    assert postbox.recipients == [["shopper77@example.com"]]
    assert mail["Subject"] == "Test shop: +1,299 points for order #1005"
    assert mail["From"] == "Test shop <no-reply@loyalnest.example>"
    assert mail["Content-Language"] == "en"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = text_of(mail)
    assert "Hello Noura," in text
    assert "You have 1,299 points to spend." in text
    assert mail.get_body(("html",)) is not None
    [message] = messages(shop)
    assert (message.status, message.locale, message.kind) == ("sent", "en", "points_earned")
    assert message.sent_at is not None
    assert mail["Message-ID"] == f"<{message.id}@first.myshopify.com>"


def test_the_tier_that_the_order_led_to_is_news(shop: TestShop, postbox: Postbox) -> None:
    buy(shop)
    buy(shop, 6)
    send(shop)
    first, second = sorted((text_of(mail) for mail in postbox.mails), key=lambda text: "Silver" not in text)
    assert "reached Silver" in first
    assert "reached" not in second


def test_one_batch_with_two_orders_tells_two_and_the_tier_once(shop: TestShop, postbox: Postbox) -> None:
    for order_id in (5, 6):
        shop.tell("orders/paid", payloads.order(order_id))
    shop.drain()
    send(shop)
    texts = [text_of(mail) for mail in postbox.mails]
    assert len(texts) == 2
    assert sum("Silver" in text for text in texts) == 1


def test_an_edited_order_is_not_told_again(shop: TestShop, postbox: Postbox) -> None:
    buy(shop)
    lines = [payloads.line(51, "100.00"), payloads.line(52, "29.90"), payloads.line(53, "50.00")]
    shop.tell("orders/updated", payloads.order(5, lines, updated_at=payloads.at(5)))
    shop.drain()
    send(shop, 2)
    assert len(postbox.mails) == 1


def test_signing_up_and_gifts_are_not_told(shop: TestShop, postbox: Postbox) -> None:
    shop.tell("customers/create", payloads.customer())
    shop.drain()
    with shop.work() as uow:
        member = members.by_customer(uow, 77)
        assert member is not None
        points.credit(uow, [Credit(member.id, 50, "gift", "purchase", kind="adjust")])
    send(shop)
    assert postbox.mails == []
    assert messages(shop) == []
    buy(shop)
    send(shop)
    assert "You have 1,549 points to spend." in text_of(postbox.mails[0])


def test_the_balance_is_that_of_the_moment_of_sending(shop: TestShop, postbox: Postbox) -> None:
    buy(shop)
    with shop.work() as uow:
        points.spend(uow, member_of(shop), 1000, key="k", reason="gift")
    send(shop)
    assert "You have 299 points to spend." in text_of(postbox.mails[0])


def test_waiting_points_are_announced(shop: TestShop, postbox: Postbox) -> None:
    with shop.work() as uow:
        program = programs.active(uow)
        assert program is not None
        programs.update(uow, program.id, {"holding_days": 14}, version=program.version)
    buy(shop)
    send(shop)
    text = text_of(postbox.mails[0])
    assert "You have 0 points to spend." in text
    assert "1,299 more points are waiting" in text


def test_the_mail_speaks_the_members_language(shop: TestShop, postbox: Postbox) -> None:
    buy(shop, customer_locale="ar-EG")
    send(shop)
    html = postbox.mails[0].get_body(("html",))
    assert html is not None
    assert '<html lang="ar" dir="rtl">' in html.get_content()
    assert messages(shop)[0].locale == "ar"


@pytest.mark.parametrize("url", ["", "mail.example.com", "http://127.0.0.1:25"])
def test_without_a_mail_server_messages_are_skipped(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("SMTP_URL", url)
    get_settings.cache_clear()
    buy(shop)
    send(shop)
    [message] = messages(shop)
    assert (message.status, message.reason) == ("skipped", "mail is off")
    get_settings.cache_clear()


def test_who_gets_no_mail(shop: TestShop, postbox: Postbox) -> None:
    buy(shop, 5, customer=payloads.customer(email=None))
    buy(shop, 6, customer=payloads.customer(78))
    buy(shop, 7, customer=payloads.customer(79))
    with shop.work() as uow:
        for customer_id, step in ((78, "block"), (79, "erase")):
            member = members.by_customer(uow, customer_id)
            assert member is not None
            if step == "block":
                members.set_status(uow, member.id, "blocked")
            else:
                members.erase(uow, member.id)
    send(shop)
    assert postbox.mails == []
    assert {(one.status, one.reason) for one in messages(shop)} == {
        ("skipped", "no e-mail address"),
        ("skipped", "the member is blocked"),
        ("skipped", "the member was erased"),
    }


@pytest.mark.parametrize(
    ("answer", "reply"), [("550 no such mailbox shopper77@example.com", 550), ("554 spam", 554)]
)
def test_a_refusal_for_good_is_recorded_without_the_address(
    shop: TestShop, postbox: Postbox, answer: str, reply: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    postbox.answers = [answer]
    buy(shop)
    send(shop, 2)
    [message] = messages(shop)
    assert (message.status, message.reason) == ("failed", f"refused with {reply}")
    assert postbox.mails == []
    assert "shopper77" not in our_words(caplog)
    with shop.work() as uow:
        kept = uow.one("SELECT payload::text || coalesce(last_error, '') AS text FROM outbox")
    assert kept is not None
    assert "shopper77" not in kept["text"]
    assert "Noura" not in kept["text"]


def test_a_refused_recipient_is_recorded(shop: TestShop, postbox: Postbox) -> None:
    postbox.refuse_recipient = "550 unknown"
    buy(shop)
    send(shop)
    assert messages(shop)[0].reason == "refused with 550"


def test_a_server_that_is_busy_is_asked_again(
    shop: TestShop, postbox: Postbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    postbox.answers = ["451 later, shopper77@example.com"]
    buy(shop)
    send(shop)
    assert messages(shop)[0].status == "queued"
    send(shop)
    assert messages(shop)[0].status == "sent"
    assert len(postbox.mails) == 1
    assert "shopper77" not in our_words(caplog)


def test_a_server_that_is_away_is_asked_until_the_attempts_are_used_up(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:1")
    get_settings.cache_clear()
    buy(shop)
    with shop.work() as uow:
        uow.execute("UPDATE outbox SET attempts = 10")
    send(shop)
    assert messages(shop)[0].status == "queued"
    send(shop)
    assert (messages(shop)[0].status, messages(shop)[0].reason) == ("failed", "not delivered in time")
    get_settings.cache_clear()


def test_a_crash_after_sending_repeats_the_same_message_id(shop: TestShop, postbox: Postbox) -> None:
    buy(shop)
    send(shop)
    with shop.work() as uow:
        uow.execute("UPDATE outbox SET state = 0")
        uow.execute("UPDATE messages SET status = 'queued'")
    send(shop)
    first, second = postbox.mails
    assert first["Message-ID"] == second["Message-ID"]


def test_writing_twice_what_was_announced_once_tells_once(shop: TestShop, postbox: Postbox) -> None:
    pay(shop)
    for _ in range(2):
        send(shop)
        with shop.work() as uow:
            uow.execute("UPDATE outbox SET state = 0 WHERE kind = %(kind)s", {"kind": service.COMPOSE})
    send(shop)
    assert len(postbox.mails) == len(messages(shop)) == 1


def test_an_award_that_is_not_committed_is_not_told(shop: TestShop, postbox: Postbox) -> None:
    def fail() -> None:
        with shop.work() as uow:
            service.announce(uow, [Earned(ids.new_id(), ids.new_id(), 5)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    send(shop)
    assert messages(shop) == []


def test_nothing_is_written_about_who_was_erased_before(shop: TestShop, postbox: Postbox) -> None:
    pay(shop)
    pay(shop, 6, customer=payloads.customer(78))
    member_id = member_of(shop)
    with shop.work() as uow:
        members.erase(uow, member_id)
        handlers.erase_person(uow, member_id, 77)
    send(shop)
    assert postbox.recipients == [["shopper78@example.com"]]
    with shop.work() as uow:
        assert service.history(uow, member_id) == []


def test_a_batch_of_awards_is_announced_with_one_row(shop: TestShop, postbox: Postbox) -> None:
    for number in range(20):
        shop.tell("orders/paid", payloads.order(100 + number, customer=payloads.customer(200 + number)))
    shop.drain()
    with shop.work() as uow:
        assert [row["kind"] for row in uow.all("SELECT kind FROM outbox")] == [service.COMPOSE]
    send(shop)
    assert sorted(to for [to] in postbox.recipients) == sorted(
        f"shopper{200 + number}@example.com" for number in range(20)
    )


def test_a_name_cannot_write_headers(shop: TestShop, postbox: Postbox) -> None:
    with shop.work() as uow:
        uow.execute("UPDATE shops SET name = %(name)s", {"name": 'Tea\r\nBcc: thief@example.com "x" <y>'})
    buy(shop, customer=payloads.customer(first_name="N\r\nBcc: thief@example.com"))
    send(shop)
    [mail] = postbox.mails
    assert mail["Bcc"] is None
    assert postbox.recipients == [["shopper77@example.com"]]


def test_history_is_of_one_member_of_one_shop(shop: TestShop, other_shop: TestShop, postbox: Postbox) -> None:
    buy(shop)
    buy(shop, 6, customer=payloads.customer(78))
    with shop.work() as uow:
        assert len(service.history(uow, member_of(shop))) == 1
    with other_shop.work() as uow:
        assert service.history(uow, member_of(shop)) == []


def test_a_person_sees_and_can_have_forgotten_what_they_were_told(shop: TestShop, postbox: Postbox) -> None:
    buy(shop)
    member_id = member_of(shop)
    with shop.work() as uow:
        [line] = handlers.export_person(uow, member_id, None)["messages"]
        assert (line["kind"], line["status"]) == ("points_earned", "queued")
    for _ in range(2):
        with shop.work() as uow:
            handlers.erase_person(uow, member_id, None)
            handlers.erase_person(uow, None, 77)
    send(shop)
    assert postbox.mails == []
    assert "messages" in compliance.exported_tables() & compliance.erased_tables()

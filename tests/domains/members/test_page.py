"""The member page's head and actions: enrolling, blocking with a reason, writing, consent; and the segment filter."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from app.core import ids, outbox
from app.core.permissions import ALL, Permission
from app.domains.members import service
from app.domains.members.errors import AlreadyMember, CustomerUnknown
from app.domains.members.schemas import Guest
from app.domains.points import service as points
from app.domains.referrals import service as referrals
from app.domains.segments import service as segments
from app.domains.segments.schemas import SegmentIn
from tests.factories import payloads
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

CallAs = Callable[..., Caller]


@pytest.fixture
def merchant(shop: TestShop, call_as: CallAs) -> Caller:
    return call_as(staff(shop.id, ALL))


def join(shop: TestShop, customer: int = 77, consent: str | None = None) -> UUID:
    agreed = {"email_marketing_consent": {"state": consent}} if consent else {}
    shop.tell("customers/create", payloads.customer(customer, **agreed))
    shop.drain()
    with shop.work() as uow:
        member = service.by_customer(uow, customer)
    assert member is not None
    return member.id


def test_the_head_says_points_tier_and_code(shop: TestShop, merchant: Caller) -> None:
    member = join(shop)
    with shop.work() as uow:
        code = referrals.link(uow, member)
    page = merchant.fragment(f"/app/members/{member}").text
    assert code in page and "Bronze" in page and "200" in page
    assert "Points history" not in page, "the timeline tells it"


@pytest.mark.parametrize(
    ("state", "agreed"),
    [("subscribed", True), ("unsubscribed", False), ("not_subscribed", False), (None, False)],
)
def test_consent_follows_the_shop(shop: TestShop, state: str | None, agreed: bool) -> None:
    member = join(shop, consent=state)
    with shop.work() as uow:
        assert service.consents(uow, [member]) == {member: agreed}


def test_a_withdrawn_consent_is_withdrawn_and_nonsense_changes_nothing(shop: TestShop) -> None:
    member = join(shop, consent="subscribed")
    body = payloads.customer(77, email_marketing_consent={"state": "who knows"})
    shop.tell("customers/update", body)
    shop.drain()
    with shop.work() as uow:
        assert service.consents(uow, [member])[member]
    shop.tell("customers/update", payloads.customer(77, email_marketing_consent={"state": "unsubscribed"}))
    shop.drain()
    with shop.work() as uow:
        assert not service.consents(uow, [member])[member]
        assert service.export(uow, member)["email_marketing"] is False


def test_blocking_keeps_the_reason_as_a_note(shop: TestShop, merchant: Caller) -> None:
    member = join(shop)
    path = f"/app/members/{member}/block"
    assert merchant.submit(path, {"reason": ""}).status_code == 422
    assert merchant.submit(path, {"reason": "Shares one account"}).status_code == 200
    page = merchant.fragment(f"/app/members/{member}").text
    assert "Blocked: Shares one account" in page and "Unblock member" in page
    assert merchant.submit(f"/app/members/{member}/set-status", {"status": "active"}).status_code == 200
    with shop.work() as uow:
        assert service.by_ids(uow, [member])[member].status == "active"
        sealed = uow.scalar("SELECT count(*) FROM audit_entries WHERE after::text LIKE '%Shares%'")
    assert sealed == 0


def test_who_may_only_read_sees_no_actions(shop: TestShop, call_as: CallAs) -> None:
    member = join(shop)
    reader = call_as(staff(shop.id, frozenset({Permission.MEMBERS_READ})))
    page = reader.fragment(f"/app/members/{member}").text
    assert "Block member" not in page and "Write message" not in page and "Erase person" not in page
    for path, fields in (("block", {"reason": "x"}), ("write/send", {"subject": "x", "text": "y"})):
        assert reader.submit(f"/app/members/{member}/{path}", fields).status_code == 403
    assert reader.submit("/app/members/enroll", {"customer": "5"}).status_code == 403


@pytest.mark.parametrize(
    "typed",
    [
        "991",
        "gid://shopify/Customer/991",
        "https://admin.shopify.com/store/demo/customers/991?tab=1",
        " 991 ",
    ],
)
def test_a_customer_is_read_and_enrolled(
    shop: TestShop, merchant: Caller, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {
        "customer": {
            "legacyResourceId": "991",
            "updatedAt": "2026-11-20T10:00:00Z",
            "verifiedEmail": True,
            "firstName": "Ada",
            "lastName": "Byron",
            "locale": "fr",
            "defaultEmailAddress": {"emailAddress": "ada@example.com", "marketingState": "SUBSCRIBED"},
            "defaultPhoneNumber": None,
        }
    }
    monkeypatch.setattr("app.shopify.admin.AdminClient.run", lambda *_, **__: told)
    with shop.work() as uow:
        guests = service.welcome_guests(uow, [Guest("ada@example.com", None)])
    assert merchant.submit("/app/members/enroll", {"customer": typed}).status_code in (200, 204)
    outbox.drain()
    with shop.work() as uow:
        member = service.by_customer(uow, 991)
        assert member is not None and member.locale == "fr"
        assert service.profile(uow, member.id).name == "Ada Byron"
        assert service.consents(uow, [member.id])[member.id]
        assert service.following(uow, guests.values()) == dict.fromkeys(guests.values(), member)


def test_nobody_is_enrolled_whom_the_shop_does_not_know(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.shopify.admin.AdminClient.run", lambda *_, **__: {"customer": None})
    with shop.work() as uow:
        service.ask_to_enroll(uow, "992")
    outbox.drain()
    with shop.work() as uow:
        assert service.by_customer(uow, 992) is None


def test_nobody_adjusts_or_spends_what_an_erased_member_had(shop: TestShop, merchant: Caller) -> None:
    member = join(shop)
    page = merchant.get(f"/app/members/{member}").text
    offered = ("Adjust points", "give-reward?dialog=true", ">Move<")
    assert all(one in page for one in offered)
    with shop.work() as uow:
        service.erase(uow, member)
    page = merchant.get(f"/app/members/{member}").text
    assert "Former member" in page and not any(one in page for one in offered)


def test_a_member_who_is_not_there_leads_back_to_the_members(merchant: Caller) -> None:
    answer = merchant.get(f"/app/members/{ids.new_id()}")
    main = answer.text.partition('id="problem-title"')[2].partition("</main>")[0]
    assert answer.status_code == 404
    assert 'href="/app/members"' in main and "Try again" not in main


def test_adjusting_a_blocked_member_is_not_offered_but_explained(shop: TestShop, merchant: Caller) -> None:
    member = join(shop)
    opens = f'hx-get="/app/points-ledger/adjust/{member}"'
    assert opens in merchant.get(f"/app/members/{member}").text
    with shop.work() as uow:
        service.set_status(uow, member, "blocked")
    page = merchant.get(f"/app/members/{member}").text
    assert opens not in page and "This member cannot earn or spend points now." in page


def test_enrolling_refuses_nonsense_and_members(shop: TestShop, merchant: Caller) -> None:
    join(shop)
    with shop.work() as uow:
        for text in ("ada", "0", "https://example.com"):
            with pytest.raises(CustomerUnknown):
                service.ask_to_enroll(uow, text)
        with pytest.raises(AlreadyMember):
            service.ask_to_enroll(uow, "77")
    refused = merchant.submit("/app/members/enroll", {"customer": "ada"})
    assert refused.status_code == 422 and "members-enroll-customer-error" in refused.text


def test_the_list_is_narrowed_to_a_segment(shop: TestShop, merchant: Caller, other_shop: TestShop) -> None:
    inside, outside = join(shop, 1), join(shop, 2)
    with shop.work() as uow:
        segment = segments.create(uow, SegmentIn(name="Friends", kind="manual")).id
        segments.add_members(uow, segment, [inside])
    page = merchant.fragment(f"/app/members?segment={segment}").text
    assert f"/app/members/{inside}" in page and f"/app/members/{outside}" not in page
    assert "Friends" in page
    with other_shop.work() as uow:
        assert segments.options(uow) == []


def test_a_text_reaches_whoever_agreed_in_their_language(shop: TestShop, merchant: Caller) -> None:
    willing, unwilling = join(shop, 77, "subscribed"), join(shop, 78)
    typed = {"subject": "Hello", "text": "We are glad.\n\nCome again."}
    refused = merchant.submit(f"/app/members/{unwilling}/write/send", typed)
    assert refused.status_code == 409 and "did not agree" in refused.text
    assert merchant.fragment(f"/app/members/{willing}/write?start=thanks").text.count("Thank you") >= 1
    assert (
        merchant.submit(f"/app/members/{willing}/write/send", {"subject": "", "text": "x"}).status_code == 422
    )
    assert merchant.submit(f"/app/members/{willing}/write/send", typed).status_code == 200
    with shop.work() as uow:
        sent = uow.all("SELECT member_id, kind, status FROM messages WHERE kind = 'invitation'")
        assert [row["member_id"] for row in sent] == [willing]
        told = uow.one("SELECT subjects, audience FROM invitations")
    assert told == {"subjects": {"en": "Hello"}, "audience": "member"}


def test_codes_and_orders_lead_to_members(shop: TestShop) -> None:
    shop.tell("orders/paid", payloads.order(5))
    shop.drain()
    with shop.work() as uow:
        member = service.by_customer(uow, 77)
        assert member is not None
        code = referrals.link(uow, member.id)
        for text in ("#1005", "1005", code, code.lower()):
            assert [one.id for one in service.search(uow, text)] == [member.id], text


def test_an_address_enrolls_at_once_and_once(shop: TestShop, merchant: Caller, other_shop: TestShop) -> None:
    answer = merchant.submit("/app/members/enroll", {"customer": " New.Friend@Example.com "})
    assert answer.status_code == 200
    with shop.work() as uow:
        found = service.resolve_many(uow, ["new.friend@example.com"])["new.friend@example.com"]
        assert [one.status for one in found] == ["guest"] and str(found[0].id) in str(answer.headers)
        assert points.balance(uow, found[0].id).available > 0
        noted = uow.scalar("SELECT count(*) FROM audit_entries WHERE action = 'member.enrolled'")
        assert noted == 1
    with other_shop.work() as uow:
        assert not service.resolve_many(uow, ["new.friend@example.com"]).get("new.friend@example.com")
    again = merchant.submit("/app/members/enroll", {"customer": "new.friend@example.com"})
    assert again.status_code == 409 and "members-enroll-customer-error" in again.text


def test_whoever_ordered_as_a_guest_is_enrolled_by_their_address(shop: TestShop, merchant: Caller) -> None:
    with shop.work() as uow:
        guest = service.welcome_guests(uow, [Guest("once@example.com", None)])
    assert merchant.submit("/app/members/enroll", {"customer": "once@example.com"}).status_code == 200
    with shop.work() as uow:
        assert service.enrolled(uow, guest.values()) == set(guest.values())


def test_birthday_and_tags_are_kept_and_noted(
    shop: TestShop, merchant: Caller, call_as: CallAs, other_shop: TestShop
) -> None:
    member = join(shop)
    path = f"/app/members/{member}/edit"
    assert (
        merchant.submit(path, {"birthday": "1990-12-31", "tags": ["vip", "met in Paris"]}).status_code == 200
    )
    page = merchant.fragment(f"/app/members/{member}").text
    assert "Dec 31, 1990" in page and "met in Paris" in page
    assert "Tags added:" in page and "Birthday changed" in page
    with shop.work() as uow:
        assert service.export(uow, member)["birthday"] == "1990-12-31"
        entries = uow.scalar("SELECT count(*) FROM audit_entries WHERE action LIKE 'member.%'")
    assert (
        merchant.submit(path, {"birthday": "1990-12-31", "tags": ["vip", "met in Paris"]}).status_code == 200
    )
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM audit_entries WHERE action LIKE 'member.%'") == entries
    assert merchant.submit(path, {"birthday": "", "tags": []}).status_code == 200
    with shop.work() as uow:
        assert service.birthday(uow, member) is None and service.tags_of(uow, [member]) == {}
    for wrong in ({"birthday": "2999-01-01"}, {"birthday": "soon"}, {"tags": ["a,b"]}):
        assert merchant.submit(path, wrong).status_code == 422
    reader = call_as(staff(shop.id, frozenset({Permission.MEMBERS_READ})))
    assert reader.submit(path, {"tags": ["x"]}).status_code == 403
    assert call_as(staff(other_shop.id, ALL)).submit(path, {"birthday": "1990-12-31"}).status_code == 404


def test_a_note_can_be_removed(
    shop: TestShop, merchant: Caller, other_shop: TestShop, call_as: CallAs
) -> None:
    member = join(shop)
    merchant.submit(f"/app/members/{member}/note", {"text": "Likes tea"})
    with shop.work() as uow:
        note = service.notes(uow, member)[0].id
    other = call_as(staff(other_shop.id, ALL))
    other.submit(f"/app/members/{member}/remove-note", {"note": str(note)})
    merchant.submit(f"/app/members/{join(shop, 78)}/remove-note", {"note": str(note)})
    assert "Likes tea" in merchant.fragment(f"/app/members/{member}").text
    for _ in range(2):
        answer = merchant.submit(f"/app/members/{member}/remove-note", {"note": str(note)})
        assert answer.status_code == 200
    page = merchant.fragment(f"/app/members/{member}").text
    assert "Likes tea" not in page and page.count("Note removed") == 1 and "Changed:" not in page


def test_a_guest_can_be_erased(shop: TestShop, merchant: Caller) -> None:
    with shop.work() as uow:
        (guest,) = service.welcome_guests(uow, [Guest("gone@example.com", None)]).values()
    assert "Erase person" in merchant.fragment(f"/app/members/{guest}").text
    assert merchant.submit(f"/app/members/{guest}/erase", {}).status_code == 200
    with shop.work() as uow:
        assert service.by_ids(uow, [guest])[guest].status == "erased"
        assert not service.search(uow, "gone@example.com")


def test_the_page_shows_orders_and_codes(shop: TestShop, merchant: Caller, call_as: CallAs) -> None:
    shop.tell("orders/paid", payloads.order(5))
    shop.drain()
    with shop.work() as uow:
        member = service.by_customer(uow, 77)
    assert member is not None
    page = merchant.fragment(f"/app/members/{member.id}").text
    assert "Paid orders" in page and "#1005" in page and "/orders/5" in page
    assert "Nothing redeemed yet" in page
    reader = call_as(staff(shop.id, frozenset({Permission.MEMBERS_READ})))
    assert "Nothing redeemed yet" not in reader.fragment(f"/app/members/{member.id}").text


def test_a_task_knows_the_member_from_whose_page_it_came(shop: TestShop, merchant: Caller) -> None:
    member = join(shop)
    place = f"/app/quick-actions/award-points?dialog=true&member={member}"
    assert str(member) in merchant.fragment(place).text
    named = merchant.fragment(f"/app/members/found?ids={member}").text
    assert f'data-value="{member}"' in named
    fields = {"member": str(member), "points": "5", "reason": "goodwill", "_member": str(member)}
    done = merchant.submit("/app/quick-actions/award-points", fields | {"_step": "run", "_dialog": "true"})
    assert f"/app/members/{member}" in str(done.headers)

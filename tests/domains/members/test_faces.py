"""Merging, separating, notes and duplicates in the admin and through the API."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from app.core import ids
from app.core.permissions import ALL, Permission
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from tests.factories import payloads
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, api_key, staff

TAB = "/app/members"


@pytest.fixture
def pair(shop: TestShop) -> tuple[UUID, UUID]:
    with shop.work() as uow:
        one = members.enroll(uow, [Person(1, "ana.ruiz@gmail.com", "Ana", "Ruiz")])[1].id
        two = members.enroll(uow, [Person(2, "anaruiz@gmail.com", "Ana María", "Ruiz")])[2].id
        points.credit(uow, [Credit(two, 300, "k", "thanks")])
        members.index_profiles(uow)
    return one, two


def form(**fields: Any) -> dict[str, Any]:
    return {name: str(value) for name, value in fields.items()} | {"idempotency_key": str(ids.new_id())}


def test_staff_find_the_other_account_see_what_happens_and_merge(
    shop: TestShop, pair: tuple[UUID, UUID], call_as: Callable[..., Caller]
) -> None:
    one, two = pair
    merchant = call_as(staff(shop.id))
    assert f"other={two}" in merchant.get(f"{TAB}/{one}/merge?search=ana+mar").text
    preview = merchant.get(f"{TAB}/{one}/merge?other={two}")
    assert preview.status_code == 200
    assert "Available points" in preview.text and "300" in preview.text
    viewer = call_as(staff(shop.id, ALL - {Permission.MEMBERS_WRITE}))
    assert viewer.submit(f"{TAB}/{one}/merge/confirm", form(other=two)).status_code == 403
    assert merchant.submit(f"{TAB}/{one}/merge/confirm", form(other=two)).status_code == 200
    page = merchant.get(f"{TAB}/{one}").text
    assert "Merged accounts" in page
    with shop.work() as uow:
        merge_id = members.merges_of(uow, one)[0].id
        assert points.balance(uow, one).available == 300
    assert merchant.submit(f"{TAB}/{one}/unmerge", form(merge=merge_id)).status_code == 200
    assert merchant.submit(f"{TAB}/{one}/merge/confirm", form(other=one)).status_code in (409, 422)
    assert merchant.get(f"{TAB}/{one}/merge?other={ids.new_id()}").status_code == 404


def test_duplicates_are_merged_or_told_apart(
    shop: TestShop, pair: tuple[UUID, UUID], call_as: Callable[..., Caller]
) -> None:
    merchant = call_as(staff(shop.id))
    assert "Same mailbox" in merchant.get(f"{TAB}/duplicates").text
    fields = form(one=pair[0], other=pair[1])
    assert merchant.submit(f"{TAB}/duplicates/tell-apart", fields).status_code == 200
    assert "No possible duplicates" in merchant.get(f"{TAB}/duplicates").text


def test_a_note_is_sealed_and_shown_to_the_team(
    shop: TestShop, pair: tuple[UUID, UUID], call_as: Callable[..., Caller]
) -> None:
    merchant = call_as(staff(shop.id))
    assert merchant.submit(f"{TAB}/{pair[0]}/note", form(text="Likes <oud>")).status_code == 200
    assert "Likes &lt;oud&gt;" in merchant.get(f"{TAB}/{pair[0]}").text
    assert merchant.submit(f"{TAB}/{pair[0]}/note", form(text="")).status_code == 422
    with shop.work() as uow:
        assert b"oud" not in uow.scalar("SELECT text_sealed FROM member_notes")
        assert members.export(uow, pair[0])["notes"] == ["Likes <oud>"]
        members.erase(uow, pair[0])
        assert uow.scalar("SELECT count(*) FROM member_notes") == 0


def test_members_are_found_by_their_order(shop: TestShop, call_as: Callable[..., Caller]) -> None:
    shop.tell("orders/paid", payloads.order(5, customer=payloads.customer(77)))
    shop.drain()
    merchant = call_as(staff(shop.id))
    for text in ("%231005", "1005", "5"):
        assert "Noura Haddad" in merchant.get(f"{TAB}?search={text}").text


def test_the_api_merges_once_and_separates(
    shop: TestShop, other_shop: TestShop, pair: tuple[UUID, UUID], call_as: Callable[..., Caller]
) -> None:
    caller, stranger = call_as(api_key(shop.id)), call_as(api_key(other_shop.id))
    base = f"/api/loyalty-referral/members/{pair[0]}"
    assert stranger.post(f"{base}/merge", json={"removed": "2"}).status_code == 404
    first = caller.post(f"{base}/merge", json={"removed": "2"})
    assert first.status_code == 200, first.text
    assert first.json is not None
    assert caller.post(f"{base}/merge", json={"removed": "2"}).json == first.json
    body = {"merge_id": first.json["merge"]["id"]}
    assert stranger.post(f"{base}/unmerge", json=body).status_code == 404
    undone = caller.post(f"{base}/unmerge", json=body).json
    assert undone is not None and undone["merge"]["undone_at"]
    assert caller.post(f"{base}/unmerge", json={"merge_id": str(ids.new_id())}).status_code == 404
    assert caller.post(f"{base}/merge", json={"removed": "77"}).status_code == 404
    assert caller.post(f"{base}/merge", json={}).status_code == 422


def test_the_other_account_is_chosen_or_typed(
    shop: TestShop, pair: tuple[UUID, UUID], call_as: Callable[..., Caller]
) -> None:
    one, two = pair
    merchant = call_as(staff(shop.id))
    for typed in (str(two), "anaruiz@gmail.com", "2"):
        answer = merchant.submit(f"{TAB}/{one}/merge/find", form(member=typed, _member_shown="Ana María"))
        assert f"{TAB}/{one}/merge?other={two}" in str(answer.headers), typed
    with shop.work() as uow:
        members.enroll(uow, [Person(3, "x@example.com", "Ana")])
        members.index_profiles(uow)
    assert "search=ana" in str(merchant.submit(f"{TAB}/{one}/merge/find", form(member="ana")).headers)
    refused = merchant.submit(f"{TAB}/{one}/merge/find", form(member=str(one), _member_shown="Ana Ruiz"))
    assert refused.status_code == 422 and "No other member matches." in refused.text
    assert 'value="Ana Ruiz"' in refused.text and f'value="{one}"' in refused.text
    viewer = call_as(staff(shop.id, ALL - {Permission.MEMBERS_WRITE}))
    assert viewer.submit(f"{TAB}/{one}/merge/find", form(member="2")).status_code == 403


def test_the_list_names_people_by_what_is_known_of_them(
    shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    known = [
        Person(1, "ana@example.com", "Ana", "Ruiz"),
        Person(2, None, "Bo", None),
        Person(3, "<c>@example.com", None, None),
        Person(4, None, None, None),
    ]
    with shop.work() as uow:
        found = members.enroll(uow, known)
    page = call_as(staff(shop.id)).get(TAB).text
    cells = {
        number: page.partition(f'<a href="{TAB}/{one.id}">')[2].partition("</th>")[0]
        for number, one in found.items()
    }
    assert (
        cells[1]
        == '<bdi>Ana Ruiz</bdi></a><small class="cut muted ltr">ana@example.com</small></span></span>'
    )
    assert cells[2] == "<bdi>Bo</bdi></a></span></span>"
    assert cells[3] == "<bdi>&lt;c&gt;@example.com</bdi></a></span></span>"
    assert cells[4] == "<bdi>Former member</bdi></a></span></span>"

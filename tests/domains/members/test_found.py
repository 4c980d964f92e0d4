"""Members in the command search."""

from collections.abc import Iterator

import pytest
from flask import Flask

from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.web.principals import ShopInfo
from tests.factories import payloads
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, Door, open_door, staff

READ = frozenset({Permission.MEMBERS_READ})


@pytest.fixture
def door() -> Iterator[Door]:
    """Issues credentials."""
    with open_door() as opened:
        yield opened


def found(
    shop: TestShop, web_app: Flask, door: Door, text: str, permissions: frozenset[Permission] = READ
) -> str:
    info = ShopInfo(shop.domain, "Shop", "USD", "UTC")
    caller = Caller(web_app, door.token(staff(shop.id, permissions, shop=info)))
    answer = caller.fragment("/app/members/found", query_string={"q": text})
    return answer.text if answer.status_code == 200 else str(answer.status_code)


def test_an_address_leads_to_its_member_of_this_shop(
    shop: TestShop, other_shop: TestShop, web_app: Flask, door: Door
) -> None:
    shop.tell("customers/create", payloads.customer(first_name="<b>Noura</b>"))
    shop.drain()
    html = found(shop, web_app, door, "Shopper77@example.com ")
    assert html.count("<a ") == 1 and "&lt;b&gt;Noura" in html and "/app/members/" in html
    assert 'data-line="shopper77@example.com"' in html
    assert "<a " not in found(other_shop, web_app, door, "shopper77@example.com")


@pytest.mark.parametrize("text", ["", "s", "  x ", "nobody@example.com", "%", "x" * 300])
def test_nothing_is_found_for_too_little_or_unknown_text(
    shop: TestShop, web_app: Flask, door: Door, text: str
) -> None:
    shop.tell("customers/create", payloads.customer())
    shop.drain()
    assert "<a " not in found(shop, web_app, door, text)


def test_who_may_not_read_members_finds_none(shop: TestShop, web_app: Flask, door: Door) -> None:
    assert found(shop, web_app, door, "shopper77@example.com", frozenset({Permission.SETTINGS_READ})) == "403"


def test_a_field_gets_values_and_a_count_that_is_spoken(shop: TestShop, web_app: Flask, door: Door) -> None:
    with shop.work() as uow:
        made = members.enroll(uow, [Person(n, f"a{n}@example.com", "Ana") for n in range(1, 11)])
        members.index_profiles(uow)
    html = found(shop, web_app, door, "an")
    assert html.count("data-value=") == 8 and "<p data-told>8 members found</p>" in html
    with shop.work() as uow:
        members.merge(uow, made[1].id, made[2].id)
    html = found(shop, web_app, door, "a2@example.com")
    assert str(made[2].id) not in html and "No member matches" in html

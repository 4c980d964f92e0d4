"""The lists behind fields that choose by name: what they answer, and to whom."""

from collections.abc import Callable

import pytest

from app.core.permissions import Permission
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

PAGE = "/app/home/choices"
CallAs = Callable[..., Caller]


def test_countries_answer_in_the_readers_language(shop: TestShop, call_as: CallAs) -> None:
    merchant = call_as(staff(shop.id))
    page = merchant.fragment(PAGE, query_string={"of": "countries", "q": "alge"}).text
    assert '<li data-value="DZ" data-line="DZ">Algeria</li>' in page and "One found" in page
    arabic = merchant.fragment(
        PAGE, query_string={"of": "countries", "q": "جزائر"}, headers={"X-Locale": "ar"}
    )
    assert 'data-value="DZ" data-line="DZ">الجزائر</li>' in arabic.text


def test_zones_say_their_offset_country_and_time(shop: TestShop, call_as: CallAs) -> None:
    merchant = call_as(staff(shop.id))
    page = merchant.fragment(PAGE, query_string={"of": "zones", "q": "kolkata"}).text
    assert (
        'data-value="Asia/Kolkata" data-line="India · India Standard Time">Kolkata (UTC+05:30)</li>' in page
    )
    everything = merchant.fragment(PAGE, query_string={"of": "zones"}).text
    assert everything.count("data-value=") > 400 and everything.index('data-value=""') < everything.index(
        "Midway"
    )
    assert "<p data-told></p>" in everything, "nothing is said of a list that was only opened"


def test_nothing_found_is_said(shop: TestShop, call_as: CallAs) -> None:
    page = call_as(staff(shop.id)).fragment(PAGE, query_string={"of": "currencies", "q": "<zzz>"}).text
    assert "Nothing matches" in page and "<zzz>" not in page


@pytest.mark.parametrize("query", [{"of": "planets"}, {"q": "x" * 101}])
def test_other_lists_and_endless_texts_are_not_answered(
    shop: TestShop, call_as: CallAs, query: dict[str, str]
) -> None:
    page = call_as(staff(shop.id)).fragment(PAGE, query_string=query)
    assert page.status_code in (200, 400, 422)
    assert "x" * 101 not in page.text


def test_only_staff_who_see_settings_ask(shop: TestShop, call_as: CallAs) -> None:
    assert call_as(staff(shop.id, frozenset({Permission.SETTINGS_READ}))).fragment(PAGE).status_code == 200
    assert call_as(staff(shop.id, frozenset({Permission.MEMBERS_READ}))).fragment(PAGE).status_code == 403

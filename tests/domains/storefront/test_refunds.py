"""A shopper opens the widget after an order was refunded: real webhooks, programs without a punch card, each language."""

from decimal import Decimal
from typing import Any

import pytest

from app.core.i18n import LOCALES
from app.domains.members import service as members
from app.domains.points import service as points
from tests.domains.points.test_earning import change, pay, refund
from tests.domains.storefront.conftest import CUSTOMER, Visit
from tests.fixtures.shop import TestShop


@pytest.mark.parametrize(("debt_policy", "taken"), [("negative", -1_000), ("to_zero", -10)])
@pytest.mark.parametrize(
    "settings",
    [{"type": "points"}, {"type": "spend_based", "step": Decimal(50), "points_per_unit": Decimal(500)}],
)
def test_the_widget_opens_after_a_refund_and_says_what_it_took(
    shop: TestShop, visit: Visit, settings: dict[str, Any], debt_policy: str, taken: int
) -> None:
    change(shop, **settings, debt_policy=debt_policy, holding_days=0)
    pay(shop, 1, customer=CUSTOMER)
    with shop.work() as uow:
        member = members.by_customer(uow, CUSTOMER)
        assert member is not None
        points.spend(uow, member.id, 990, key="spent", reason="redemption")
    refund(shop, 1)
    assert shop.undone() == []
    answers = {locale: visit(CUSTOMER).get("summary", locale=locale) for locale in LOCALES}
    assert {locale: answer.status_code for locale, answer in answers.items()} == dict.fromkeys(LOCALES, 200)
    latest = [answer.json["activity"][0] for answer in answers.values()]
    assert {one["points"] for one in latest} == {taken}
    assert all("#1001" in one["reason"] and "990" in one["reason"] for one in latest)
    assert len({one["reason"] for one in latest}) == len(LOCALES)

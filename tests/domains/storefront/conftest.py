"""A storefront in front of a shop: requests as Shopify signs them, and a shopper with points."""

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.admin_menu import GROUPS
from app.core.settings import get_settings
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from app.factory import load_domains
from app.web import endpoints, tabs
from app.web.application import make_application
from tests.fixtures.shop import TestShop

CUSTOMER = 77


def signed(parameters: dict[str, str]) -> str:
    """A query as the app proxy signs it, written from the description and not from our code."""
    text = "".join(f"{name}={value}" for name, value in sorted(parameters.items()))
    secret = get_settings().shopify_api_secret.get_secret_value()
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return urlencode({**parameters, "signature": signature})


@dataclass
class Storefront:
    """A visitor of a shop's storefront; `customer` is who Shopify says is logged in."""

    app: Flask
    domain: str
    customer: int | None

    def query(self, **more: str) -> str:
        """The signed query of one request."""
        return signed(
            {
                "shop": self.domain,
                "path_prefix": "/apps/loyalnest",
                "timestamp": str(int(time.time())),
                "logged_in_customer_id": str(self.customer or ""),
                **more,
            }
        )

    def get(self, path: str, locale: str = "en", **headers: str) -> TestResponse:
        """GET behind the proxy."""
        return self.app.test_client().get(f"/proxy/{path}?{self.query(locale=locale)}", headers=headers)

    def redeem(self, body: Any, locale: str = "en") -> TestResponse:
        """POST redeem."""
        return self.app.test_client().post(f"/proxy/redeem?{self.query(locale=locale)}", json=body)

    def earn(self, body: Any, locale: str = "en") -> TestResponse:
        """POST earn."""
        return self.app.test_client().post(f"/proxy/earn?{self.query(locale=locale)}", json=body)


@pytest.fixture(scope="session")
def app() -> Flask:
    """The application with every domain."""
    load_domains()
    return make_application(get_settings(), endpoints.registry(), tabs.registry(), GROUPS)


Visit = Callable[..., Storefront]


@pytest.fixture
def visit(app: Flask, shop: TestShop, valkey: object) -> Visit:
    """Makes visitors: visit() is a guest, visit(77) a customer, visit(77, other_shop) one of another shop."""

    def make(customer: int | None = None, at: TestShop | None = None) -> Storefront:
        return Storefront(app, (at or shop).domain, customer)

    return make


def enroll(shop: TestShop, available: int = 0, customer: int = CUSTOMER, locale: str = "en") -> UUID:
    """A member with available points."""
    with shop.work() as uow:
        member = members.enroll(uow, [Person(customer, "ada@example.com", "Ada", "Byron", locale=locale)])[
            customer
        ]
        if available:
            points.credit(uow, [Credit(member.id, available, f"given:{customer}", "signup")])
    return member.id


@pytest.fixture
def member(shop: TestShop) -> UUID:
    """The shopper 77 with 1,200 points."""
    return enroll(shop, 1_200)


def reward_costing(shop: TestShop, cost: int) -> UUID:
    """The default reward of a price."""
    with shop.work() as uow:
        found: UUID = uow.scalar("SELECT id FROM rewards WHERE points_cost = %(cost)s", {"cost": cost})
    return found


def settle(shop: TestShop, redemption_id: str, status: str) -> None:
    """Let a redemption end as if Shopify had answered."""
    with shop.work() as uow:
        uow.execute(
            "UPDATE redemptions SET status = %(status)s WHERE id = %(id)s",
            {"status": status, "id": redemption_id},
        )

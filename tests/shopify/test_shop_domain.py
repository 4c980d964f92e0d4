"""One canonical form of a shop, and nothing that merely resembles it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.shopify import shop_domain
from app.shopify.shop_domain import InvalidShop


@pytest.mark.parametrize(
    "text", ["demo.myshopify.com", "Demo.MyShopify.com", "a.myshopify.com", "9-x.myshopify.com"]
)
def test_domains_are_kept_in_lower_case(text: str) -> None:
    assert shop_domain.parse(text) == text.lower()


@pytest.mark.parametrize(
    "text",
    [
        "", ".myshopify.com", "-a.myshopify.com", "demo", "demo.myshopify.com.evil.example",
        "evil.example/demo.myshopify.com",
        "demo.myshopify.com/", "demo.myshopify.com:443", "https://demo.myshopify.com", " demo.myshopify.com",
        "demo.myshopify.com\n", "demo\n.myshopify.com", "a.b.myshopify.com", "a_b.myshopify.com", "demoXmyshopify.com",
        "demo.myshopify.com#", "demo@evil.myshopify.com", "\u212aey.myshopify.com", "x" * 64 + ".myshopify.com",
        None, 7, b"demo",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: object) -> None:
    assert shop_domain.parse(text) is None
    with pytest.raises(InvalidShop):
        shop_domain.require(text)


@given(st.text(max_size=40))
def test_what_is_accepted_is_a_host_and_nothing_more(text: str) -> None:
    found = shop_domain.parse(text)
    assert found is None or (found.isascii() and found.count(".") == 2 and found == text.lower())


def test_handles_and_origins() -> None:
    assert shop_domain.handle("Demo.myshopify.com") == "demo"
    assert shop_domain.from_handle("demo") == "demo.myshopify.com"
    assert shop_domain.from_origin("https://demo.myshopify.com") == "demo.myshopify.com"
    assert shop_domain.from_origin("demo.myshopify.com") == "demo.myshopify.com"
    assert shop_domain.from_origin("http://demo.myshopify.com") is None
    assert shop_domain.from_origin(None) is None

"""The classic way to install, clicked through in a browser: agreed to, refused, tampered with, and tried twice."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.merchant import MILLISECONDS, Merchant
from tests.e2e.pictures import Album
from tests.e2e.stack import Stack
from tests.e2e.watch import Watch

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

_REFUSED = "status of 4(01|09)"


def test_a_shop_is_installed_the_classic_way(
    stack: Stack, visit: Visit, pictures: Path, watch: Watch
) -> None:
    shop = "classic.myshopify.com"
    stack.control("POST", "/shops", json={"shop": shop, "name": "Classic"})
    merchant = Merchant(visit(), stack, "classic", "en", Album(pictures, "en"))
    page, heading = merchant.page, merchant.page.locator("h1")
    page.goto(f"{merchant.admin}/apps/loyalnest")
    page.locator(f"a[href$='/auth/begin?shop={shop}']").click()
    expect(heading).to_have_text("Install LoyalNest in Classic")
    merchant.album.take(page, "consent")
    with watch.provoked(_REFUSED):
        page.locator("button[value=cancel]").click()
        expect(heading).to_have_text("The shop did not agree, so nothing was installed.")
        merchant.album.take(page, "denied")
        page.go_back()
    with page.expect_request("**/auth/callback?*") as coming_back:
        page.locator("button[value=install]").click()
        expect(merchant.main.locator("h1")).to_be_visible(timeout=MILLISECONDS)
    assert page.url == f"{merchant.admin}/apps/loyalnest"
    with watch.provoked(_REFUSED):
        page.goto(coming_back.value.url)
        expect(heading).to_contain_text("This installation is done")
        page.goto(coming_back.value.url.replace("code=", "code=0"))
        expect(heading).to_have_text("The request is not signed by Shopify.")
        merchant.album.take(page, "forged")
    merchant.open("/members")

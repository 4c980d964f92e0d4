"""Framing, the bounce page, redirects inside the frame and out of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.shopify import embedding
from app.shopify.embedding import UnsafeRedirect
from app.shopify.shop_domain import InvalidShop

UNSAFE = [
    "//evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "",
    "app",
]
CONTROLS = ["/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "/a b", "/\x00", "/a\\b"]


def test_only_the_shop_and_the_admin_may_frame_a_page() -> None:
    assert (
        embedding.frame_ancestors("demo.myshopify.com")
        == "https://demo.myshopify.com https://admin.shopify.com"
    )
    assert embedding.frame_ancestors(None) == "https://admin.shopify.com"
    with pytest.raises(InvalidShop):
        embedding.frame_ancestors("evil.example")


@pytest.mark.parametrize("path", UNSAFE + CONTROLS)
def test_paths_that_leave_the_origin_are_unsafe(path: str) -> None:
    assert embedding.safe_path(path) is None
    with pytest.raises(UnsafeRedirect):
        embedding.in_app_redirect("https://app.example/app", {}, path)
    assert embedding.bounce_page({"shopify-reload": path}).reload_path == "/app"


@given(st.text(max_size=30))
def test_a_safe_path_never_names_a_host(text: str) -> None:
    safe = embedding.safe_path(text)
    assert safe is None or (safe[0] == "/" and safe[1:2] not in {"/", "\\"})


@pytest.mark.parametrize("path", ["/", "/app", "/app/rewards?x=1&y=%20#top", "/app/é"])
def test_paths_on_this_origin_are_safe(path: str) -> None:
    assert embedding.safe_path(path) == path


def test_the_bounce_page_uses_nothing_unchecked() -> None:
    good = embedding.bounce_page(
        {"shop": "demo.myshopify.com", "shopify-reload": "/app/x?shop=demo.myshopify.com"}
    )
    assert good.shop_domain == "demo.myshopify.com"
    assert good.reload_path == "/app/x?shop=demo.myshopify.com"
    assert good.frame_ancestors == "https://demo.myshopify.com https://admin.shopify.com"
    absolute = embedding.bounce_page({"shopify-reload": "https://app.example/app/y"})
    assert (absolute.shop_domain, absolute.reload_path) == (None, "/app/y")
    for shop in ("evil.example", "demo.myshopify.com; script-src *", "demo.myshopify.com\r\nX: y"):
        assert embedding.bounce_page({"shop": shop}).frame_ancestors == "https://admin.shopify.com"
    assert (
        embedding.bounce_page({"shopify-reload": "https://app.example.evil.example/"}).reload_path == "/app"
    )


def test_a_redirect_inside_the_app_keeps_the_frames_parameters() -> None:
    url = "https://app.example/app/a?shop=demo.myshopify.com&host=YWRt&page=1&id_token=secret"
    reply = embedding.in_app_redirect(url, {}, "/app/b?page=2#end")
    assert reply.status == 302
    assert reply.headers["Location"] == "/app/b?shop=demo.myshopify.com&host=YWRt&page=2#end"


def test_a_bounced_request_is_navigated_by_script() -> None:
    headers = {"authorization": "Bearer x", "X-Shopify-Bounce": "1"}
    reply = embedding.in_app_redirect(
        "https://app.example/app", headers, "/app/b?q=</script><script>", nonce='n"'
    )
    assert reply.status == 200
    assert reply.body.count("</script>") == 2
    assert 'window.open("/app/b?q=%3C%2Fscript%3E%3Cscript%3E", "_self")' in reply.body
    assert 'nonce="n&quot;"' in reply.body
    assert embedding.in_app_redirect("https://app.example/app", {"Authorization": "x"}, "/b").status == 302


def test_leaving_the_frame() -> None:
    url = "https://admin.shopify.com/store/demo/charges/x?shop=demo.myshopify.com&hmac=1&plan=gold"
    page = embedding.exit_iframe({}, url)
    assert page.status == 200
    assert 'window.open("https://admin.shopify.com/store/demo/charges/x?plan=gold", "_top")' in page.body
    assert page.body.index("app-bridge.js") < page.body.index("window.open")
    fetch = embedding.exit_iframe({"Authorization": "Bearer x"}, url)
    assert fetch.status == 401
    assert (
        fetch.headers[embedding.REAUTHORIZE_HEADER]
        == "https://admin.shopify.com/store/demo/charges/x?plan=gold"
    )
    own = embedding.exit_iframe({}, "https://app.example/auth/begin?shop=demo.myshopify.com")
    assert "shop=demo.myshopify.com" in own.body
    assert embedding.exit_iframe({}, "https://demo.myshopify.com/admin").status == 200


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/", "http://admin.shopify.com/", "https://admin.shopify.com.evil.example/",
        "//admin.shopify.com",
        "https://admin.shopify.com@evil.example/", "javascript:alert(1)", "http://demo.myshopify.com/",
        "https://demo.myshopify.com:8443/", "https://admin.shopify.com/\r\nX: y", "/app",
    ],
)  # fmt: skip
def test_unknown_places_are_refused(url: str) -> None:
    with pytest.raises(UnsafeRedirect):
        embedding.exit_iframe({}, url)

from devstore import signatures


def test_webhooks_are_signed_as_shopify_signs_them():
    body = b'{"id":1,"email":"ann@example.com"}'
    assert signatures.webhook("hush", body) == "3ta5vuwBxRCQUOzM2SPfebOdjr449x/XW4p1BPjp/XA="


def test_proxy_requests_are_signed_as_in_the_documented_example():
    query = [
        ("extra", "1"),
        ("extra", "2"),
        ("shop", "shop-name.myshopify.com"),
        ("logged_in_customer_id", "1"),
        ("path_prefix", "/apps/awesome_reviews"),
        ("timestamp", "1317327555"),
        ("signature", "is left out"),
    ]
    assert (
        signatures.proxy("hush", query) == "4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb"
    )


def test_oauth_queries_are_signed_as_in_the_documented_example():
    query = {
        "code": "0907a61c0c8d55e99db179b68161bc00",
        "shop": "some-shop.myshopify.com",
        "timestamp": "1337178173",
    }
    assert (
        signatures.query("hush", query) == "4712bf92ffc2917d15a2f5a273e39f0116667419aa4b6ac0b3baaf26fa3c4d20"
    )

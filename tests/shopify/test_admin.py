"""The Admin client against a server that throttles, fails, hangs and refuses."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from app.core import db
from app.core.errors import LoyalNestError
from app.shopify import admin, sessions
from app.shopify.admin import AdminClient
from app.shopify.errors import (
    AccessDenied,
    GraphQLFailed,
    ShopifyUnavailable,
    ShopUnavailable,
    Throttled,
    TokenRejected,
    UserErrors,
)
from app.shopify.sessions import Credentials
from tests.shopify.conftest import cost
from tests.shopify.signing import SHOP
from tests.shopify.wire import Reply, Wire

OK = Reply(200, {"data": {"productVariant": {"id": "1"}}, "extensions": cost(10, 1990)})
THROTTLED = Reply(
    200,
    {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}], "extensions": cost(500, 100)},
)


def failing(*codes: str, data: object = None) -> Reply:
    return Reply(
        200, {"data": data, "errors": [{"message": "x", "extensions": {"code": code}} for code in codes]}
    )


@pytest.fixture
def client(shopify: Wire) -> AdminClient:
    shopify.always = OK
    return AdminClient(credentials=Credentials(SHOP, "shpat_1"))


def test_an_operation_is_sent_by_name(client: AdminClient, shopify: Wire) -> None:
    assert client.run("VariantPrice", {"id": "gid://shopify/ProductVariant/1"}) == {
        "productVariant": {"id": "1"}
    }
    seen = shopify.seen[0]
    assert (seen.path, seen.headers["host"]) == ("/admin/api/2026-10/graphql.json", SHOP)
    assert seen.headers["x-shopify-access-token"] == "shpat_1"
    assert seen.json()["operationName"] == "VariantPrice"
    assert seen.json()["variables"] == {"id": "gid://shopify/ProductVariant/1"}
    assert "#" not in seen.json()["query"]


def test_throttled_in_an_http_200_waits_for_the_missing_points(
    client: AdminClient, shopify: Wire, waits: list[float]
) -> None:
    shopify.script = [THROTTLED, OK]
    assert client.run("VariantPrice")["productVariant"]["id"] == "1"
    # 500 wanted, 100 there, 100 a second: four seconds, with jitter; once before and once at the second try.
    assert 4.0 <= waits[0] <= 4.4
    assert len(shopify.seen) == 2


def test_throttling_that_does_not_end_is_told(client: AdminClient, shopify: Wire, waits: list[float]) -> None:
    shopify.always = THROTTLED
    impatient = AdminClient(credentials=Credentials(SHOP, "shpat_1"), patience_seconds=2)
    with pytest.raises(Throttled) as caught:
        impatient.run("VariantPrice")
    assert caught.value.retryable and 4.0 <= caught.value.data["retry_after"] <= 4.4
    assert waits == []


def test_a_known_budget_is_waited_for_before_asking(
    client: AdminClient, shopify: Wire, waits: list[float]
) -> None:
    shopify.script = [Reply(200, {**OK.body, "extensions": cost(300, 50)}), OK]
    client.run("VariantPrice")
    assert waits == []
    client.run("VariantPrice")
    assert 2.4 <= waits[0] <= 2.9


def test_background_work_leaves_its_share_to_others(
    client: AdminClient, shopify: Wire, waits: list[float]
) -> None:
    shopify.script = [Reply(200, {**OK.body, "extensions": cost(10, 600)}), OK, OK]
    client.run("VariantPrice")
    client.run("VariantPrice")
    assert waits == []
    shopify.script = [Reply(200, {**OK.body, "extensions": cost(10, 600)}), OK]
    client.run("VariantPrice")
    AdminClient(credentials=Credentials(SHOP, "shpat_1"), reserve_share=0.5).run("VariantPrice")
    assert 4.0 <= waits[0] <= 4.5  # half of 2000 plus 10, less 600, at 100 a second


def test_budgets_are_kept_apart_by_shop(client: AdminClient, shopify: Wire, waits: list[float]) -> None:
    shopify.script = [Reply(200, {**OK.body, "extensions": cost(300, 0)})]
    client.run("VariantPrice")
    AdminClient(credentials=Credentials("other.myshopify.com", "t")).run("VariantPrice")
    assert waits == []


def test_429_waits_as_long_as_asked(client: AdminClient, shopify: Wire, waits: list[float]) -> None:
    shopify.script = [Reply(429, headers={"Retry-After": "2.0"}), OK]
    client.run("TagsAdd", {"id": "x", "tags": []})
    assert 2.0 <= waits[0] <= 2.6


def test_429_for_too_long_is_told(client: AdminClient, shopify: Wire, waits: list[float]) -> None:
    shopify.always = Reply(429, headers={"Retry-After": "60"})
    with pytest.raises(Throttled) as caught:
        client.run("VariantPrice")
    assert (caught.value.data["retry_after"], waits) == (60.0, [])


@pytest.mark.parametrize(
    "fault", [Reply(500), Reply(502), Reply(503), Reply(fault="reset"), Reply(fault="cut")]
)
def test_a_query_survives_a_passing_fault(client: AdminClient, shopify: Wire, fault: Reply) -> None:
    shopify.script = [fault, OK]
    assert client.run("VariantPrice")["productVariant"]["id"] == "1"


@pytest.mark.parametrize("fault", [Reply(500), Reply(503), Reply(fault="reset"), Reply(fault="cut")])
def test_a_mutation_that_may_have_run_is_not_repeated(
    client: AdminClient, shopify: Wire, fault: Reply
) -> None:
    shopify.always = fault
    with pytest.raises(ShopifyUnavailable) as caught:
        client.run("TagsAdd", {"id": "x", "tags": []})
    assert caught.value.sent and caught.value.retryable
    assert len(shopify.seen) == 1


def test_a_hanging_shop_is_left(shopify: Wire) -> None:
    shopify.always = Reply(fault="hang")
    client = AdminClient(credentials=Credentials(SHOP, "t"), patience_seconds=0.4)
    with pytest.raises(ShopifyUnavailable):
        client.run("TagsAdd", {"id": "x", "tags": []})


def test_a_shop_that_always_fails_is_left_alone_for_a_while(client: AdminClient, shopify: Wire) -> None:
    shopify.always = Reply(503)
    for _ in range(6):
        with pytest.raises(ShopifyUnavailable) as caught:
            client.run("TagsAdd", {"id": "x", "tags": []})
    assert len(shopify.seen) == 5 and not caught.value.sent


@pytest.mark.parametrize(("status", "retryable"), [(402, False), (404, False), (423, True)])
def test_a_shop_that_is_away(client: AdminClient, shopify: Wire, status: int, retryable: bool) -> None:
    shopify.always = Reply(status)
    with pytest.raises(ShopUnavailable) as caught:
        client.run("VariantPrice")
    assert caught.value.retryable is retryable


@pytest.mark.parametrize(
    ("reply", "error", "retryable"),
    [
        (Reply(403), AccessDenied, False),
        (failing("ACCESS_DENIED"), AccessDenied, False),
        (failing("SHOP_INACTIVE"), ShopUnavailable, False),
        (failing("INTERNAL_SERVER_ERROR"), GraphQLFailed, True),
        (failing("MAX_COST_EXCEEDED"), GraphQLFailed, False),
        (failing("INTERNAL_SERVER_ERROR", "undefinedField"), GraphQLFailed, False),
        (Reply(200, {"errors": [{"message": "syntax"}]}), GraphQLFailed, False),
        (Reply(200, {"errors": "Not Found"}), GraphQLFailed, False),
        (Reply(400, {"errors": {"query": "Required"}}), GraphQLFailed, False),
        (Reply(200, {"data": None}), GraphQLFailed, False),
        (Reply(200, b"<html>"), ShopifyUnavailable, True),
        (Reply(200, [1]), ShopifyUnavailable, True),
    ],
)
def test_every_refusal_is_typed(
    client: AdminClient, shopify: Wire, reply: Reply, error: type[LoyalNestError], retryable: bool
) -> None:
    shopify.always = reply
    with pytest.raises(error) as caught:
        client.run("VariantPrice")
    assert caught.value.retryable is retryable


def test_partial_data_is_not_lost(client: AdminClient, shopify: Wire) -> None:
    shopify.always = failing("INTERNAL_SERVER_ERROR", data={"order": {"id": "1"}})
    with pytest.raises(GraphQLFailed) as caught:
        client.run("VariantPrice")
    assert caught.value.partial == {"order": {"id": "1"}} and caught.value.codes == {"INTERNAL_SERVER_ERROR"}


def test_denied_fields_may_be_absent_when_the_caller_allows_it(client: AdminClient, shopify: Wire) -> None:
    data = {"customer": {"id": "1", "firstName": None}}
    shopify.always = failing("ACCESS_DENIED", data=data)
    with pytest.raises(GraphQLFailed):
        client.run("CustomerById", {"id": "1"})
    assert client.run("CustomerById", {"id": "1"}, allow_denied=True) == data
    shopify.always = failing("ACCESS_DENIED", "INTERNAL_SERVER_ERROR", data=data)
    with pytest.raises(GraphQLFailed):
        client.run("CustomerById", {"id": "1"}, allow_denied=True)


def test_user_errors_of_a_mutation_are_raised(client: AdminClient, shopify: Wire) -> None:
    errors = [
        {"field": ["basicCodeDiscount", "code"], "code": "TAKEN", "message": "Code must be unique."},
        {"field": None, "message": "No."},
    ]
    payload = {"codeDiscountNode": None, "userErrors": errors}
    shopify.always = Reply(200, {"data": {"discountCodeBasicCreate": payload}})
    with pytest.raises(UserErrors) as caught:
        client.run("DiscountCodeBasicCreate", {"discount": {}})
    first, second = caught.value.errors
    assert (first.field, first.code, first.message) == (
        ("basicCodeDiscount", "code"),
        "TAKEN",
        "Code must be unique.",
    )
    assert (second.field, second.code) == ((), "")
    assert caught.value.codes == {"TAKEN"} and not caught.value.retryable
    assert "Code must be unique." in caught.value.sentence()


def test_an_accepted_mutation_returns_its_data(client: AdminClient, shopify: Wire) -> None:
    shopify.always = Reply(200, {"data": {"tagsAdd": {"node": {"id": "1"}, "userErrors": []}}})
    assert client.run("TagsAdd", {"id": "1", "tags": ["a"]})["tagsAdd"]["node"]["id"] == "1"


def test_pages_follow_the_cursor(client: AdminClient, shopify: Wire) -> None:
    def page(ids: list[str], cursor: str | None) -> Reply:
        info = {"hasNextPage": cursor is not None, "endCursor": cursor}
        return Reply(200, {"data": {"orders": {"nodes": [{"id": i} for i in ids], "pageInfo": info}}})

    shopify.script = [page(["1", "2"], "c1"), page([], "c2"), page(["3"], None)]
    found = list(client.pages("OrdersUpdatedSince", {"query": "x"}, "orders"))
    assert [node["id"] for node in found] == ["1", "2", "3"]
    assert [seen.json()["variables"]["after"] for seen in shopify.seen] == [None, "c1", "c2"]
    shopify.always = Reply(200, {"data": {"orders": None}})
    assert list(client.pages("OrdersUpdatedSince", {"query": "x"}, "orders")) == []


def test_no_call_and_no_wait_inside_a_transaction(
    client: AdminClient, shopify: Wire, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    shopify.script = [Reply(200, {**OK.body, "extensions": cost(300, 0)})]
    client.run("VariantPrice")
    monkeypatch.setattr(db, "open_transaction", lambda: True)
    with pytest.raises(RuntimeError, match="unit of work"):
        client.run("VariantPrice")
    assert (len(shopify.seen), waits) == (1, [])


def test_answers_and_tokens_are_not_logged(
    client: AdminClient, shopify: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    shopify.always = Reply(200, {"data": {"customer": {"firstName": "Ann-Personal"}}})
    client.run("CustomerById", {"id": "gid-personal"})
    for secret in ("Ann-Personal", "shpat_1", "gid-personal"):
        assert secret not in caplog.text


class Store:
    """Hands out the given tokens one after the other, as `sessions.access_token` would."""

    def __init__(self, *tokens: tuple[str, bool]) -> None:
        self.tokens = list(tokens)
        self.rejected: list[str | None] = []
        self.marked: list[str] = []

    def access_token(self, shop_id: object, *, rejected: str | None = None) -> Credentials:
        self.rejected.append(rejected)
        token, renewed = self.tokens.pop(0)
        return Credentials(SHOP, token, renewed)

    def mark(self, shop_id: object, token: str) -> None:
        self.marked.append(token)


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Store]:
    def use(*tokens: tuple[str, bool]) -> Store:
        store = Store(*tokens)
        monkeypatch.setattr(sessions, "access_token", store.access_token)
        monkeypatch.setattr(sessions, "mark_for_reopening", store.mark)
        return store

    return use


def test_a_401_is_answered_with_the_token_somebody_else_got(
    shopify: Wire, stored: Callable[..., Store]
) -> None:
    store = stored(("old", False), ("new", False))
    shopify.script = [Reply(401), OK]
    AdminClient(uuid4()).run("VariantPrice")
    assert store.rejected == [None, "old"] and store.marked == []
    assert [seen.headers["x-shopify-access-token"] for seen in shopify.seen] == ["old", "new"]


def test_a_second_401_is_answered_with_one_refresh(shopify: Wire, stored: Callable[..., Store]) -> None:
    store = stored(("old", False), ("read", False), ("fetched", True))
    shopify.script = [Reply(401), Reply(401), OK]
    AdminClient(uuid4()).run("VariantPrice")
    assert store.rejected == [None, "old", "read"] and store.marked == []


@pytest.mark.parametrize(
    "tokens",
    [
        [("old", False), ("fetched", True)],
        [("fetched", True)],
        [("old", False), ("read", False), ("fetched", True)],
    ],
)
def test_a_401_after_a_refresh_marks_the_shop(
    shopify: Wire, stored: Callable[..., Store], tokens: list[tuple[str, bool]]
) -> None:
    store = stored(*tokens)
    shopify.always = Reply(401)
    with pytest.raises(TokenRejected) as caught:
        AdminClient(uuid4()).run("VariantPrice")
    assert store.marked == ["fetched"] and not caught.value.retryable
    assert len(shopify.seen) == len(tokens)


def test_a_401_with_credentials_at_hand_is_told(client: AdminClient, shopify: Wire) -> None:
    shopify.always = Reply(401)
    with pytest.raises(TokenRejected):
        client.run("VariantPrice")
    assert len(shopify.seen) == 1


def test_a_client_is_for_a_shop_or_for_credentials() -> None:
    with pytest.raises(ValueError):
        AdminClient()
    with pytest.raises(ValueError):
        AdminClient(uuid4(), credentials=Credentials(SHOP, "t"))
    assert admin.AdminClient(uuid4()) is not None

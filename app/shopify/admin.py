"""The Admin GraphQL client: named operations in, data out, every failure a typed error.

It waits for the shop's call budget, tries again what may be tried again, renews a rejected token once, and refuses to
run while a database transaction is open. Answers hold personal data and are never logged.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from app.core.http import Answer, AnswerUnreadable, OutboundFailed, Timeouts, outbound, refuse_in_transaction
from app.core.settings import get_settings
from app.shopify import sessions
from app.shopify.errors import (
    AccessDenied,
    GraphQLFailed,
    ShopifyUnavailable,
    ShopUnavailable,
    Throttled,
    TokenRejected,
    UserError,
    UserErrors,
)
from app.shopify.operations import OPERATIONS, Operation
from app.shopify.sessions import Credentials
from app.shopify.throttle import Throttle

Data = dict[str, Any]
_throttle = Throttle()
_sleep = time.sleep


class AdminClient:
    """Talks to one shop, by id with its stored token or, at installation, with credentials at hand.

    `patience_seconds` bounds a call with its waiting and repeating; `reserve_share` (0 to 1) is the part of the
    budget that background work leaves to others.
    """

    def __init__(
        self,
        shop_id: UUID | None = None,
        *,
        credentials: Credentials | None = None,
        patience_seconds: float = 20.0,
        reserve_share: float = 0.0,
    ) -> None:
        if (shop_id is None) == (credentials is None):
            raise ValueError("give a shop or credentials")
        self._shop_id = shop_id
        self._credentials = credentials
        self._patience = patience_seconds
        self._reserve_share = reserve_share

    def run(
        self, operation: str, variables: Mapping[str, Any] | None = None, *, allow_denied: bool = False
    ) -> Data:
        """Run an operation by its GraphQL name and return `data`; with `allow_denied`, fields the shop keeps to itself
        (protected customer data) may be null instead of failing the whole.

        Raises UserErrors (a mutation was refused), Throttled, ShopifyUnavailable, TokenRejected, ShopUnavailable,
        AccessDenied, GraphQLFailed. A query is repeated after a failure; a mutation only when it cannot have run, and
        ShopifyUnavailable.sent tells whether it may have.
        """
        refuse_in_transaction()
        chosen = OPERATIONS[operation]
        give_up = time.monotonic() + self._patience
        while True:
            try:
                return self._attempt(chosen, variables or {}, give_up, allow_denied)
            except Throttled as error:
                wait = float(error.data["retry_after"])
                if time.monotonic() + wait > give_up:
                    raise
                _sleep(wait)

    def pages(self, operation: str, variables: Mapping[str, Any], *path: str) -> Iterator[Data]:
        """The nodes of every page of a connection. The operation takes `$after`; `path` leads to the connection."""
        after: str | None = None
        while True:
            found: Any = self.run(operation, {**variables, "after": after})
            for key in path:
                found = found[key] if found is not None else None
            if found is None:
                return
            yield from found["nodes"]
            if not found["pageInfo"]["hasNextPage"]:
                return
            after = found["pageInfo"]["endCursor"]

    def _attempt(
        self, operation: Operation, variables: Mapping[str, Any], give_up: float, allow_denied: bool
    ) -> Data:
        credentials = self._credentials or self._from_store()
        self._await_budget(credentials.shop_domain, operation, give_up)
        answer = self._send(credentials, operation, variables, give_up)
        # Somebody else may have renewed the token, so the first new one is read, and only the second is fetched.
        for _ in range(2):
            if answer.status == 401 and self._shop_id is not None and not credentials.renewed:
                credentials = self._from_store(rejected=credentials.access_token)
                answer = self._send(credentials, operation, variables, give_up)
        if answer.status == 401:
            if self._shop_id is not None:
                sessions.mark_for_reopening(self._shop_id, credentials.access_token)
            raise TokenRejected()
        return _data(credentials.shop_domain, operation, answer, allow_denied)

    def _from_store(self, rejected: str | None = None) -> Credentials:
        assert self._shop_id is not None
        return sessions.access_token(self._shop_id, rejected=rejected)

    def _await_budget(self, domain: str, operation: Operation, give_up: float) -> None:
        wait = _throttle.wait_for(domain, operation.name, reserve_share=self._reserve_share)
        if wait:
            _sleep(max(0.0, min(wait, give_up - time.monotonic())))

    def _send(
        self, credentials: Credentials, operation: Operation, variables: Mapping[str, Any], give_up: float
    ) -> Answer:
        left = max(0.2, give_up - time.monotonic())
        url = f"https://{credentials.shop_domain}/admin/api/{get_settings().shopify_api_version}/graphql.json"
        try:
            return outbound().request(
                "POST",
                url,
                headers={"X-Shopify-Access-Token": credentials.access_token, "Accept": "application/json"},
                json={"query": operation.text, "operationName": operation.name, "variables": dict(variables)},
                repeatable=operation.kind == "query",
                timeouts=Timeouts(connect=3, read=20, total=left),
                max_bytes=20_000_000,
            )
        except OutboundFailed as error:
            raise ShopifyUnavailable(sent=error.sent) from error


def _data(domain: str, operation: Operation, answer: Answer, allow_denied: bool) -> Data:
    if answer.status == 429:
        raise Throttled(retry_after=max(answer.retry_after or 1.0, 0.1))
    if answer.status in {402, 404, 423}:
        raise ShopUnavailable(http_status=answer.status)
    if answer.status == 403:
        raise AccessDenied(operation=operation.name)
    if answer.status >= 500:
        raise ShopifyUnavailable(sent=True)
    try:
        given = answer.json()
    except AnswerUnreadable as error:
        raise ShopifyUnavailable(sent=True) from error
    if not isinstance(given, dict):
        raise ShopifyUnavailable(sent=True)
    _throttle.learn(domain, operation.name, given.get("extensions"))
    data: Data | None = given["data"] if isinstance(given.get("data"), dict) else None
    if answer.status != 200 or data is None or given.get("errors"):
        codes = _codes(given.get("errors"))
        if data is None or not allow_denied or set(codes) != {"ACCESS_DENIED"}:
            raise _failure(domain, operation, codes, data)
    _refuse_user_errors(operation, data)
    return data


def _codes(errors: Any) -> list[str]:
    listed = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    found = [error.get("extensions") for error in listed]
    return [str(extensions.get("code", "")) if isinstance(extensions, dict) else "" for extensions in found]


def _failure(domain: str, operation: Operation, codes: list[str], partial: Data | None) -> Exception:
    if "THROTTLED" in codes:
        return Throttled(retry_after=round(_throttle.wait_for(domain, operation.name) or 1.0, 2))
    if "ACCESS_DENIED" in codes and partial is None:
        return AccessDenied(operation=operation.name)
    if "SHOP_INACTIVE" in codes:
        return ShopUnavailable(http_status=402)
    retryable = bool(codes) and set(codes) <= {"INTERNAL_SERVER_ERROR", "TIMEOUT"}
    return GraphQLFailed(operation.name, codes=codes, partial=partial, retryable=retryable)


def _refuse_user_errors(operation: Operation, data: Data) -> None:
    if operation.kind != "mutation":
        return
    refused = [
        UserError(
            tuple(map(str, error.get("field") or ())), str(error.get("code") or ""), str(error.get("message"))
        )
        for payload in data.values()
        if isinstance(payload, dict)
        for error in payload.get("userErrors") or ()
    ]
    if refused:
        raise UserErrors(operation.name, refused)

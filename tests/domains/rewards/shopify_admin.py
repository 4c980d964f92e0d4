"""A server that plays Shopify's discounts over real HTTP, with faults at the moments that matter.

Every operation and its variables are checked against the schema the product keeps.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, OperationDefinitionNode, build_schema, get_variable_values, parse, validate

SCHEMA = Path(__file__).parents[3] / "app" / "shopify" / "graphql" / "schema.graphql"


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """Shopify's schema as the product keeps it."""
    return build_schema(SCHEMA.read_text())


class ShopifyAdmin:
    """Discount codes by upper-case code. `plan` holds faults for the next mutations, in order:

    "before": the connection breaks before anything is done; "after": it breaks when the work is done; "5xx after";
    "throttled"; "refuse:CODE" a user error; "denied" HTTP 403; "revoked" HTTP 401; "wait": stays silent until
    `released`, then does the work; None: no fault.
    """

    def __init__(self) -> None:
        self.codes: dict[str, dict[str, Any]] = {}
        self.prices: dict[str, str] = {}
        self.cards: dict[str, dict[str, Any]] = {}
        self.credits: list[dict[str, Any]] = []
        self.tags: dict[str, list[str]] = {}
        self.plan: list[str | None] = []
        self.calls: list[str] = []
        self.inputs: list[dict[str, Any]] = []
        self.released = threading.Event()
        self.lock = threading.Lock()

    def creations(self) -> int:
        """How often a code was asked for."""
        return sum("Create" in name for name in self.calls)

    def answer(self, name: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The data of one operation."""
        if name == "DiscountByCode":
            return {"codeDiscountNodeByCode": self.codes.get(variables["code"].upper())}
        if name == "VariantPrice":
            price = self.prices.get(variables["id"])
            found = {
                "id": variables["id"],
                "displayName": "Mug",
                "price": price,
                "availableForSale": True,
                "product": None,
            }
            return {"productVariant": found if price is not None else None}
        if name == "DiscountCodeDeactivate":
            return {"discountCodeDeactivate": self._deactivate(variables["id"])}
        if name in _MONEY:
            return dict(_MONEY[name](self, variables))
        return {name[0].lower() + name[1:]: self._create(name, variables["discount"])}

    def _create(self, name: str, wanted: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            self.inputs.append(wanted)
            if wanted["code"].upper() in self.codes:
                return refusal("TAKEN", "code")
            node = {
                "id": f"gid://shopify/DiscountCodeNode/{len(self.codes) + 1}",
                "codeDiscount": {
                    "__typename": name.removesuffix("Create"),
                    "title": wanted["title"],
                    "status": "ACTIVE",
                    "usageLimit": wanted["usageLimit"],
                    "asyncUsageCount": 0,
                    "startsAt": wanted["startsAt"],
                    "endsAt": wanted.get("endsAt"),
                    "codes": {
                        "nodes": [{"id": "gid://shopify/DiscountRedeemCode/1", "code": wanted["code"]}]
                    },
                },
            }
            self.codes[wanted["code"].upper()] = node
            return {"codeDiscountNode": node, "userErrors": []}

    def _deactivate(self, gid: str) -> dict[str, Any]:
        for node in self.codes.values():
            if node["id"] == gid:
                node["codeDiscount"]["status"] = "EXPIRED"
                return {"codeDiscountNode": {"id": gid}, "userErrors": []}
        return refusal("INVALID", "id")

    def works(self, code: str) -> bool:
        """Whether a shopper could use the code."""
        node = self.codes.get(code.upper())
        return node is not None and node["codeDiscount"]["status"] == "ACTIVE"


def _create_card(admin: ShopifyAdmin, variables: dict[str, Any]) -> dict[str, Any]:
    wanted = variables["input"]
    if wanted["code"] in admin.cards:
        error = {"field": ["input", "code"], "code": "TAKEN", "message": "No."}
        return {"giftCardCreate": {"giftCard": None, "giftCardCode": None, "userErrors": [error]}}
    card = {
        "id": f"gid://shopify/GiftCard/{len(admin.cards) + 1}",
        "enabled": True,
        "note": wanted["note"],
        "initialValue": {"amount": wanted["initialAmount"]["amount"]},
        "balance": {"amount": wanted["initialAmount"]["amount"]},
    }
    admin.cards[wanted["code"]] = card
    return {"giftCardCreate": {"giftCard": card, "giftCardCode": wanted["code"], "userErrors": []}}


def _card(admin: ShopifyAdmin, gid: str) -> dict[str, Any]:
    return next(card for card in admin.cards.values() if card["id"] == gid)


def _end_card(admin: ShopifyAdmin, variables: dict[str, Any]) -> dict[str, Any]:
    card = _card(admin, variables["id"])
    card["enabled"] = False
    return {"giftCardDeactivate": {"giftCard": card, "userErrors": []}}


def _find_cards(admin: ShopifyAdmin, variables: dict[str, Any]) -> dict[str, Any]:
    found = [card for code, card in admin.cards.items() if code.lower().endswith(variables["query"])]
    return {"giftCards": {"nodes": found}}


def _credit(admin: ShopifyAdmin, variables: dict[str, Any]) -> dict[str, Any]:
    made = {
        "id": f"gid://shopify/StoreCreditAccountCreditTransaction/{len(admin.credits) + 1}",
        "createdAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "amount": variables["creditInput"]["creditAmount"],
    }
    admin.credits.append(made)
    return {"storeCreditAccountCredit": {"storeCreditAccountTransaction": made, "userErrors": []}}


def _history(admin: ShopifyAdmin, variables: dict[str, Any]) -> dict[str, Any]:
    account = {"id": "gid://shopify/StoreCreditAccount/1", "transactions": {"nodes": admin.credits[::-1]}}
    return {"customer": {"storeCreditAccounts": {"nodes": [account]}}}


def _add_tags(admin: ShopifyAdmin, variables: dict[str, Any]) -> dict[str, Any]:
    kept = admin.tags.setdefault(variables["id"], [])
    kept += [tag for tag in variables["tags"] if tag not in kept]
    return {"tagsAdd": {"node": {"id": variables["id"]}, "userErrors": []}}


def _remove_tags(admin: ShopifyAdmin, variables: dict[str, Any]) -> dict[str, Any]:
    kept = admin.tags.get(variables["id"], [])
    admin.tags[variables["id"]] = [tag for tag in kept if tag not in variables["tags"]]
    return {"tagsRemove": {"node": {"id": variables["id"]}, "userErrors": []}}


_MONEY: dict[str, Callable[[ShopifyAdmin, dict[str, Any]], dict[str, Any]]] = {
    "GiftCardCreate": _create_card,
    "GiftCardById": lambda admin, variables: {"giftCard": _card(admin, variables["id"])},
    "GiftCardsByEnding": _find_cards,
    "GiftCardDeactivate": _end_card,
    "StoreCreditCredit": _credit,
    "StoreCreditHistory": _history,
    "TagsAdd": _add_tags,
    "TagsRemove": _remove_tags,
}


def refusal(code: str, field: str) -> dict[str, Any]:
    """A payload with a user error."""
    return {
        "codeDiscountNode": None,
        "userErrors": [{"field": ["discount", field], "code": code, "message": "No."}],
    }


def check(query: str, variables: dict[str, Any]) -> None:
    """Fail when the operation or its variables do not fit the schema."""
    document = parse(query)
    errors = validate(schema(), document)
    assert not errors, errors
    [operation] = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    coerced = get_variable_values(schema(), operation.variable_definitions, variables)
    assert not isinstance(coerced, list), coerced


def _server(admin: ShopifyAdmin) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name, variables = call["operationName"], call["variables"]
            check(call["query"], variables)
            admin.calls.append(name)
            mutation = call["query"].lstrip().startswith("mutation") or "mutation " in call["query"]
            fault = admin.plan.pop(0) if mutation and admin.plan else None
            if fault == "wait":
                admin.released.wait(20)
            if fault == "before":
                return self._break()
            if fault in ("denied", "revoked"):
                return self._send({"errors": "no"}, 403 if fault == "denied" else 401)
            if fault == "throttled":
                return self._send({"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]})
            if fault and fault.startswith("refuse:"):
                payload = refusal(fault.removeprefix("refuse:"), "context")
                return self._send({"data": {name[0].lower() + name[1:]: payload}})
            data = admin.answer(name, variables)
            if fault == "after":
                return self._break()
            return self._send({"data": data}, 503 if fault == "5xx after" else 200)

        def _send(self, body: Any, status: int = 200) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _break(self) -> None:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = False
        block_on_close = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that leaves early is part of the game."""

    return Server(("127.0.0.1", 0), Handler)


@contextmanager
def serving() -> Iterator[tuple[ShopifyAdmin, str]]:
    """The server and its origin."""
    admin = ShopifyAdmin()
    server = _server(admin)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield admin, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        admin.released.set()
        server.shutdown()
        thread.join()
        server.server_close()

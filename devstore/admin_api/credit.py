"""Mutations on gift cards and store credit."""

import re
import secrets
from typing import Any

from devstore import customers, money, times
from devstore.admin_api import views
from devstore.admin_api.call import Call, Node
from devstore.errors import Refused
from devstore.gids import number, split
from devstore.state import Doc


class Credit:
    """giftCardCreate, giftCardDeactivate, storeCreditAccountCredit and storeCreditAccountDebit."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def look_up(self) -> dict[str, Any]:
        """Resolvers by field name."""
        return {
            "giftCardCreate": self._create_card,
            "giftCardDeactivate": self._end_card,
            "storeCreditAccountCredit": self._credit,
            "storeCreditAccountDebit": self._debit,
        }

    def _create_card(self, _info: Any, input: Doc) -> Node:
        """The plain code is in this answer only."""
        self._call.need("giftCardCreate", "write_gift_cards")
        store, domain = self._call.store, self._call.domain
        code = re.sub(r"[\s-]", "", input.get("code") or secrets.token_hex(8)).upper()
        given = input.get("initialAmount") or {
            "amount": input.get("initialValue"),
            "currencyCode": self._call.currency,
        }
        customer = number(input.get("customerId"), "Customer")
        with store.state.transaction():
            problem = self._card_problem(code, given, input, customer)
            if problem:
                return {"giftCard": None, "giftCardCode": None, "userErrors": [problem]}
            minor = money.to_minor(given["amount"], given["currencyCode"])
            card: Doc = {
                "id": store.state.next_id(),
                "code": code,
                "customer_id": customer,
                "currency": given["currencyCode"],
                "initial": minor,
                "balance": minor,
                "note": input.get("note"),
                "expires_on": input.get("expiresOn"),
                "enabled": True,
                "deactivated_at": None,
                "created_at": times.stamp(),
            }
            store.state.put("gift_card", domain, card, code)
        return {"giftCard": views.gift_card(self._call, card), "giftCardCode": code.lower(), "userErrors": []}

    def _card_problem(self, code: str, given: Doc, input: Doc, customer: int | None) -> Doc | None:
        store, domain = self._call.store, self._call.domain
        if not 8 <= len(code) <= 20:
            kind = "TOO_SHORT" if len(code) < 8 else "TOO_LONG"
            return _error(["input", "code"], kind, "Code must have 8 to 20 characters")
        if not code.isalnum():
            return _error(["input", "code"], "INVALID", "Code must be letters and digits")
        if store.state.by_key("gift_card", domain, code):
            return _error(["input", "code"], "TAKEN", "Code has already been taken")
        if input.get("customerId") and (customer is None or customers.find(store, domain, customer) is None):
            return _error(["input", "customerId"], "CUSTOMER_NOT_FOUND", "The customer could not be found.")
        return _amount_problem(given, ["input", "initialAmount"])

    def _end_card(self, _info: Any, id: str) -> Node:
        """For good."""
        self._call.need("giftCardDeactivate", "write_gift_cards")
        wanted = number(id, "GiftCard")
        with self._call.store.state.transaction():
            card = self._call.store.state.get("gift_card", self._call.domain, wanted or 0)
            if card is None:
                return {
                    "giftCard": None,
                    "userErrors": [
                        _error(["id"], "GIFT_CARD_NOT_FOUND", "The gift card could not be found.")
                    ],
                }
            card |= {"enabled": False, "deactivated_at": times.stamp()}
            self._call.store.state.put("gift_card", self._call.domain, card, card["code"])
        return {"giftCard": views.gift_card(self._call, card), "userErrors": []}

    def _credit(self, _info: Any, id: str, creditInput: Doc) -> Node:
        """Credit an account, or a customer's account in that currency."""
        self._call.need("storeCreditAccountCredit", "write_store_credit_account_transactions")
        return self._post(
            id, creditInput["creditAmount"], 1, creditInput.get("expiresAt"), "creditInput", "creditAmount"
        )

    def _debit(self, _info: Any, id: str, debitInput: Doc) -> Node:
        """Debit an account down to zero at most."""
        self._call.need("storeCreditAccountDebit", "write_store_credit_account_transactions")
        return self._post(id, debitInput["debitAmount"], -1, None, "debitInput", "debitAmount")

    def _post(self, id: str, given: Doc, sign: int, expires: str | None, argument: str, name: str) -> Node:
        state, domain = self._call.store.state, self._call.domain
        with state.transaction():
            account = self._account(id, given["currencyCode"], create=sign > 0)
            problem = _amount_problem(given, [argument, name])
            if account is None:
                code = "OWNER_NOT_FOUND" if sign > 0 else "ACCOUNT_NOT_FOUND"
                problem = _error(["id"], code, "The account or its owner does not exist")
            elif account["currency"] != given["currencyCode"]:
                problem = _error(
                    [argument, name], "MISMATCHING_CURRENCY", "The currency is not the account's"
                )
            if problem or account is None:
                return {"storeCreditAccountTransaction": None, "userErrors": [problem]}
            minor = sign * money.to_minor(given["amount"], given["currencyCode"])
            if account["balance"] + minor < 0:
                error = _error([argument, name], "INSUFFICIENT_FUNDS", "The account does not hold enough")
                return {"storeCreditAccountTransaction": None, "userErrors": [error]}
            account["balance"] += minor
            posted = {
                "id": state.next_id(),
                "amount": minor,
                "after": account["balance"],
                "expires_at": expires,
                "created_at": times.stamp(),
            }
            account["transactions"].append(posted)
            state.put("store_credit", domain, account, f"{account['owner']}|{account['currency']}")
        return {
            "storeCreditAccountTransaction": views.credit_transaction(self._call, account, posted),
            "userErrors": [],
        }

    def _account(self, id: str, currency: str, *, create: bool) -> Doc | None:
        state, domain, parts = self._call.store.state, self._call.domain, split(id)
        if parts is None or parts[0] not in {"StoreCreditAccount", "Customer"}:
            return None
        if parts[0] == "StoreCreditAccount":
            return state.get("store_credit", domain, parts[1])
        if customers.find(self._call.store, domain, parts[1]) is None:
            return None
        found = state.by_key("store_credit", domain, f"{id}|{currency}")
        if found is None and create:
            found = {
                "id": state.next_id(),
                "owner": id,
                "currency": currency,
                "balance": 0,
                "transactions": [],
            }
        return found


def _amount_problem(given: Doc, path: list[str]) -> Doc | None:
    try:
        minor = money.to_minor(given["amount"], given["currencyCode"])
    except Refused:
        return _error([*path, "amount"], "INVALID", "Amount is invalid")
    if minor <= 0:
        code = "GREATER_THAN" if path[0] == "input" else "NEGATIVE_OR_ZERO_AMOUNT"
        return _error([*path, "amount"], code, "A positive amount must be used")
    return None


def _error(field: list[str], code: str, message: str) -> Doc:
    return {"field": field, "code": code, "message": message}

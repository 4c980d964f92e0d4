"""Mutations on metafields."""

import json
import re
from typing import Any

from devstore import customers, times
from devstore.admin_api import views
from devstore.admin_api.call import Call, Node
from devstore.gids import gid, split
from devstore.state import Doc

_MOST = 25
_KINDS = {"Customer": "customer", "Order": "order", "Product": "product", "DiscountCodeNode": "discount"}
_SCOPES = {"Customer": "write_customers", "Order": "write_orders", "Product": "write_products"}
_PATTERNS = {
    "number_integer": r"-?\d{1,19}",
    "number_decimal": r"-?\d{1,13}(\.\d{1,9})?",
    "boolean": r"true|false",
    "date": r"\d{4}-\d{2}-\d{2}",
    "date_time": r"\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})?",
    "single_line_text_field": r"[^\n]*",
}


class Metafields:
    """metafieldsSet and metafieldsDelete."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def look_up(self) -> dict[str, Any]:
        """Resolvers by field name."""
        return {"metafieldsSet": self._set, "metafieldsDelete": self._delete}

    def _set(self, _info: Any, metafields: list[Doc]) -> Node:
        """All or nothing, at most 25."""
        errors: list[Doc] = []
        if len(metafields) > _MOST:
            errors.append(
                _error(
                    None,
                    "LESS_THAN_OR_EQUAL_TO",
                    f"Exceeded the maximum metafields input limit of {_MOST}.",
                    ["metafields"],
                )
            )
        with self._call.store.state.transaction():
            changes = [self._check(index, given, errors) for index, given in enumerate(metafields[:_MOST])]
            if errors:
                return {"metafields": None, "userErrors": errors}
            kept = [self._keep(change) for change in changes if change is not None]
            for owner in dict.fromkeys(each["owner"] for each in kept):
                self._tell(owner)
        return {"metafields": [views.metafield(each) for each in kept], "userErrors": []}

    def _delete(self, _info: Any, metafields: list[Doc]) -> Node:
        """Deleting what is not there is no error."""
        deleted: list[Node | None] = []
        for given in metafields:
            owner, space, key = given["ownerId"], self._namespace(given.get("namespace")), given["key"]
            self._need("metafieldsDelete", owner)
            found = self._call.store.state.by_key("metafield", self._call.domain, f"{owner}|{space}|{key}")
            if found:
                self._call.store.state.remove("metafield", self._call.domain, found["id"])
            deleted.append({"ownerId": owner, "namespace": space, "key": key} if found else None)
        return {"deletedMetafields": deleted, "userErrors": []}

    def _check(self, index: int, given: Doc, errors: list[Doc]) -> Doc | None:
        owner, key = given["ownerId"], given["key"]
        self._need("metafieldsSet", owner)
        space = self._namespace(given.get("namespace"))
        path = ["metafields", str(index)]
        found = self._call.store.state.by_key("metafield", self._call.domain, f"{owner}|{space}|{key}")
        kind = given.get("type") or (found["type"] if found else None)
        if not self._exists(owner):
            errors.append(_error(index, "INVALID", "Owner does not exist.", [*path, "ownerId"]))
        elif not kind:
            errors.append(_error(index, "BLANK", "Type can't be blank", [*path, "type"]))
        elif not re.fullmatch(r"[\w-]{2,64}", key):
            errors.append(
                _error(
                    index,
                    "INVALID",
                    "Key must be 2 to 64 letters, digits, hyphens or underscores.",
                    [*path, "key"],
                )
            )
        elif not _valid(kind, given["value"]):
            errors.append(_error(index, "INVALID_VALUE", f"Value is not a valid {kind}.", [*path, "value"]))
        elif "compareDigest" in given and given["compareDigest"] != (
            views.digest(found["value"]) if found else None
        ):
            text = "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value."
            errors.append(_error(index, "STALE_OBJECT", text, path))
        return {
            "owner": owner,
            "namespace": space,
            "key": key,
            "type": kind,
            "value": given["value"],
            "found": found,
        }

    def _keep(self, change: Doc) -> Doc:
        state, moment = self._call.store.state, times.stamp()
        found = change.pop("found") or {"id": state.next_id(), "created_at": moment}
        kept = {**found, **change, "updated_at": moment}
        state.put("metafield", self._call.domain, kept, f"{kept['owner']}|{kept['namespace']}|{kept['key']}")
        return kept

    def _tell(self, owner: str) -> None:
        parts = split(owner)
        if parts and parts[0] == "Customer":
            store, domain = self._call.store, self._call.domain
            customers.touch(store, domain, customers.get(store, domain, parts[1]))

    def _exists(self, owner: str) -> bool:
        if owner in {
            gid("Shop", self._call.shop["id"]),
            gid("AppInstallation", self._call.shop["installation_id"]),
        }:
            return True
        parts = split(owner)
        kind = _KINDS.get(parts[0]) if parts else None
        return bool(parts and kind and self._call.store.state.get(kind, self._call.domain, parts[1]))

    def _need(self, field: str, owner: str) -> None:
        parts = split(owner)
        scope = _SCOPES.get(parts[0]) if parts else None
        if scope:
            self._call.need(field, scope)

    def _namespace(self, given: str | None) -> str:
        return self._call.own_namespace if given in {None, "$app"} else str(given)


def _valid(kind: str, value: str) -> bool:
    if kind == "json" or kind.startswith("list."):
        try:
            return isinstance(json.loads(value), list) or kind == "json"
        except ValueError:
            return False
    pattern = _PATTERNS.get(kind)
    return bool(value) and (pattern is None or bool(re.fullmatch(pattern, value)))


def _error(index: int | None, code: str, message: str, field: list[str]) -> Doc:
    return {"field": field, "code": code, "message": message, "elementIndex": index}

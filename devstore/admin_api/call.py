"""One GraphQL request: whose shop it is about and what its token may do."""

from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from devstore.runtime import DevStore
from devstore.state import Doc
from devstore.tokens import Access

Node = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """Handed to every resolver. `refuse` is set when a fault makes mutations fail with user errors."""

    store: DevStore
    shop: Doc
    access: Access
    refuse: bool = False

    @property
    def domain(self) -> str:
        """The shop's domain."""
        return str(self.shop["domain"])

    @property
    def currency(self) -> str:
        """The shop's currency."""
        return str(self.shop["currency"])

    @property
    def own_namespace(self) -> str:
        """What `$app` and an omitted namespace stand for."""
        return f"app--{int(self.store.settings.api_key.encode().hex()[:12] or '0', 16)}"

    def need(self, field: str, *scopes: str) -> None:
        """Raise ACCESS_DENIED unless one of `scopes` is granted."""
        if self.store.app.everything or set(scopes) & set(self.access.scopes):
            return
        required = " or ".join(f"`{scope}`" for scope in scopes)
        raise GraphQLError(
            f"Access denied for {field} field. Required access: {required} access scope.",
            extensions={
                "code": "ACCESS_DENIED",
                "documentation": "https://shopify.dev/api/usage/access-scopes",
                "requiredAccess": f"{required} access scope.",
            },
        )

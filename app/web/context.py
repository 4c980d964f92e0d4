"""What every handler receives: the open unit of work and who is asking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from app.core.db import UnitOfWork
from app.core.errors import Forbidden
from app.core.permissions import Permission
from app.web.principals import Principal


@dataclass(frozen=True, slots=True)
class Context:
    """One request. The edge opened `uow` and commits it; handlers only use it.

    `form_values` are the fields of a posted form as typed, for actions that read names their schema does not list.
    """

    principal: Principal
    locale: str
    request_id: str
    open_uow: UnitOfWork | None = None
    form_values: Mapping[str, str] = field(default_factory=dict)

    @property
    def uow(self) -> UnitOfWork:
        """The unit of work of this request; a public endpoint has none."""
        if self.open_uow is None:
            raise RuntimeError("this endpoint runs without a shop and has no unit of work")
        return self.open_uow

    @property
    def shop_id(self) -> UUID:
        """The shop of the principal."""
        if self.principal.shop_id is None:
            raise RuntimeError("this endpoint runs without a shop")
        return self.principal.shop_id

    def can(self, permission: Permission) -> bool:
        """Whether the principal holds the permission."""
        return permission in self.principal.permissions

    def require(self, permission: Permission) -> None:
        """Refuse with 403 unless the principal holds the permission."""
        if not self.can(permission):
            raise Forbidden(permission=str(permission))

"""What the audit trail notes of shops, which lies below and cannot write into it."""

from collections.abc import Sequence

from app.core.db import UnitOfWork
from app.core.events import subscribe
from app.domains.compliance import service
from app.domains.compliance.schemas import Change
from app.domains.shops.events import ApiKeyCreated, ApiKeyRevoked, ShopInstalled, ShopUninstalled, StaffJoined


@subscribe(ShopInstalled)
def shop_installed(uow: UnitOfWork, events: Sequence[ShopInstalled]) -> None:
    """A shop installed the app, or did so again."""
    changes = [
        Change("shop", str(fact.shop_id), None, {"domain": fact.domain, "again": fact.again})
        for fact in events
    ]
    service.record_many(uow, "shop.installed", changes)


@subscribe(ShopUninstalled)
def shop_uninstalled(uow: UnitOfWork, events: Sequence[ShopUninstalled]) -> None:
    """A shop removed the app."""
    changes = [
        Change("shop", str(fact.shop_id), None, {"at": fact.uninstalled_at.isoformat()}) for fact in events
    ]
    service.record_many(uow, "shop.uninstalled", changes)


@subscribe(StaffJoined)
def staff_joined(uow: UnitOfWork, events: Sequence[StaffJoined]) -> None:
    """A staff member came for the first time."""
    changes = [Change("staff", str(fact.staff_id), None, {"role": fact.role}) for fact in events]
    service.record_many(uow, "staff.joined", changes)


@subscribe(ApiKeyCreated)
def api_key_created(uow: UnitOfWork, events: Sequence[ApiKeyCreated]) -> None:
    """An API key was made."""
    changes = [
        Change("api_key", str(fact.api_key_id), None, {"label": fact.label, "scopes": list(fact.scopes)})
        for fact in events
    ]
    service.record_many(uow, "api_key.created", changes)


@subscribe(ApiKeyRevoked)
def api_key_revoked(uow: UnitOfWork, events: Sequence[ApiKeyRevoked]) -> None:
    """An API key was revoked."""
    changes = [
        Change("api_key", str(fact.api_key_id), {"label": fact.label}, {"revoked": True}) for fact in events
    ]
    service.record_many(uow, "api_key.revoked", changes)

"""What a member bought, on the member page."""

from typing import Any
from uuid import UUID

from app.domains.members import service as members
from app.domains.orders import queries
from app.domains.shops import service as shops
from app.web.context import Context

_SHOWN = 3


def _panel(ctx: Context, member_id: UUID) -> dict[str, Any]:
    found = queries.bought(ctx.uow, members.family(ctx.uow, member_id), _SHOWN)
    for one in found["newest"]:
        one["url"] = shops.admin_page(ctx.uow, f"orders/{one['order_id']}")
    return {"bought": found, "currency": shops.get(ctx.uow).currency}


members.register_panel("orders", 25, "admin/orders/_panel.html", _panel)

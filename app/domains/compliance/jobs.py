"""Background work of compliance: telling the merchant that an export is there, and dropping old exports."""

import contextlib
from urllib.parse import quote
from uuid import UUID

from app.core import i18n, mail
from app.core.db import unit_of_work
from app.core.jobs import job
from app.core.outbox import OutboxMessage, Settle, delivers
from app.core.settings import get_settings
from app.domains.compliance import service
from app.domains.compliance.schemas import ExportNews
from app.domains.shops import service as shops
from app.shopify.shop_domain import handle


@delivers(service.TELL_MERCHANT)
def tell_merchant(message: OutboxMessage) -> Settle | None:
    """Send the shop's contact a link to the export; the letter holds no personal data of the person."""
    request_id = UUID(message.payload["request_id"])
    with unit_of_work(message.shop_id) as uow:
        request = service.get_request(uow, request_id)
        shop = shops.get(uow)
        to = shops.contact_email(uow)
    if to is None:
        return None
    settings = get_settings()
    news = ExportNews(
        shop=shop.name,
        due_at=request.due_at,
        link=f"{settings.shopify_admin_origin}/store/{handle(shop.domain)}/apps/{quote(settings.shopify_api_key)}"
        f"/app/compliance/{request_id}",
    )
    locale = i18n.supported(shop.locale)
    content = mail.render("compliance/export_ready", locale, news)
    message_id = f"<{message.id}@{shop.domain}>"
    with contextlib.suppress(ValueError):  # an address that is none; the export waits in the admin
        mail.send(mail.Letter(locale, to, "LoyalNest", None, message_id, content))
    return None


@job("compliance.drop_exports")
def drop_exports() -> None:
    """Drop exports that the merchant has had for a month."""
    for shop in shops.list_directory():
        if shop["status"] != "erased":
            with unit_of_work(shop["shop_id"]) as uow:
                service.drop_old_exports(uow)

"""What happens to an installed shop: it changes its name or zone, its scopes, it removes the app."""

from collections.abc import Sequence
from datetime import datetime

from app.core import i18n
from app.core.db import UnitOfWork
from app.core.settings import get_settings
from app.domains.shops import queries
from app.domains.shops.errors import ShopNotFound
from app.domains.shops.events import ShopUninstalled
from app.domains.shops.schemas import Shop, ShopContext
from app.domains.shops.service import directory
from app.shopify.shop_domain import handle


def get(uow: UnitOfWork) -> Shop:
    """The unit of work's shop. Raises ShopNotFound."""
    shop = uow.once("shop", lambda: queries.get(uow))
    if shop is None:
        raise ShopNotFound()
    return shop


def admin_page(uow: UnitOfWork, path: str) -> str:
    """The address of a page of the shop's own Shopify admin, such as "orders/1001"."""
    return f"{get_settings().shopify_admin_origin}/store/{handle(get(uow).domain)}/{path}"


def contact_email(uow: UnitOfWork) -> str | None:
    """Where mail about the shop itself goes, in clear; never log or store it."""
    return queries.contact_email(uow)


def update(uow: UnitOfWork, context: ShopContext) -> None:
    """Take over what Shopify says about the shop now."""
    uow.forget("shop")
    # In another zone days begin at other instants, so those that were added up are added up anew.
    uow.execute(
        "DELETE FROM shop_days WHERE shop_id = %(shop)s"
        " AND EXISTS (SELECT 1 FROM shops WHERE shop_id = %(shop)s AND timezone <> %(zone)s)",
        {"shop": uow.shop, "zone": context.timezone},
    )
    uow.execute(
        "UPDATE shops SET name = %(name)s, email_sealed = %(email)s, currency = %(currency)s, timezone = %(zone)s,"
        " locale = coalesce(%(locale)s, locale), updated_at = %(now)s WHERE shop_id = %(shop)s",
        {
            "shop": uow.shop,
            "name": context.name,
            "email": uow.seal(context.email, "shops.email"),
            "currency": context.currency,
            "zone": context.timezone,
            "locale": i18n.supported(context.locale) if context.locale else None,
            "now": uow.now,
        },
    )


def change_scopes(uow: UnitOfWork, scopes: Sequence[str]) -> None:
    """Take over which scopes the shop grants now."""
    uow.forget("shop")
    uow.execute(
        "UPDATE shops SET scopes = %(scopes)s, updated_at = %(now)s WHERE shop_id = %(shop)s",
        {"shop": uow.shop, "scopes": ",".join(sorted(set(scopes))), "now": uow.now},
    )


def uninstall(uow: UnitOfWork, triggered_at: datetime | None) -> bool:
    """The shop removed the app: forget its tokens, keep its data. False when that was an earlier installation.

    Deliveries may arrive after the shop came back; a token exchanged later than the removal proves that it did.
    """
    shop = queries.get(uow)
    if shop is None or shop.status == "uninstalled":
        return False
    if triggered_at is not None and triggered_at < shop.installed_at:
        return False
    at = triggered_at or uow.now
    uow.forget("shop")
    uow.execute(
        "UPDATE shops SET status = 'uninstalled', uninstalled_at = %(at)s, access_token_sealed = NULL,"
        " access_expires_at = NULL, refresh_token_sealed = NULL, refresh_expires_at = NULL, refresh_lease_until = NULL,"
        " needs_reopening = false, scopes = '', updated_at = %(now)s WHERE shop_id = %(shop)s",
        {"shop": uow.shop, "at": at, "now": uow.now},
    )
    directory.set_status(uow, uow.shop, "uninstalled")
    uow.publish([ShopUninstalled(uow.shop, shop.domain, at)])
    return True


def orders_watermark(uow: UnitOfWork) -> datetime | None:
    """Up to when the shop's orders were compared with Shopify's; None before the first time."""
    row = uow.one("SELECT orders_watermark FROM shops WHERE shop_id = %(shop)s", {"shop": uow.shop})
    return row["orders_watermark"] if row else None


def set_orders_watermark(uow: UnitOfWork, at: datetime) -> None:
    """Note up to when the shop's orders were compared."""
    uow.forget("shop")
    uow.execute(
        "UPDATE shops SET orders_watermark = %(at)s WHERE shop_id = %(shop)s", {"shop": uow.shop, "at": at}
    )

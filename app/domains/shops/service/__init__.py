"""The verbs of shops: first contact, tokens, staff, API keys, changes at Shopify, uninstalling, erasing, home facts."""

from app.domains.shops.service.api_keys import (
    api_key_holder,
    create_api_key,
    list_api_keys,
    revoke_api_key,
)
from app.domains.shops.service.branding import brand, save_brand
from app.domains.shops.service.days import day_totals, keep_days, register_day_figures
from app.domains.shops.service.directory import forget_directory, installed, list_directory, look_up
from app.domains.shops.service.erasing import erase, mark_erased, sweep
from app.domains.shops.service.home_facts import home, put_guide_away, register_home_facts, see_widget
from app.domains.shops.service.installing import connect, install, visit
from app.domains.shops.service.lifecycle import (
    admin_page,
    change_scopes,
    contact_email,
    get,
    orders_watermark,
    set_orders_watermark,
    uninstall,
    update,
)
from app.domains.shops.service.staff import save_preferences
from app.domains.shops.service.tokens import list_stale_tokens

__all__ = [
    "admin_page",
    "api_key_holder",
    "brand",
    "change_scopes",
    "connect",
    "contact_email",
    "create_api_key",
    "day_totals",
    "erase",
    "forget_directory",
    "get",
    "home",
    "install",
    "installed",
    "keep_days",
    "list_api_keys",
    "list_directory",
    "list_stale_tokens",
    "look_up",
    "mark_erased",
    "orders_watermark",
    "put_guide_away",
    "register_day_figures",
    "register_home_facts",
    "revoke_api_key",
    "save_brand",
    "save_preferences",
    "see_widget",
    "set_orders_watermark",
    "sweep",
    "uninstall",
    "update",
    "visit",
]

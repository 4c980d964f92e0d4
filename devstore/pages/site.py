"""What every page needs: the shop in the address, who uses its admin, languages, and what a visitor left behind."""

from typing import Any

from flask import flash, request, session

from devstore import shops
from devstore.current import current_customer, dev_store
from devstore.pages import people
from devstore.pages.words import LOCALES
from devstore.state import Doc


def shop_at(handle: str) -> Doc:
    """The shop of an address. Raises Refused (404)."""
    return shops.get(dev_store(), shops.domain_of(handle))


def say(text: str, kind: str = "done") -> None:
    """Show a sentence on the next page; `kind` is "done" or "problem"."""
    flash(text, kind)


def remember(handle: str, **changes: Any) -> None:
    """Keep something about this visitor of a shop in the session cookie; None forgets it."""
    kept = {**session.get(f"shop:{handle}", {}), **changes}
    session[f"shop:{handle}"] = {name: value for name, value in kept.items() if value is not None}


def remembered(handle: str, name: str, default: Any = None) -> Any:
    """What was kept."""
    return session.get(f"shop:{handle}", {}).get(name, default)


def customer(shop: Doc) -> Doc | None:
    """The customer who is logged in to the storefront."""
    return current_customer(shop["domain"])


def staff(shop: Doc) -> Doc:
    """The staff member who uses the admin; the owner until somebody is chosen."""
    chosen = remembered(shops.handle_of(shop["domain"]), "staff")
    known = people.staff_of(dev_store(), shop)
    return next((one for one in known if one["id"] == chosen), known[0])


def storefront_locale(handle: str) -> str:
    """The storefront's language: chosen, else the shop's own."""
    chosen = request.args.get("locale") or remembered(handle, "locale") or shop_at(handle)["locale"]
    return chosen if chosen in LOCALES else "en"


def admin_locale(handle: str) -> str:
    """The language in which staff use the admin."""
    chosen = remembered(handle, "admin_locale")
    return chosen if chosen in LOCALES else "en"

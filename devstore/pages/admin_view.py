"""What all pages of the admin share: the sidebar, who is signed in, the language."""

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from devstore import shops
from devstore.current import dev_store
from devstore.pages import liquid_filters, people, site
from devstore.pages.words import ADMIN, LOCALES, direction, words
from devstore.state import Doc


def page(template: str, shop: Doc, section: str, **values: Any) -> str:
    """Render a page of a shop's admin; `section` marks the current entry of the sidebar."""
    store, handle = dev_store(), shops.handle_of(shop["domain"])
    locale = site.admin_locale(handle)
    currency = shop["currency"]
    return render_template(
        template,
        shop=shop,
        handle=handle,
        base=url_for("admin.home", handle=handle),
        app=store.app,
        section=section,
        locale=locale,
        dir=direction(locale),
        locales=LOCALES,
        words=words(ADMIN, locale),
        person=site.staff(shop),
        people=people.staff_of(store, shop),
        money=lambda minor, of=currency: liquid_filters.amount(int(minor), of, "en"),
        **values,
    )


def back(default: str) -> Response:
    """Return to the page a form was on, when that is a path of ours."""
    wanted = request.form.get("back", "")
    safe = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return redirect(wanted if safe else default)


def whole(name: str, default: int = 0) -> int:
    """A whole number of the posted form."""
    try:
        return int(request.form.get(name, ""))
    except ValueError:
        return default


def text(name: str) -> str | None:
    """A filled-in text of the posted form, else None."""
    return request.form.get(name, "").strip() or None

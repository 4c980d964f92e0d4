"""The one renderer: a page in the shell or the fragment inside it, from the same template and view model."""

import re
from collections.abc import Mapping, MutableMapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import NoneType
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from flask import Flask, Response, current_app, request, url_for
from flask.templating import Environment

from app.core.i18n import direction
from app.core.permissions import Permission
from app.core.settings import Settings
from app.web import current
from app.web.addresses import address
from app.web.buttons import BUTTONS
from app.web.choices import init_choices
from app.web.date_range import presets
from app.web.dialogs import modal
from app.web.embedding import preload, wants_fragment
from app.web.filters import init_filters
from app.web.form_input import numeric_names
from app.web.forms import Form, new_key
from app.web.laying_aside import one_page
from app.web.locale import one_reader, translated
from app.web.marks import MARKS
from app.web.menu import MenuGroup, MenuSection, MenuTab, menu_for, shortcuts_for
from app.web.principals import Principal, ShopInfo
from app.web.static_files import init_static_files, static_url
from app.web.tables import table_columns, table_head, table_rows
from app.web.tabs import CONVERTED, Tab, TabPage, TabRegistry, path_names
from app.web.weaving import Parts
from app.web.words import init_words

ROOT = Path(__file__).parents[2]
SHELL, INSIDE = "layouts/app.html", "layouts/fragment.html"
_NO_SHOP = ShopInfo("")
_IDS = frozenset({UUID})
_SIMPLE = frozenset({str, int, bool, UUID, NoneType})
_PLAIN, _SAFE = re.compile(r"[A-Za-z0-9_.-]+"), "!$'()*,/:;?@"


@dataclass(frozen=True, slots=True)
class Admin:
    """What the pages of one application share."""

    settings: Settings
    tabs: TabRegistry
    groups: tuple[MenuGroup, ...]


@dataclass(frozen=True, slots=True)
class StaffView:
    """The staff member as a page names them."""

    name: str


@dataclass(slots=True)
class PageContext:
    """`ctx` in every admin template."""

    shop: ShopInfo
    staff: StaffView
    locale: str
    theme: str
    api_key: str
    app_bridge_url: str
    menu: list[MenuSection]
    shortcuts: list[MenuTab]
    tab: str
    group: str
    path: str
    request_id: str
    permissions: frozenset[Permission] = frozenset()
    refused: Form | None = None
    place: Mapping[str, Any] = field(default_factory=dict)

    @property
    def direction(self) -> str:
        """Text direction: "ltr" or "rtl"."""
        return direction(self.locale)

    def idempotency_key(self) -> str:
        """A fresh key for a form's hidden field."""
        return new_key()

    def can(self, permission: str) -> bool:
        """Whether the staff member holds a permission such as "points:adjust"."""
        return permission in self.permissions

    def form(self, name: str, initial: Any = None, **path: Any) -> Form:
        """The form of an action ("points-ledger.adjust"), refused or fresh; path parameters default to the page's."""
        url = action_url(name, **{**self.place, **path})
        if self.refused is not None and self.refused.action == name and self.refused.url == url:
            return self.refused
        schema = admin().tabs.actions[name].form
        numeric = numeric_names(schema) if schema else frozenset()
        return Form(name, url, self.locale, current.timezone(), initial, numeric=numeric)


_admin: ContextVar[Admin | None] = ContextVar("admin", default=None)


def admin() -> Admin:
    """What the pages of this application share."""
    found: Admin = _admin.get() or current_app.extensions["admin"]
    return found


def _written(template: str, **values: Any) -> bytes:
    """A template with its values; what every sentence, number and address of it asks for is looked up once."""
    before = _admin.set(admin())
    try:
        with one_reader(), one_page() as finished:
            return finished(current_app.jinja_env.get_template(template).render(values))
    finally:
        _admin.reset(before)


def page_context(
    principal: Principal | None,
    here: Tab | None = None,
    refused: Form | None = None,
    place: Mapping[str, Any] | None = None,
) -> PageContext:
    """The template context of a page for this caller; without one the menu is empty."""
    shared = admin()
    permissions = principal.permissions if principal else frozenset()
    return PageContext(
        shop=principal.shop if principal and principal.shop else _NO_SHOP,
        staff=StaffView(principal.label if principal else ""),
        locale=current.locale(),
        theme=principal.theme if principal else "auto",
        api_key=shared.settings.shopify_api_key,
        app_bridge_url=shared.settings.shopify_app_bridge_url,
        menu=menu_for(shared.groups, shared.tabs, permissions, here),
        shortcuts=[] if wants_fragment() else shortcuts_for(shared.tabs, permissions),
        tab=here.key if here else "",
        group=here.group if here else "",
        path=request.path,
        request_id=current.request_id(),
        permissions=permissions,
        refused=refused,
        place=place or {},
    )


def render_view(
    shown: Tab | TabPage, ctx: PageContext, view: Any, query: Any, *, fragment: bool | None = None
) -> bytes:
    """A tab or page with its view model, inside the shell unless a fragment is wanted."""
    inside = wants_fragment() if fragment is None else fragment
    own_title = view.get("title") if isinstance(view, Mapping) else getattr(view, "title", None)
    return _written(
        shown.template,
        ctx=ctx,
        view=view,
        query=query,
        title=own_title if isinstance(own_title, str) and own_title else translated(shown.title),
        layout=INSIDE if inside else SHELL,
    )


def render_piece(template: str, ctx: PageContext, view: Any) -> bytes:
    """A fragment template with its view model."""
    form = ctx.refused
    return _written(template, ctx=ctx, view=view, form=form, layout=INSIDE)


def html_response(html: str | bytes, status: int = 200) -> Response:
    """An HTML answer that depends on htmx's headers and is kept by nobody."""
    response = Response(html, status=status, content_type="text/html; charset=utf-8")
    response.headers["Vary"] = "HX-Request, HX-Request-Type"
    response.headers["Cache-Control"] = "no-store"
    if not wants_fragment() and request.method == "GET":
        response.headers["Link"] = preload(admin().settings)
    return response


def trigger(
    response: Response, toast: str | None, *, error: bool = False, events: Mapping[str, Any] | None = None
) -> None:
    """Let the page show a toast and hear events after the swap; the header is ASCII."""
    heard: dict[str, Any] = dict(events or {})
    if toast:
        heard["toast"] = {"text": toast, "error": error}
    if heard:
        response.headers["HX-Trigger"] = _ascii(heard)


def navigate(response: Response, path: str) -> None:
    """Let htmx go to another page of the app with its token, replacing the main element."""
    response.headers["HX-Location"] = _ascii({"path": path, "target": "#main"})


def _ascii(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return "".join(sign if sign.isascii() else _escape(sign) for sign in text)


def _escape(sign: str) -> str:
    units = sign.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def tab_url(key: str, **query: Any) -> str:
    """The address of a tab."""
    return _address(_tab_route(admin().tabs, key), query)


def page_url(name: str, **values: Any) -> str:
    """The address of a page ("members.member") with its path parameters and query."""
    return _address(_page_route(admin().tabs, name), values)


def page_urls(name: str, **ids: Sequence[UUID | str]) -> Parts:
    """The addresses of a page for each of many ids: its one path parameter."""
    route = _page_route(admin().tabs, name)
    ((parameter, values),) = ids.items()
    before, after = route.pattern.split(f"{{{parameter}}}")
    return before, list(map(str, values)), after


def action_url(name: str, **values: Any) -> str:
    """The address an action is posted to; values that are not in its path are left out."""
    route = _action_route(admin().tabs, name)
    return _address(route, {key: value for key, value in values.items() if key in route.named})


@dataclass(frozen=True, slots=True)
class _Route:
    """An endpoint with its route as a format string, and the names in it."""

    endpoint: str
    pattern: str
    named: frozenset[str]

    @classmethod
    def of(cls, endpoint: str, path: str) -> "_Route":
        return cls(endpoint, CONVERTED.sub(r"{\1}", path), frozenset(path_names(path)))


_kept = lru_cache(maxsize=1_024)


@_kept
def _tab_route(tabs: TabRegistry, key: str) -> _Route:
    return _Route.of(f"tab.{key}", tabs.tabs[key].path)


@_kept
def _page_route(tabs: TabRegistry, name: str) -> _Route:
    return _Route.of(f"page.{name}", tabs.path_of(tabs.pages[name]))


@_kept
def _action_route(tabs: TabRegistry, name: str) -> _Route:
    return _Route.of(f"action.{name}", tabs.path_of(tabs.actions[name]))


def _address(route: _Route, values: Mapping[str, Any]) -> str:
    """What Flask builds, at a tenth of its cost where the path needs no escapes; each row of a list has several."""
    if values.keys() == route.named and _IDS.issuperset(map(type, values.values())):
        return route.pattern.format_map(values)
    texts = {name: str(value) for name, value in values.items() if value is not None}
    if not _SIMPLE.issuperset(map(type, values.values())) or not all(
        _PLAIN.fullmatch(texts.get(name, "")) for name in route.named
    ):
        return url_for(route.endpoint, **values)
    query = [(name, text) for name, text in texts.items() if name not in route.named]
    there = route.pattern.format_map(texts)
    return f"{there}?{urlencode(query, safe=_SAFE)}" if query else there


class Templates(Environment):
    """Templates that share one set of globals: what a template is given beside them is not looked for in two places."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals themselves; nobody here gives a template others."""
        return self.globals if d is None else super().make_globals(d)


def init_rendering(app: Flask, shared: Admin) -> None:
    """Make filters and URL functions known to templates, and static files cacheable."""
    app.extensions["admin"] = shared
    app.config["TEMPLATES_AUTO_RELOAD"] = shared.settings.environment == "development"
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    init_filters(app)
    init_words(app)
    init_choices(app)
    init_static_files(app)
    app.jinja_env.globals.update(
        static_url=static_url,
        tab_url=tab_url,
        page_url=page_url,
        action_url=action_url,
        date_presets=presets,
        address_with=address,
        marks=MARKS,
        buttons=BUTTONS,
        dialog=modal,
        table_columns=table_columns,
        table_head=table_head,
        table_rows=table_rows,
    )

"""The tab registry: tabs of the admin, their sub-pages and their actions, declared on the functions that serve them."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from app.core.permissions import Permission

View = TypeVar("View", bound=Callable[..., Any])
HOME = "home"
CONVERTED = re.compile(r"<(?:[^:<>]*:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A template to send back with its view model, swapped where the form says, or into `target` (a CSS selector)."""

    template: str
    view: Any = None
    target: str | None = None
    swap: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What an action answers.

    `message` is a marked sentence shown as a toast, filled from `data`. `location` goes to another page of the app.
    `refresh` is "view" (the page the action belongs to is rendered again), a Fragment, or "nothing". `events` are
    further HX-Trigger events with their detail.
    """

    message: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    location: str | None = None
    refresh: Literal["view", "nothing"] | Fragment = "view"
    events: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Tab:
    """A declared tab. `title` is a marked sentence; `path` is "/app/<key>", or "/app" for home."""

    key: str
    title: str
    group: str
    icon: str
    permission: Permission
    view: Callable[..., Any]
    template: str
    query: type[BaseModel] | None = None

    @property
    def path(self) -> str:
        """Where the tab lives."""
        return "/app" if self.key == HOME else f"/app/{self.key}"


@dataclass(frozen=True, slots=True)
class TabPage:
    """A page or drawer below a tab, at the tab's path followed by `path` with Werkzeug converters.

    `before(shop_id, query)` asks others than our database, before a transaction is open.
    """

    key: str
    path: str
    title: str
    permission: Permission
    view: Callable[..., Any]
    template: str
    query: type[BaseModel] | None = None
    before: Callable[..., Any] | None = None

    @property
    def name(self) -> str:
        """Route name, unique among the pages of all tabs."""
        return f"{self.key}.{self.view.__name__}"


@dataclass(frozen=True, slots=True)
class Action:
    """A POST below a tab. `template` is the form's fragment for 422 and 409; `prepare` makes its view model.

    A `live` one is asked while a person types, changes nothing, and answers 200 also where something is missing.
    `review` raises what else is refused in a form of which parts could not be read.
    """

    key: str
    name: str
    path: str
    permission: Permission
    handler: Callable[..., Any]
    template: str
    form: type[BaseModel] | None = None
    prepare: Callable[..., Any] | None = None
    review: Callable[..., None] | None = None
    page: str | None = None
    idempotent: bool = True
    max_body_bytes: int = 1024 * 1024
    files: Sequence[str] = ()
    live: bool = False

    @property
    def full_name(self) -> str:
        """Route name, unique among all actions."""
        return f"{self.key}.{self.name}"


class TabRegistry:
    """Declared tabs, pages and actions."""

    def __init__(self) -> None:
        self.tabs: dict[str, Tab] = {}
        self.pages: dict[str, TabPage] = {}
        self.actions: dict[str, Action] = {}

    def add(self, found: Tab | TabPage | Action) -> None:
        """Keep a declaration; the same key or name twice is a mistake."""
        if isinstance(found, Tab):
            store: dict[str, Any] = self.tabs
            name = found.key
        elif isinstance(found, TabPage):
            store, name = self.pages, found.name
        else:
            store, name = self.actions, found.full_name
        if name in store:
            raise ValueError(f"{type(found).__name__} {name} is declared twice")
        store[name] = found

    def check(self) -> None:
        """Fail when a page or action names a parent that nobody declared, or a function an argument nobody gives it."""
        for page in self.pages.values():
            self._parent(page)
            _check_names(page.view, {"ctx", "query", "found", *path_names(page.path)})
        for action in self.actions.values():
            self._parent(action)
            offered = {"ctx", *path_names(self.path_of(action))}
            _check_names(action.handler, offered | {"form", "files"})
            if action.prepare:
                _check_names(action.prepare, offered)
            if action.review:
                _check_names(action.review, offered | {"form"})
        for found in self.tabs.values():
            _check_names(found.view, {"ctx", "query"})

    def _parent(self, child: TabPage | Action) -> None:
        if child.key not in self.tabs:
            raise ValueError(f"{child.key} is not a tab")
        if isinstance(child, Action) and child.page and f"{child.key}.{child.page}" not in self.pages:
            raise ValueError(f"{child.full_name}: {child.page} is not a page of its tab")

    def path_of(self, child: TabPage | Action) -> str:
        """The full route of a page or action."""
        if isinstance(child, Action) and child.page:
            parent = self.pages[f"{child.key}.{child.page}"]
            return self.tabs[child.key].path + parent.path + child.path
        return f"/app/{child.key}{child.path}"

    def __iter__(self) -> Iterator[Tab]:
        return iter(self.tabs.values())


_current = TabRegistry()


def registry() -> TabRegistry:
    """The registry declarations go to."""
    return _current


@contextmanager
def use_registry(replacement: TabRegistry) -> Iterator[TabRegistry]:
    """Let declarations inside the block go to another registry (tests)."""
    global _current
    before, _current = _current, replacement
    try:
        yield replacement
    finally:
        _current = before


def tab(
    key: str,
    *,
    title: str,
    group: str,
    icon: str,
    permission: Permission,
    query: type[BaseModel] | None = None,
    template: str | None = None,
) -> Callable[[View], View]:
    """Declare a tab on its view function `(ctx[, query]) -> view model`. Template: `admin/<domain>/<key>.html`."""

    def declare(view: View) -> View:
        registry().add(
            Tab(
                key,
                title,
                group,
                icon,
                permission,
                view,
                template or f"admin/{_domain(view)}/{key}.html",
                query,
            )
        )
        return view

    return declare


def tab_page(
    key: str,
    path: str,
    template: str,
    *,
    title: str,
    permission: Permission,
    query: type[BaseModel] | None = None,
    before: Callable[..., Any] | None = None,
) -> Callable[[View], View]:
    """Declare a page or drawer of a tab on its view function `(ctx[, query][, found], **path) -> view model`.

    `path` uses Werkzeug converters ("/<uuid:id>"). `template` without a slash lies in the domain's folder. A view model
    with a `title` attribute or key gives the document's title, otherwise `title` does. What `before(shop_id, query)` gives,
    which may ask Shopify, the view receives as `found`.
    """

    def declare(view: View) -> View:
        place = template if "/" in template else f"admin/{_domain(view)}/{template}"
        registry().add(TabPage(key, path, title, permission, view, place, query, before))
        return view

    return declare


def action(  # noqa: PLR0913 - one declaration says everything about an action
    key: str,
    name: str,
    path: str | None = None,
    *,
    permission: Permission,
    form: type[BaseModel] | None = None,
    template: str | None = None,
    prepare: Callable[..., Any] | None = None,
    review: Callable[..., None] | None = None,
    page: str | None = None,
    idempotent: bool = True,
    max_body_bytes: int = 1024 * 1024,
    files: Sequence[str] = (),
    live: bool = False,
) -> Callable[[View], View]:
    """Declare a POST handler `(ctx[, form][, files], **path) -> Done` of a tab.

    Without `path` it lies at "/<name>". `page` (a page's view function name) puts it below that page, whose path
    parameters it receives and which is rendered again afterwards. `template` is the form's fragment
    (`admin/<domain>/_<name>.html`); a refused form comes back in it with what was typed, beside the view model of
    `prepare(ctx, **path)` or else of the page. Where there is no such file the action is a button with hidden
    fields, and a refusal is a toast. When fields could not be read, `review(ctx, form, **path)` gets the form without
    them, required ones as None, and raises Invalid with what else will be refused, so that all is told at once; it writes
    nothing. `live` is for previews that are asked while a person types: they never repeat an
    answer, and are not refused.
    """

    def declare(handler: View) -> View:
        place = template or f"_{name.replace('-', '_')}.html"
        registry().add(
            Action(
                key=key,
                name=name,
                path=path or f"/{name}",
                permission=permission,
                handler=handler,
                template=place if "/" in place else f"admin/{_domain(handler)}/{place}",
                form=form,
                prepare=prepare,
                review=review,
                page=page,
                idempotent=idempotent and not live,
                max_body_bytes=max_body_bytes,
                files=tuple(files),
                live=live,
            )
        )
        return handler

    return declare


def _domain(function: Callable[..., Any]) -> str:
    module = function.__module__.split(".")
    return module[module.index("domains") + 1] if "domains" in module else module[-1]


def path_names(path: str) -> list[str]:
    """The parameter names of a route with Werkzeug converters."""
    return CONVERTED.findall(path)


def _check_names(function: Callable[..., Any], offered: set[str]) -> None:
    unknown = set(inspect.signature(function).parameters) - offered
    if unknown:
        raise TypeError(
            f"{function.__module__}.{function.__qualname__} takes {sorted(unknown)}, which nobody gives it"
        )


def wanted(function: Callable[..., Any], offered: Mapping[str, Any]) -> dict[str, Any]:
    """The offered arguments that a view or handler names."""
    return {name: offered[name] for name in _named(function) if name in offered}


@cache
def _named(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)

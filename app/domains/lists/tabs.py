"""What staff keep of any list: dialogs and actions that every declared list shares."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from werkzeug.datastructures import MultiDict

from app.core.errors import Invalid
from app.core.i18n import mark
from app.core.paging import MAX_CHOSEN, MAX_LIMIT
from app.core.permissions import Permission
from app.domains.lists import service
from app.domains.lists.errors import ListNotFound
from app.domains.lists.schemas import (
    AsShownQuery,
    ColumnsForm,
    DeleteViewForm,
    EditViewForm,
    SavedView,
    SaveViewForm,
    SelectForm,
)
from app.web.addresses import address
from app.web.context import Context
from app.web.lists import (
    ALL_VIEW,
    ListSpec,
    declared,
    kept_parameters,
    parameters,
    place_of,
    query_of,
    register_list_keeper,
)
from app.web.query_input import parse_view_query
from app.web.rendering import admin, page_url
from app.web.tabs import HOME, Done, action, tab_page

_PATH = "/lists/<list_key>"
_SEEN = Permission.SETTINGS_READ

register_list_keeper(service)


def _spec(ctx: Context, list_key: str) -> ListSpec:
    """A list that this person may see."""
    found = declared().get(list_key)
    if found is None:
        raise ListNotFound()
    ctx.require(found.permission)
    return found


def _staff(ctx: Context) -> UUID:
    return UUID(ctx.principal.id)


def _shown(spec: ListSpec, at: str) -> tuple[str, Any, str | None]:
    """What an address of a list shows: its path, the query, and the view it names."""
    path, _, text = at.partition("?")
    asked = MultiDict(parse_qsl(text))
    return path, parse_view_query(asked, spec.query), asked.get("view")


def _columns(ctx: Context, spec: ListSpec, at: str) -> tuple[str, ...]:
    """The columns that an address shows to this person."""
    kept = service.kept(ctx.uow, _staff(ctx), spec.key)
    named = _shown(spec, at)[2]
    view = next((one for one in kept.views if str(one.id) == named), None)
    return spec.known((view.columns if view else None) or kept.columns or spec.usual())


def _may_share(ctx: Context) -> bool:
    return ctx.can(Permission.SETTINGS_WRITE)


@tab_page(
    HOME, _PATH + "/columns", "columns.html", title=mark("Columns"), permission=_SEEN, query=AsShownQuery
)
def list_columns(ctx: Context, list_key: str, query: AsShownQuery) -> dict[str, Any]:
    """The dialog in which somebody chooses the columns of a list."""
    return _choosing(ctx, list_key) | {
        "initial": {"at": query.at, "columns": list(_columns(ctx, _spec(ctx, list_key), query.at))}
    }


def _choosing(ctx: Context, list_key: str) -> dict[str, Any]:
    spec = _spec(ctx, list_key)
    return {"list": spec, "columns": [one for one in spec.columns if not spec.fixed(one)], "initial": {}}


@action(
    HOME,
    "choose-columns",
    _PATH + "/columns/choose",
    permission=_SEEN,
    form=ColumnsForm,
    prepare=_choosing,
)
def choose_columns(ctx: Context, list_key: str, form: ColumnsForm) -> Done:
    """Remember the columns that this person wants to see; a saved view that is shown keeps its own."""
    spec = _spec(ctx, list_key)
    chosen = None if form.usual else spec.known(form.columns)
    service.choose_columns(ctx.uow, _staff(ctx), spec.key, chosen)
    path, query, named = _shown(spec, form.at)
    view = next(
        (one for one in service.kept(ctx.uow, _staff(ctx), spec.key).views if str(one.id) == named), None
    )
    if view and view.columns is not None and (not view.shared or _may_share(ctx)):
        service.change(
            ctx.uow,
            _staff(ctx),
            view.id,
            view.name,
            shared=view.shared,
            version=view.version,
            shown=(view.query, chosen),
        )
    return Done(
        mark("The columns were chosen."), location=address(path, {**parameters(query), "view": named})
    )


def _naming(ctx: Context, list_key: str) -> dict[str, Any]:
    return {"list": _spec(ctx, list_key), "initial": {}, "may_share": _may_share(ctx)}


@tab_page(HOME, _PATH + "/save", "save.html", title=mark("Save view"), permission=_SEEN, query=AsShownQuery)
def new_list_view(ctx: Context, list_key: str, query: AsShownQuery) -> dict[str, Any]:
    """The dialog that gives what a list shows a name."""
    spec = _spec(ctx, list_key)
    searched = bool(spec.search and getattr(_shown(spec, query.at)[1], spec.search.name))
    return _naming(ctx, list_key) | {"initial": {"at": query.at}, "searched": searched}


@action(HOME, "save-view", _PATH + "/save", permission=_SEEN, form=SaveViewForm, prepare=_naming)
def save_view(ctx: Context, list_key: str, form: SaveViewForm) -> Done:
    """Keep filters, order and columns of a list under a name."""
    spec = _spec(ctx, list_key)
    path, query, _ = _shown(spec, form.at)
    if form.shared:
        ctx.require(Permission.SETTINGS_WRITE)
    values = kept_parameters(spec, query)
    columns = _columns(ctx, spec, form.at)
    view_id = service.save(ctx.uow, _staff(ctx), spec.key, form.name, values, columns, shared=form.shared)
    if form.first:
        service.open_with(ctx.uow, _staff(ctx), spec.key, view_id)
    return Done(mark("The view was saved."), location=address(path, {**values, "view": view_id}))


def _view(ctx: Context, view_id: UUID) -> SavedView:
    found = service.view(ctx.uow, _staff(ctx), view_id)
    _spec(ctx, found.list)
    return found


def _editing(ctx: Context, view_id: UUID) -> dict[str, Any]:
    found = _view(ctx, view_id)
    first = service.kept(ctx.uow, _staff(ctx), found.list).view_id == view_id
    return {
        "view": found,
        "initial": {"name": found.name, "shared": found.shared, "first": first, "version": found.version},
        "may_share": _may_share(ctx),
        "may_change": not found.shared or _may_share(ctx),
    }


@tab_page(
    HOME,
    "/lists/views/<uuid:view_id>",
    "view.html",
    title=mark("Saved view"),
    permission=_SEEN,
    query=AsShownQuery,
)
def list_view(ctx: Context, view_id: UUID, query: AsShownQuery) -> dict[str, Any]:
    """The dialog that renames, shares, renews or deletes a saved view."""
    found = _editing(ctx, view_id)
    _, shown, _ = _shown(declared()[found["view"].list], query.at)
    changed = parameters(query_of(declared()[found["view"].list], found["view"].query)) != parameters(shown)
    found["initial"] |= {"at": query.at}
    return found | {"changed": changed}


@action(
    HOME,
    "edit-view",
    "/lists/views/<uuid:view_id>/edit",
    permission=_SEEN,
    form=EditViewForm,
    prepare=_editing,
)
def edit_view(ctx: Context, view_id: UUID, form: EditViewForm) -> Done:
    """Rename or share a view, let it show what the list shows now, open the list with it."""
    found = _view(ctx, view_id)
    spec = declared()[found.list]
    path, query, _ = _shown(spec, form.at)
    shown = (kept_parameters(spec, query), _columns(ctx, spec, form.at)) if form.as_shown else None
    if form.as_shown or (form.name, form.shared) != (found.name, found.shared):
        if form.shared or found.shared:
            ctx.require(Permission.SETTINGS_WRITE)
        service.change(
            ctx.uow, _staff(ctx), view_id, form.name, shared=form.shared, version=form.version, shown=shown
        )
    kept = service.kept(ctx.uow, _staff(ctx), spec.key)
    if form.first or kept.view_id == view_id:
        service.open_with(ctx.uow, _staff(ctx), spec.key, view_id if form.first else None)
    values = shown[0] if shown else parameters(query)
    return Done(mark("The view was saved."), location=address(path, {**values, "view": view_id}))


@action(HOME, "delete-view", "/lists/views/<uuid:view_id>/delete", permission=_SEEN, form=DeleteViewForm)
def delete_view(ctx: Context, view_id: UUID, form: DeleteViewForm) -> Done:
    """Forget a saved view; the rows it showed stay."""
    found = _view(ctx, view_id)
    if found.shared:
        ctx.require(Permission.SETTINGS_WRITE)
    service.delete(ctx.uow, _staff(ctx), view_id)
    path, _, _ = form.at.partition("?")
    return Done(mark("The view was deleted."), location=address(path, {"view": ALL_VIEW}))


@action(HOME, "select", _PATH + "/select", permission=_SEEN, form=SelectForm)
def select(ctx: Context, list_key: str, form: SelectForm) -> Done:
    """Take chosen rows, or all that match, to an action."""
    spec = _spec(ctx, list_key)
    then = next((one for one in spec.bulk if one.key == form.then), None)
    if then is None or then.page not in admin().tabs.pages:
        raise Invalid(fields={"then": mark("There is no such action for this list.")})
    ctx.require(then.permission)
    path, query, _ = _shown(spec, form.at)
    place = place_of(spec, path)
    if place is None:
        raise ListNotFound()
    if not form.all_matching:
        selection = service.select(ctx.uow, spec.key, form.ids)
    elif spec.matching and not (spec.search and getattr(query, spec.search.name)):
        values = {name: value for name, value in kept_parameters(spec, query).items() if name != "sort"}
        selection = service.select(ctx.uow, spec.key, query=spec.matching(values, place))
    else:
        selection = service.select(ctx.uow, spec.key, _each(ctx, spec, query, place))
    return Done(location=address(page_url(then.page), {"selection": selection}))


def _each(ctx: Context, spec: ListSpec, query: Any, place: Mapping[str, Any]) -> list[UUID]:
    """What an action gets of every row that matches, as far as that may be chosen and one more."""
    found: dict[UUID, None] = {}
    cursor: str | None = None
    while len(found) <= MAX_CHOSEN:
        asked = query.model_copy(update={"limit": MAX_LIMIT, "cursor": cursor})
        page = spec.rows(ctx, asked, **place).page
        found |= {row[spec.chosen]: None for row in page.items}
        cursor = page.next_cursor
        if cursor is None:
            break
    return list(found)

"""Serving tabs and their pages: the same view function answers a page and a fragment."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from flask import Flask, Response, request
from pydantic import BaseModel
from werkzeug.datastructures import MultiDict

from app.core import db
from app.core.db import UnitOfWork
from app.core.errors import Forbidden
from app.core.permissions import Permission
from app.web import current
from app.web.context import Context
from app.web.embedding import embedded_staff
from app.web.form_input import numeric_names
from app.web.forms import Form
from app.web.localized_numbers import to_plain
from app.web.principals import Principal
from app.web.query_input import parse_view_query
from app.web.rendering import PageContext, admin, html_response, page_context, render_view
from app.web.tabs import Action, Tab, TabPage, TabRegistry, wanted


def add_tabs(app: Flask, tabs: TabRegistry) -> None:
    """Make Flask routes of every declared tab and page."""
    tabs.check()
    for tab in tabs:
        app.add_url_rule(tab.path, f"tab.{tab.key}", _serve(tab), methods=["GET"])
    for page in tabs.pages.values():
        app.add_url_rule(tabs.path_of(page), f"page.{page.name}", _serve(page), methods=["GET"])


def _serve(shown: Tab | TabPage) -> Callable[..., Response]:
    def serve(**place: Any) -> Response:
        principal = embedded_staff()
        allow(principal, shown.permission)
        found = _found_before(shown, principal)
        with work_of(principal) as uow:
            return html_response(show(shown, principal, uow, place, found=found))

    return serve


def _found_before(shown: Tab | TabPage, principal: Principal) -> Any:
    """What a page asks others for while no transaction is open."""
    if not isinstance(shown, TabPage) or shown.before is None:
        return None
    query = parse_view_query(request.args, shown.query) if shown.query is not None else None
    return shown.before(principal.shop_id, query)


def show(
    shown: Tab | TabPage,
    principal: Principal,
    uow: UnitOfWork,
    place: Mapping[str, Any],
    *,
    fragment: bool | None = None,
    found: Any = None,
) -> bytes:
    """The HTML of a tab or page, read through an open unit of work; `found` is what it asked others for before."""
    view, query = view_model(shown, principal, uow, place, found)
    ctx = page_context(principal, tab_of(shown), place=place)
    return render_view(shown, ctx, view, query, fragment=fragment)


def view_model(
    shown: Tab | TabPage, principal: Principal, uow: UnitOfWork, place: Mapping[str, Any], found: Any = None
) -> tuple[Any, Any]:
    """The view model and the query it was made for."""
    query = (
        parse_view_query(readable(_arguments(), shown.query), shown.query)
        if shown.query is not None
        else None
    )
    offered = {"ctx": context_of(principal, uow), "query": query, "found": found, **place}
    return shown.view(**wanted(shown.view, offered)), query


def _arguments() -> "MultiDict[str, str]":
    """The query of the page; a POST shows the page again as the browser has it, filters included."""
    if request.method == "GET":
        return request.args
    _, _, query = request.headers.get("HX-Current-URL", "").partition("?")
    return MultiDict(parse_qsl(query))


def asked_values() -> dict[str, str]:
    """The parameters of the page as they were asked for, the last of each name."""
    return {name: values[-1] for name, values in _arguments().lists() if values[-1] != ""}


def readable(arguments: "MultiDict[str, str]", schema: type[BaseModel]) -> "MultiDict[str, str]":
    """The query with the schema's numbers in Latin digits, whatever digits and separators they were typed in."""
    numeric = numeric_names(schema)
    locale = current.locale()
    return MultiDict(
        (name, (to_plain(value, locale) or value) if name in numeric else value)
        for name, values in arguments.lists()
        for value in values
    )


def context_of(principal: Principal, uow: UnitOfWork, typed: Mapping[str, str] | None = None) -> Context:
    """The handler's context of this request."""
    return Context(principal, current.locale(), current.request_id(), uow, typed or {})


def work_of(principal: Principal) -> Any:
    """A unit of work of the principal's shop."""
    if principal.shop_id is None:
        raise RuntimeError("a staff principal belongs to a shop")
    return db.unit_of_work(principal.shop_id, actor=principal.actor)


def allow(principal: Principal, permission: Permission) -> None:
    """Refuse with 403 unless the principal holds the permission."""
    if permission not in principal.permissions:
        raise Forbidden(permission=str(permission))


def tab_of(shown: Tab | TabPage | Action) -> Tab:
    """The tab a page or action belongs to."""
    return admin().tabs.tabs[shown.key]


def refused_context(
    principal: Principal, action: Action, form: Form, place: Mapping[str, Any]
) -> PageContext:
    """The template context of a form that comes back."""
    return page_context(principal, tab_of(action), form, place)

"""Serving the POSTs of tabs: parse the form, call the handler once, answer with what the page should do next."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from flask import Flask, Response, current_app, request
from jinja2 import TemplateNotFound

from app.core.db import UnitOfWork
from app.core.errors import Conflict, Invalid, LoyalNestError, MalformedPayload, TooLarge
from app.web import current
from app.web.embedding import embedded_staff
from app.web.errors import Problem, problem_of
from app.web.form_input import NOT_FIELDS, Upload, numeric_names, parse_form, readable
from app.web.forms import Form
from app.web.idempotency import FORM_FIELD, HEADER, Once, once
from app.web.json_input import FORBIDDEN, UnsupportedMedia
from app.web.locale import translated
from app.web.pages import allow, context_of, refused_context, show, tab_of, view_model, work_of
from app.web.principals import Principal
from app.web.rendering import action_url, admin, html_response, navigate, page_context, render_piece, trigger
from app.web.tabs import Action, Done, Fragment, Tab, TabPage, TabRegistry, wanted
from app.web.uploads import read_uploads

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


def add_actions(app: Flask, tabs: TabRegistry) -> None:
    """Make a POST route of every declared action."""
    for action in tabs.actions.values():
        app.add_url_rule(tabs.path_of(action), f"action.{action.full_name}", _serve(action), methods=["POST"])


def _serve(action: Action) -> Callable[..., Response]:
    def serve(**place: Any) -> Response:
        principal = embedded_staff()
        allow(principal, action.permission)
        _bound(action)
        try:
            return _run(action, principal, place)
        except (Invalid, Conflict) as error:
            if not _comes_back(action):
                raise
            return _refuse(action, principal, place, error)

    return serve


def _comes_back(action: Action) -> bool:
    """Whether the action has a form's fragment to show again; a button with hidden fields answers a toast."""
    if action.form is None:
        return False
    try:
        current_app.jinja_env.get_template(action.template)
    except TemplateNotFound:
        return False
    return True


def _bound(action: Action) -> None:
    """Bound the body before anything reads it; only forms are read."""
    request.max_content_length = action.max_body_bytes
    request.max_form_memory_size = action.max_body_bytes
    if (request.content_length or 0) > action.max_body_bytes:
        raise TooLarge(limit=action.max_body_bytes)
    if request.mimetype and request.mimetype not in _FORM_TYPES:
        raise UnsupportedMedia(expected=_FORM_TYPES[0])


def _run(action: Action, principal: Principal, place: Mapping[str, Any]) -> Response:
    offered: dict[str, Any] = dict(place)
    if action.form is not None:
        offered["form"] = parse_form(request.form, action.form, current.locale(), current.timezone())
    if action.files:
        offered["files"] = read_uploads(request, action.files)
    keyed = _keyed(action, principal, offered.get("files", {}))
    with work_of(principal) as uow:
        offered["ctx"] = context_of(principal, uow, _typed())

        def work() -> Response:
            done = action.handler(**wanted(action.handler, offered))
            return _answer(action, done, principal, uow, place)

        return keyed.run(uow, work) if keyed else work()


def _typed() -> dict[str, str]:
    return {name: FORBIDDEN.sub("", value) for name, value in request.form.items()}


def _keyed(action: Action, principal: Principal, files: Mapping[str, Upload]) -> Once | None:
    """A form's own hidden key comes first: it survives a double click, the header does not."""
    if not action.idempotent:
        return None
    fields = sorted((name, *values) for name, values in request.form.lists() if name not in NOT_FIELDS)
    key = request.form.get(FORM_FIELD) or request.headers.get(HEADER)
    contents = (files[name].content for name in sorted(files))
    return once(key, principal, request.path.encode(), repr(fields).encode("utf-8", "replace"), *contents)


def _answer(
    action: Action, done: Done, principal: Principal, uow: UnitOfWork, place: Mapping[str, Any]
) -> Response:
    toast = translated(done.message, dict(done.data)) if done.message else None
    if done.location is not None:
        response = html_response("")
        navigate(response, done.location)
    elif done.refresh == "nothing":
        response = html_response("", 204)
    elif isinstance(done.refresh, Fragment):
        ctx = page_context(principal, tab_of(action), place=place)
        response = html_response(render_piece(done.refresh.template, ctx, done.refresh.view))
        if done.refresh.target:
            response.headers["HX-Retarget"] = done.refresh.target
        if done.refresh.swap:
            response.headers["HX-Reswap"] = done.refresh.swap
    else:
        response = html_response(show(parent_of(action), principal, uow, place, fragment=True))
        response.headers["HX-Retarget"] = "#main"
        response.headers["HX-Reswap"] = "innerHTML"
    trigger(response, toast, events=done.events)
    return response


def parent_of(action: Action) -> Tab | TabPage:
    """The tab or page that an action belongs to and that is shown again after it."""
    tabs = admin().tabs
    return tabs.pages[f"{action.key}.{action.page}"] if action.page else tabs.tabs[action.key]


def _refuse(
    action: Action, principal: Principal, place: Mapping[str, Any], error: LoyalNestError
) -> Response:
    """The form again, with what was typed and why it was refused. Conflicts keep their status, the rest is a 422.

    What is asked while a person types is not refused: half a form is no mistake yet.
    """
    with work_of(principal) as uow:
        offered = {"ctx": context_of(principal, uow, _typed()), **place}
        problem = _problem(action, offered, error)
        ctx = refused_context(principal, action, _refused_form(action, place, problem), place)
        if action.prepare is not None:
            view = action.prepare(**wanted(action.prepare, offered))
        else:
            view, _ = view_model(parent_of(action), principal, uow, place)
        html = render_piece(action.template, ctx, view)
    return html_response(html, 200 if action.live else 409 if problem.status == 409 else 422)


def _problem(action: Action, offered: Mapping[str, Any], error: LoyalNestError) -> Problem:
    """Why a form was refused; where fields could not be read, with what is to be said about the others."""
    problem = problem_of(error)
    if action.form is None or action.review is None or not isinstance(error, MalformedPayload):
        return problem
    rest = readable(request.form, action.form, current.locale(), current.timezone(), problem.fields)
    if rest is None:
        return problem
    try:
        action.review(**wanted(action.review, {**offered, "form": rest}))
    except LoyalNestError as further:
        return replace(problem, fields=problem_of(further).fields | problem.fields)
    return problem


def _refused_form(action: Action, place: Mapping[str, Any], problem: Problem) -> Form:
    errors = {name: sentence for name, sentence in problem.fields.items() if name}
    return Form(
        action=action.full_name,
        url=action_url(action.full_name, **place),
        locale=current.locale(),
        timezone=current.timezone(),
        typed=request.form,
        errors=errors,
        message=problem.fields.get("", "") or ("" if errors else problem.message),
        code=problem.code,
        numeric=numeric_names(action.form) if action.form else frozenset(),
    )

"""Answers for what went wrong: JSON on the API, a page inside the shell in the admin, a plain page elsewhere."""

import logging

from flask import Flask, Response, g, redirect, render_template, request
from markupsafe import Markup
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as BaseResponse

from app.core.errors import LoyalNestError
from app.core.i18n import direction
from app.web import current
from app.web.embedding import NeedsBounce, embedded_staff, is_fetch, wants_fragment
from app.web.envelope import error_response
from app.web.errors import Problem, problem_of
from app.web.menu import MenuTab
from app.web.rendering import INSIDE, SHELL, PageContext, html_response, page_context, trigger
from app.web.security_headers import allow_framing

log = logging.getLogger(__name__)
_JSON_FACES = ("/api/", "/v1/", "/admin/", "/proxy/", "/openapi.json")
_LAST_RESORT = Markup(
    '<!doctype html><html lang="{lang}" dir="{dir}"><head><meta charset="utf-8"><title>LoyalNest</title></head>'
    "<body><h1>{message}</h1><p>{request_id}</p></body></html>"
)


def init_failures(app: Flask) -> None:
    """Map every exception that reaches Flask."""

    @app.errorhandler(Exception)
    def failed(error: Exception) -> BaseResponse:
        if isinstance(error, HTTPException) and (error.response is not None or (error.code or 500) < 400):
            return error.get_response()
        if _json_wanted():
            return error_response(problem_of(error))
        if not _embedded():
            return _plain(problem_of(error))
        if isinstance(error, NotFound) and current.principal() is None:
            try:
                embedded_staff()
            except NeedsBounce as bounce:
                return redirect(bounce.location, 302)
            except LoyalNestError as refused:
                error = refused
        return _in_admin(problem_of(error))


def _json_wanted() -> bool:
    if g.get("json_face") or request.path.startswith(_JSON_FACES):
        return True
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def _embedded() -> bool:
    return request.path == "/app" or request.path.startswith("/app/")


def _in_admin(problem: Problem) -> Response:
    """A script gets the fragment and a toast; a document gets the shell, or a plain page when nobody is known."""
    caller = current.principal()
    if caller is None:
        allow_framing("")
        if not is_fetch():
            return _plain(problem)
    response = html_response(
        _render("errors/app.html", problem, INSIDE if wants_fragment() else SHELL), problem.status
    )
    response.headers.update(problem.headers)
    if is_fetch() and problem.status != 401:
        trigger(response, problem.message, error=True)
    return response


def _above(ctx: PageContext) -> MenuTab | None:
    """The tab under which the address lies, of those that the staff member may open."""
    tabs = [tab for section in ctx.menu for tab in section.tabs if ctx.path.startswith(f"{tab.url}/")]
    return max(tabs, key=lambda tab: len(tab.url), default=None)


def _plain(problem: Problem) -> Response:
    response = html_response(_render("errors/plain.html", problem, ""), problem.status)
    response.headers.update(problem.headers)
    return response


def _render(template: str, problem: Problem, layout: str) -> str:
    """The error page. Should it fail itself, a page without templates stands in, because something must be said."""
    try:
        ctx = page_context(current.principal())
        return render_template(
            template,
            ctx=ctx,
            above=_above(ctx),
            problem=problem,
            title=problem.message,
            layout=layout,
        )
    except Exception as error:
        log.error("the error page could not be rendered", exc_info=error)
        locale = current.locale()
        return _LAST_RESORT.format(
            lang=locale, dir=direction(locale), message=problem.message, request_id=current.request_id()
        )

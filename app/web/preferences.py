"""A staff member's theme and language, kept on the server because the iframe has no cookies."""

from typing import Literal, Protocol

from flask import Flask, Response, request
from pydantic import BaseModel

from app.core.db import UnitOfWork
from app.web import current
from app.web.embedding import embedded_staff
from app.web.form_input import parse_form
from app.web.json_input import parse_json
from app.web.pages import work_of
from app.web.rendering import html_response

PATH = "/app/preferences"
_LIMIT = 4096


class Preferences(BaseModel):
    """What may be chosen; what is left out stays as it is."""

    theme: Literal["light", "dark", "auto"] | None = None
    locale: Literal["en", "es", "fr", "ar", "he"] | None = None


class PreferenceSaver(Protocol):
    """Stores the choice of a staff member (shops domain)."""

    def __call__(
        self, uow: UnitOfWork, staff_id: str, theme: str | None = None, locale: str | None = None
    ) -> None: ...


_savers: list[PreferenceSaver] = []


def register_preference_saver(saver: PreferenceSaver) -> None:
    """Say where choices are stored (shops domain); the last one registered counts."""
    _savers[:] = [saver]


def init_preferences(app: Flask) -> None:
    """Add the POST that stores a choice. The client applies a theme itself; a new language needs a new document."""

    @app.post(PATH, endpoint="preferences.save")
    def save_preferences() -> Response:
        principal = embedded_staff()
        request.max_content_length = _LIMIT
        if request.is_json:
            chosen = parse_json(request, Preferences, _LIMIT)
        else:
            chosen = parse_form(request.form, Preferences, current.locale())
        with work_of(principal) as uow:
            _savers[0](uow, principal.id, theme=chosen.theme, locale=chosen.locale)
        response = html_response("", 204)
        if chosen.locale is not None and chosen.locale != current.locale():
            response.headers["HX-Refresh"] = "true"
        return response

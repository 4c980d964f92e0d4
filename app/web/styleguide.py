"""Every component of the admin in its states, for contributors; the route exists in development only."""

from flask import Flask, Response, render_template

from app.core.settings import Settings
from app.web.embedding import embedded_staff, wants_fragment
from app.web.rendering import INSIDE, SHELL, html_response, page_context

PATH = "/app/styleguide"


def init_styleguide(app: Flask, settings: Settings) -> None:
    """Add the route when the application runs in development."""
    if settings.environment != "development":
        return

    @app.get(PATH, endpoint="styleguide.show")
    def show() -> Response:
        ctx = page_context(embedded_staff())
        layout = INSIDE if wants_fragment() else SHELL
        return html_response(render_template("styleguide.html", ctx=ctx, layout=layout, title="Style guide"))

"""Every message that the app sent: e-mails caught by the mail sink, calls to sink addresses."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from devstore import messages
from devstore.current import dev_store
from devstore.errors import not_found
from devstore.state import Doc

mailbox = Blueprint("mailbox", __name__)
# A mail may show pictures and its own styles, and may not run or send anything.
_POLICY = "default-src 'none'; img-src * data:; style-src 'unsafe-inline'; font-src *; sandbox allow-popups"


@mailbox.get("/mailbox")
def listed() -> str:
    """The newest messages; `to` narrows to a recipient."""
    to = request.args.get("to", "").strip()
    return render_template("mailbox.html", messages=messages.latest(dev_store(), to=to or None), to=to)


@mailbox.post("/mailbox/clear")
def clear() -> BaseResponse:
    """Empty the mailbox."""
    messages.clear(dev_store())
    return redirect(url_for("mailbox.listed"))


@mailbox.get("/mailbox/<int:id>")
def shown(id: int) -> str:
    """One message: as it looks, its text, its headers."""
    return render_template("message.html", message=_get(id))


@mailbox.get("/mailbox/<int:id>/html")
def as_html(id: int) -> Response:
    """The HTML of a message, without the power to do anything."""
    answer = Response(_get(id).get("html", ""), content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = _POLICY
    return answer


def _get(id: int) -> Doc:
    found = messages.find(dev_store(), id)
    if found is None:
        raise not_found(f"The message {id}")
    return found

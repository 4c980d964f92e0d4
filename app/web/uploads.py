"""Files of a posted form."""

from collections.abc import Sequence

from flask import Request

from app.core.errors import MalformedPayload
from app.core.i18n import mark
from app.web.form_input import Upload
from app.web.json_input import FORBIDDEN

_CHOOSE = mark("Choose a file.")
_LONGEST_NAME = 200


def read_uploads(request: Request, fields: Sequence[str]) -> dict[str, Upload]:
    """The named files, each of which must be there. The whole request is bounded before it is read."""
    found: dict[str, Upload] = {}
    for name in fields:
        storage = request.files.get(name)
        if storage is None or not storage.filename:
            raise MalformedPayload(fields={name: _CHOOSE})
        filename = FORBIDDEN.sub("", storage.filename.replace("\\", "/").rsplit("/", 1)[-1])[:_LONGEST_NAME]
        found[name] = Upload(filename, storage.mimetype, storage.stream.read())
    return found

"""Query strings as Pydantic models: lax about types, strict about names on the API, forgiving on pages."""

from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import MultiDict

from app.core.errors import MalformedPayload
from app.core.i18n import mark
from app.web.field_errors import malformed, path_of
from app.web.json_input import FORBIDDEN

Model = TypeVar("Model", bound=BaseModel)
_CONTROL = mark("Remove the control characters from this text.")
_ONCE = mark("Give this parameter once.")


def parse_query(arguments: "MultiDict[str, str]", schema: type[Model] | None) -> Model | None:
    """The query as `schema`; unknown names, repeated scalars and bad values raise MalformedPayload (422)."""
    data, refused = _collect(arguments, schema)
    if refused:
        raise MalformedPayload(fields=refused)
    try:
        checked = (schema or _Nothing).model_validate(data, strict=False, extra="forbid")
    except ValidationError as error:
        raise malformed(error, data) from None
    return checked if schema else None  # type: ignore[return-value]


def parse_view_query(arguments: "MultiDict[str, str]", schema: type[Model]) -> Model:
    """The query of a page: what is unknown or cannot be read is left out, so a stale link still opens."""
    data, refused = _collect(arguments, schema)
    known = {name: value for name, value in data.items() if name in names(schema) and name not in refused}
    for _ in range(len(known) + 1):
        try:
            return schema.model_validate(known, strict=False, extra="ignore")
        except ValidationError as error:
            bad = {
                path_of(problem["loc"], known).split(".")[0] for problem in error.errors(include_url=False)
            }
            if not bad & set(known):
                known = {}
            known = {name: value for name, value in known.items() if name not in bad}
    return schema.model_validate({})


class _Nothing(BaseModel):
    """The query of an endpoint that takes none."""


def names(schema: type[BaseModel]) -> dict[str, Any]:
    """The schema's fields under their outside names."""
    return {field.alias or name: field for name, field in schema.model_fields.items()}


def is_list(annotation: Any) -> bool:
    """Whether a field takes several values, also when it may be None."""
    if get_origin(annotation) in (list, set, frozenset, tuple):
        return True
    return (
        any(is_list(part) for part in get_args(annotation)) if type(None) in get_args(annotation) else False
    )


def _collect(
    arguments: "MultiDict[str, str]", schema: type[BaseModel] | None
) -> tuple[dict[str, str | list[str]], dict[str, str]]:
    fields = names(schema) if schema else {}
    data: dict[str, str | list[str]] = {}
    refused: dict[str, str] = {}
    for name, values in arguments.lists():
        if any(FORBIDDEN.search(text) for text in (name, *values)):
            refused[FORBIDDEN.sub("", name)] = _CONTROL
        elif name in fields and is_list(fields[name].annotation):
            data[name] = [part for text in values for part in text.split(",") if part]
        elif len(values) > 1:
            refused[name] = _ONCE
        elif values[0] != "" or name not in fields:
            data[name] = values[0]
    return data, refused

"""Posted forms as the same Pydantic models that JSON uses, read the way people type."""

import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Optional, TypeVar, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ValidationError, create_model
from werkzeug.datastructures import MultiDict

from app.core.errors import MalformedPayload
from app.core.i18n import mark
from app.web.field_errors import fields_of
from app.web.json_input import FORBIDDEN, MAX_INTEGER
from app.web.localized_numbers import to_plain
from app.web.query_input import is_list, names

Model = TypeVar("Model", bound=BaseModel)
NOT_FIELDS = frozenset({"idempotency_key", "csrf_token"})
MAX_FIELDS = 2000
MAX_DEPTH = 8
_CONTROL = mark("Remove the control characters from this text.")
_ONCE = mark("Give this field once.")
_WHOLE = mark("Enter a whole number.")
_NUMBER = mark("Enter a number.")
_TOO_LARGE = mark("This number is too large.")
_INSTANTS = (datetime, AwareDatetime)
_TRUE = frozenset({"on", "true", "1", "yes"})
_FALSE = frozenset({"off", "false", "0", "no", ""})


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file: the name the browser gave, its declared media type and all its bytes."""

    filename: str
    media_type: str
    content: bytes


Tree = dict[str, "Tree | list[str]"]


def parse_form(
    posted: "MultiDict[str, str]", schema: type[Model], locale: str, timezone: str = "UTC"
) -> Model:
    """The posted fields as `schema`. Raises MalformedPayload with a sentence for each refused field by its posted name.

    Names nest with dots. Empty text is None where the field allows None and otherwise as if absent. Checkboxes and
    lists that are absent are False and empty, unless the field allows None. Instants without a zone are in
    `timezone`. Names beginning with an underscore are ignored.
    """
    reader = _Reader(locale, ZoneInfo(timezone))
    data = reader.model(schema, _tree(posted, reader), "", "")
    refused: dict[str, str] = {}
    try:
        found = schema.model_validate(data, strict=False, extra="forbid")
    except ValidationError as error:
        refused = {reader.posted.get(path, path): text for path, text in fields_of(error, data).items()}
    if refused or reader.refused:
        raise MalformedPayload(fields=refused | reader.refused)
    return found


def readable(
    posted: "MultiDict[str, str]", schema: type[Model], locale: str, timezone: str, refused: Iterable[str]
) -> Model | None:
    """A form without the fields that were refused, required ones as None; None where the rest cannot be read either."""
    without = {name for name in refused if name}
    if not without:
        return None
    around = set().union(*(_places(name) for name in without))
    kept = MultiDict(
        (name, value)
        for name, value in posted.items(multi=True)
        if name not in around and without.isdisjoint(_places(name))
    )
    forgiving: type[Model] = _forgiving(schema)
    try:
        return parse_form(kept, forgiving, locale, timezone)
    except MalformedPayload:
        return None


def _places(name: str) -> set[str]:
    """A field's name and those of all that it lies in."""
    steps = name.split(".")
    return {".".join(steps[:count]) for count in range(1, len(steps) + 1)}


@cache
def _forgiving(schema: type[Model]) -> type[Model]:
    """The schema with nothing required."""
    required = {
        name: (Optional[field.rebuild_annotation()], None)  # noqa: UP045 - built from parts
        for name, field in schema.model_fields.items()
        if field.is_required()
    }
    found: type[Model] = create_model(schema.__name__, __base__=schema, **required)  # type: ignore[call-overload]
    return found


def _tree(posted: "MultiDict[str, str]", reader: "_Reader") -> Tree:
    tree: Tree = {}
    for count, (name, values) in enumerate(posted.lists()):
        if name in NOT_FIELDS or name.startswith("_"):
            continue
        steps = name.split(".")
        if count >= MAX_FIELDS or len(steps) > MAX_DEPTH:
            raise MalformedPayload()
        if FORBIDDEN.search(name) or any(FORBIDDEN.search(value) for value in values):
            reader.refused[FORBIDDEN.sub("", name)] = _CONTROL
            continue
        _place(tree, steps, [value.replace("\r\n", "\n") for value in values])
    return tree


def _place(tree: Tree, steps: list[str], values: list[str]) -> None:
    """Put values at a path. An empty "rows" beside "rows.0.sku" only says that there are none, and gives way."""
    here = tree
    for step in steps[:-1]:
        below = here.get(step)
        if not isinstance(below, dict):
            if below is not None and any(below):
                raise MalformedPayload()
            below = here[step] = {}
        here = below
    if isinstance(here.get(steps[-1]), dict):
        if any(values):
            raise MalformedPayload()
        return
    here[steps[-1]] = values


class _Reader:
    """Builds plain data for a schema; remembers refusals and which posted name each built path came from."""

    def __init__(self, locale: str, zone: ZoneInfo) -> None:
        self.locale = locale
        self.zone = zone
        self.refused: dict[str, str] = {}
        self.posted: dict[str, str] = {}

    def model(self, schema: type[BaseModel], tree: Tree, built: str, posted: str) -> dict[str, Any]:
        data: dict[str, Any] = {}
        fields = names(schema)
        for name, field in fields.items():
            node = tree.get(name)
            kind, optional = _bare(field.annotation)
            if node is None:
                if not optional and (kind is bool or is_list(kind)) and not (is_list(kind) and _rows(kind)):
                    data[name] = False if kind is bool else []
                continue
            value = self.value(kind, optional, node, _join(built, name), _join(posted, name))
            if value is not _ABSENT:
                data[name] = value
        for name in tree.keys() - fields.keys():
            data[name] = tree[name]
        return data

    def value(self, kind: Any, optional: bool, node: "Tree | list[str]", built: str, posted: str) -> Any:
        self.posted[built] = posted
        if isinstance(node, dict):
            return self._nested(kind, node, built, posted)
        if is_list(kind):
            item, _ = _bare(get_args(kind)[0])
            return [self._scalar(item, text, posted) for text in node if text.strip()]
        if kind is bool:
            node = node[-1:]
        if len(node) > 1:
            self.refused[posted] = _ONCE
            return _ABSENT
        text = node[0]
        if kind is bool:
            return self._yes_or_no(text)
        if not text.strip():
            return None if optional else _ABSENT
        return self._scalar(kind, text, posted)

    def _nested(self, kind: Any, node: Tree, built: str, posted: str) -> Any:
        member = _member(kind, node)
        if member is not None:
            return self.model(member, node, built, posted)
        if is_list(kind):
            item, optional = _bare(get_args(kind)[0])
            keys = sorted(node, key=lambda key: (not key.isdigit(), key.zfill(9)))
            rows = (
                self.value(item, optional, node[key], f"{built}.{position}", f"{posted}.{key}")
                for position, key in enumerate(keys)
            )
            return [row for row in rows if row is not _ABSENT]
        if get_origin(kind) in (dict, Mapping):
            item, optional = _bare(get_args(kind)[1])
            pairs = {
                key: self.value(item, optional, node[key], f"{built}.{key}", f"{posted}.{key}")
                for key in node
            }
            return {key: value for key, value in pairs.items() if value is not _ABSENT}
        return node

    def _scalar(self, kind: Any, text: str, posted: str) -> Any:
        if kind in _INSTANTS:
            return self._instant(text.strip())
        if not _numeric(kind):
            return text.strip()
        plain = to_plain(text, self.locale)
        if plain is None:
            self.refused[posted] = _WHOLE if kind is int else _NUMBER
            return _ABSENT
        if abs(float(plain)) > MAX_INTEGER:
            self.refused[posted] = _TOO_LARGE
        if get_origin(kind) is Literal:
            return int(plain) if plain.lstrip("+-").isdigit() else text
        return plain

    def _instant(self, text: str) -> Any:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            return text
        return found if found.tzinfo else found.replace(tzinfo=self.zone)

    @staticmethod
    def _yes_or_no(text: str) -> Any:
        word = text.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else text


_ABSENT: Any = object()


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def numeric_names(schema: type[BaseModel], prefix: str = "") -> frozenset[str]:
    """The posted names of the schema's numbers, those of nested single models included."""
    found: set[str] = set()
    for name, field in names(schema).items():
        kind, _ = _bare(field.annotation)
        if _numeric(kind):
            found.add(prefix + name)
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= numeric_names(kind, f"{prefix}{name}.")
    return frozenset(found)


def _bare(annotation: Any) -> tuple[Any, bool]:
    """An annotation without Annotated and None, and whether None was in it."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        members = [part for part in get_args(annotation) if part is not type(None)]
        optional = len(members) < len(get_args(annotation))
        if len(members) == 1:
            inner, _ = _bare(members[0])
            return inner, optional
        return Union[tuple(members)], optional  # noqa: UP007 - built from parts
    return annotation, False


def _members(kind: Any) -> list[Any]:
    return (
        [_bare(part)[0] for part in get_args(kind)]
        if get_origin(kind) in (Union, types.UnionType)
        else [kind]
    )


def _models(kind: Any) -> list[type[BaseModel]]:
    return [part for part in _members(kind) if isinstance(part, type) and issubclass(part, BaseModel)]


def _rows(kind: Any) -> bool:
    return bool(get_args(kind)) and bool(_models(_bare(get_args(kind)[0])[0]))


def _member(kind: Any, node: Tree) -> type[BaseModel] | None:
    """The model a nested node is read as; among several the one whose literal field equals what was posted."""
    models = _models(kind)
    for model in models:
        literals = {
            name: [str(option) for option in get_args(field.annotation)]
            for name, field in names(model).items()
            if get_origin(field.annotation) is Literal
        }
        if any(_sent(node, name) in allowed for name, allowed in literals.items()):
            return model
    return models[0] if models else None


def _sent(node: Tree, name: str) -> str | None:
    values = node.get(name)
    return values[-1] if isinstance(values, list) and values else None


def _numeric(kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return all(isinstance(option, int) and not isinstance(option, bool) for option in get_args(kind))
    return all(part in (int, float, Decimal) for part in _members(kind))

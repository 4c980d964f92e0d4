"""A form on a page: where it posts, what its fields show, and what was wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import orjson
from werkzeug.datastructures import MultiDict

from app.web.localized_numbers import to_typed

# The hidden field that keeps what a person had read, and the code of a save that came too late.
AS_READ, STALE = "_as_read", "stale_version"


def new_key() -> str:
    """A fresh idempotency key for a form."""
    return uuid4().hex


@dataclass(slots=True)
class Form:
    """What a template asks about a form. `typed` holds the posted texts of a refused form, else `initial` is shown.

    `errors` are sentences by field name, `message` one about the whole form. Field names nest with dots. Initial
    values of `numeric` fields may be decimal strings; like numbers they are shown in the locale's notation, in
    which they are read.
    """

    action: str
    url: str
    locale: str = "en"
    timezone: str = "UTC"
    initial: Any = None
    typed: "MultiDict[str, str] | None" = None
    errors: dict[str, str] = field(default_factory=dict)
    message: str = ""
    code: str = ""
    numeric: frozenset[str] = frozenset()
    idempotency_key: str = field(default_factory=new_key)

    @property
    def refused(self) -> bool:
        """Whether this is a posted form that was not accepted."""
        return self.typed is not None

    def value(self, name: str, default: Any = "") -> str:
        """The text a field shows: what was typed, else the initial value in the locale's typing form."""
        if self.typed is not None:
            return self.typed.get(name, "")
        found = self._initial(name)
        shown = default if found is None else found
        return self._number(shown) if name in self.numeric and isinstance(shown, str) else self._text(shown)

    def values(self, name: str) -> list[str]:
        """Every text of a field with several values."""
        if self.typed is not None:
            return self.typed.getlist(name)
        found = self._initial(name)
        if found is None:
            return []
        several = found if isinstance(found, (list, tuple, set, frozenset)) else [found]
        return [self._text(each) for each in several]

    def checked(self, name: str, option: Any = None) -> bool:
        """Whether a checkbox is ticked, or whether `option` is chosen in a radio group, select or list."""
        if option is not None:
            return self._text(option) in self.values(name)
        if self.typed is not None:
            return bool(self.typed.getlist(name)) and self.typed.getlist(name)[-1].lower() in (
                "on",
                "true",
                "1",
                "yes",
            )
        return bool(self._initial(name))

    def error(self, name: str) -> str:
        """The sentence under a field, or that of the first of its values that was refused; empty when it is fine."""
        if name in self.errors:
            return self.errors[name]
        within = f"{name}."
        refused = (
            sentence
            for key, sentence in self.errors.items()
            if key.startswith(within) and key[len(within) :].isdecimal()
        )
        return next(refused, "")

    def read(self, theirs: Any, names: Sequence[str]) -> str:
        """The named fields as the person got to read them, as JSON for a hidden field that comes back with the form.

        `theirs` are the values as they are saved now; after a collision those are what the person reads.
        """
        if self.typed is not None and self.code != STALE:
            return self.typed.get(AS_READ, "")
        beside = self._beside(theirs)
        return orjson.dumps({name: beside.said(name, _look(theirs, name)) for name in names}).decode()

    def differences(self, theirs: Any, names: Sequence[str]) -> list[dict[str, Any]]:
        """Where what was typed differs from what is saved now: {name, was, theirs, yours} as texts or lists of them.

        `was` is what the person had read, None when the form did not keep it.
        """
        beside, read = self._beside(theirs), self._as_read()
        found = []
        for name in names:
            kind = _look(theirs, name)
            saved, mine = beside.said(name, kind), self.said(name, kind)
            if saved != mine:
                found.append({"name": name, "was": read.get(name), "theirs": saved, "yours": mine})
        return found

    def said(self, name: str, kind: Any) -> str | list[str]:
        """A field as text, or as texts where it has several; `kind` is a value of its type, which tells which."""
        if isinstance(kind, bool):
            return "true" if self.checked(name) else "false"
        if isinstance(kind, (list, tuple)):
            return [one for one in self.values(name) if one]
        return self.value(name)

    def _beside(self, theirs: Any) -> "Form":
        return Form(self.action, self.url, self.locale, self.timezone, theirs, numeric=self.numeric)

    def _as_read(self) -> dict[str, str | list[str]]:
        try:
            found = orjson.loads(self.typed.get(AS_READ, "{}")) if self.typed is not None else {}
        except orjson.JSONDecodeError:
            return {}
        if not isinstance(found, dict):
            return {}
        return {
            name: [str(one) for one in said] if isinstance(said, list) else str(said)
            for name, said in found.items()
        }

    def _initial(self, name: str) -> Any:
        return _look(self.initial, name)

    def _number(self, text: str) -> str:
        try:
            return to_typed(Decimal(text), self.locale)
        except InvalidOperation:
            return text

    def _text(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, Enum):
            return str(value.value)
        if isinstance(value, (int, float, Decimal)):
            return to_typed(value, self.locale)
        if isinstance(value, datetime):
            local = value.astimezone(ZoneInfo(self.timezone)) if value.tzinfo else value
            return local.strftime("%Y-%m-%dT%H:%M")
        if isinstance(value, (date, time)):
            return value.isoformat()
        return str(value)


def _look(source: Any, name: str) -> Any:
    """What lies at a field's name in a mapping, a list or an object, or under the whole name as it is posted; else None."""
    if isinstance(source, Mapping) and name in source:
        return source[name]
    for step in name.split("."):
        if isinstance(source, Mapping):
            source = source.get(step)
        elif isinstance(source, (list, tuple)) and step.isdigit():
            source = source[int(step)] if int(step) < len(source) else None
        else:
            source = getattr(source, step, None) if source is not None else None
    return source

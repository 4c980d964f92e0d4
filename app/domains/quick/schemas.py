"""Shapes of one-click tasks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.core.calendar import Day
from app.core.db import UnitOfWork
from app.core.paging import DEFAULT_LIMIT, MAX_LIMIT
from app.core.permissions import Permission


@dataclass(frozen=True)
class Line:
    """One line of a preview. `name` is a marked sentence; money is in minor units of the shop's currency, moments are
    instants, and "words" is a marked sentence filled from `data`."""

    name: str
    value: Any
    kind: Literal["text", "words", "points", "number", "money", "date", "moment"] = "text"
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Preview:
    """What a task would do as things stand. `warnings` are marked sentences with their data; what is not `possible` is
    shown without the button that would do it.

    `template` with `view` shows what lines cannot; a task that only looks something up shows it here. `submit` is a marked
    sentence with its data for the button, where what it does depends on what was typed.
    """

    lines: list[Line] = field(default_factory=list)
    warnings: Sequence[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    template: str = ""
    view: Mapping[str, Any] = field(default_factory=dict)
    possible: bool = True
    submit: tuple[str, Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a task did: a marked sentence with its data, where to see it, and what `undo` needs, None for nothing.

    Nothing here may name a person: it is kept. `data` holds names and days as `named` and `dated` write them. `template` with
    `view` is shown at once and not kept.
    """

    message: str
    data: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""
    undo: dict[str, Any] | None = None
    template: str = ""
    view: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """A one-click task. Titles are marked sentences, `submit` the words on its button; `template` holds its fields.

    `choices(uow, locale)` gives what the fields offer, with `initial` values. A task without `run` only looks up; of one
    that `stays` what came of it is shown in its place. `position` orders tasks nobody used yet.
    """

    key: str
    title: str
    text: str
    icon: str
    permission: Permission
    form: type[BaseModel]
    template: str
    submit: str
    preview: Callable[[UnitOfWork, Any, str], Preview]
    position: int
    run: Callable[[UnitOfWork, Any], Outcome] | None = None
    undo: Callable[[UnitOfWork, dict[str, Any]], None] | None = None
    choices: Callable[[UnitOfWork, str], dict[str, Any]] = lambda uow, locale: {}
    stays: bool = False


@dataclass(frozen=True)
class Use:
    """How often a person ran a task, and whether they keep it at the front."""

    times: int = 0
    pinned: bool = False


def named(name: str, names: Mapping[str, str]) -> dict[str, Any]:
    """A name as it is kept: by locale where the merchant gave it in more languages."""
    return {"name": name, "names": dict(names)}


def dated(day: date) -> dict[str, str]:
    """A day as it is kept."""
    return {"day": day.isoformat()}


class RunsQuery(BaseModel):
    """What of what was run; days are those of the shop."""

    task: str | None = Field(None, max_length=60)
    state: Literal["done", "undone"] | None = None
    start: Day | None = None
    end: Day | None = None
    sort: Literal["newest", "oldest"] = "newest"
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(None, max_length=300)


class TaskQuery(BaseModel):
    """Whether a task is opened in a dialog over the page, and the member whom it is about."""

    dialog: bool = False
    member: UUID | None = None


class PinForm(BaseModel):
    """Keep a task at the front, or let it go back to its place."""

    task: str = Field(min_length=1, max_length=60)
    pinned: bool = False


class Nothing(BaseModel):
    """A task without fields."""


class TestQuery(BaseModel):
    """Which test message is asked about."""

    delivery: UUID | None = None
    verified: float | None = Field(None, ge=0, le=600_000, allow_inf_nan=False)
    stored: float | None = Field(None, ge=0, le=600_000, allow_inf_nan=False)

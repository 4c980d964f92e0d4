"""Shapes of saved views, column choices and selections, and the forms that make them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

MAX_VIEWS = 50
# The address of a page of the admin, with its query.
Address = Annotated[
    str, StringConstraints(max_length=4000, pattern=r"^/app(/[A-Za-z0-9_-]+)*(\?[A-Za-z0-9_.~%&=+,:-]*)?$")
]
ViewName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
ColumnKeys = Annotated[list[Annotated[str, StringConstraints(max_length=60)]], Field(max_length=60)]


@dataclass(frozen=True)
class SavedView:
    """Filters, order and columns of a list under a name; `staff_id` is None when everybody of the shop has it."""

    id: UUID
    list: str
    name: str
    staff_id: UUID | None
    query: dict[str, Any]
    columns: tuple[str, ...] | None
    version: int

    @property
    def shared(self) -> bool:
        """Whether everybody of the shop has it."""
        return self.staff_id is None


@dataclass(frozen=True)
class Kept:
    """What a staff member keeps of a list: own and shared views by name, the columns, and the view it opens with."""

    views: tuple[SavedView, ...] = ()
    columns: tuple[str, ...] | None = None
    view_id: UUID | None = None


@dataclass(frozen=True)
class Selection:
    """Rows of a list chosen for an action.

    Either `ids`, chosen one by one, or `query`: the list's filters as its query model takes them, without order and
    place, for all rows that match ({} is every row).
    """

    id: UUID
    list: str
    ids: tuple[UUID, ...]
    query: dict[str, Any] | None
    created_at: datetime


class AsShownQuery(BaseModel):
    """The address of the list that a dialog belongs to."""

    at: Address = "/app"


class ColumnsForm(BaseModel):
    """The columns that somebody wants to see; `usual` goes back to those that the list begins with."""

    at: Address
    columns: ColumnKeys
    usual: bool = False


class SaveViewForm(BaseModel):
    """What the list shows now, under a name."""

    at: Address
    name: ViewName
    shared: bool = False
    first: bool = False


class EditViewForm(BaseModel):
    """Another name, other people, or what the list shows now; `first` opens the list with it."""

    at: Address
    name: ViewName
    shared: bool = False
    first: bool = False
    as_shown: bool = False
    version: int = Field(ge=1, le=2**31 - 1)


class DeleteViewForm(BaseModel):
    """Where the list is shown again."""

    at: Address


class SelectForm(BaseModel):
    """Rows chosen in a list, and the action they are for."""

    at: Address
    then: Annotated[str, StringConstraints(max_length=60)]
    ids: Annotated[list[UUID], Field(max_length=5_000)] = []
    all_matching: bool = False

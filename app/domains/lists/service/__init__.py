"""The public verbs of lists: views and columns that staff keep, and selections of rows for an action."""

from app.domains.lists.service.selections import select, selection
from app.domains.lists.service.views import (
    change,
    choose_columns,
    delete,
    exported,
    kept,
    open_with,
    save,
    units,
    view,
)

__all__ = [
    "change",
    "choose_columns",
    "delete",
    "exported",
    "kept",
    "open_with",
    "save",
    "select",
    "selection",
    "units",
    "view",
]

"""What the keeping of views and selections refuses."""

from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import mark


class ListNotFound(NotFound):
    """No list has that name."""

    code = "list_not_found"
    default_message = mark("There is no such list.")


class ViewNotFound(NotFound):
    """The shop has no such view, or it is somebody else's."""

    code = "view_not_found"
    default_message = mark("There is no such saved view.")


class SelectionNotFound(NotFound):
    """The shop has no such selection; they are kept for a week."""

    code = "selection_not_found"
    default_message = mark("This selection is no longer kept. Choose the rows again.")


class NothingChosen(Invalid):
    """A selection needs rows."""

    code = "nothing_chosen"
    default_message = mark("Choose at least one row.")


class TooManyChosen(Invalid):
    """So many rows are not chosen one by one."""

    code = "too_many_chosen"
    default_message = mark("Choose at most {limit} rows one by one, or all that match.")


class TooManyViews(Conflict):
    """A list has a bounded number of views."""

    code = "too_many_views"
    default_message = mark("This list has {limit} saved views already. Delete one first.")


class StaleView(Conflict):
    """Somebody saved the view since it was read."""

    code = "stale_version"
    default_message = mark(
        "Somebody else saved this view meanwhile. Compare with their version and save again."
    )

"""What bulk actions refuse."""

from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import mark

_FILE = {
    "encoding": mark("We cannot read this file. Save it as CSV with UTF-8 encoding."),
    "empty": mark("The file is empty."),
    "columns": mark("No column says whom to choose. Name one “email” or “customer id” in the first line."),
    "rows": mark("The file has no rows below its first line."),
}


class FileRefused(Invalid):
    """The file cannot be read; `why` is "encoding", "empty", "columns" or "rows"."""

    code = "file_refused"

    def __init__(self, why: str) -> None:
        super().__init__(_FILE[why], fields={"file": _FILE[why]})


class RunNotFound(NotFound):
    """No bulk action of this shop has that id."""

    code = "bulk_run_not_found"
    default_message = mark("There is no such bulk action in this shop.")


class RunMoved(Conflict):
    """The run is not in a state in which this can be done."""

    code = "bulk_run_moved"
    default_message = mark("This bulk action has moved on meanwhile. Look at where it stands now.")


class PlanChanged(Conflict):
    """The dry run that somebody saw is not the present one."""

    code = "bulk_plan_changed"
    default_message = mark("The dry run was made anew meanwhile. Look at its numbers before you start.")


class WelcomeChanged(Conflict):
    """Joining gives more points than when the dry run counted them."""

    code = "bulk_welcome_changed"
    default_message = mark(
        "Joining gives more points now than the dry run shows. Make the dry run again, or begin a new bulk action."
    )


class WelcomeNeedsApproval(Conflict):
    """Joining gives more points than one person may give alone, so one person does not enroll another alone either."""

    code = "bulk_welcome_needs_approval"
    default_message = mark(
        "Joining gives more points ({points}) than one person may give here alone. Enroll people with a bulk action, so"
        " that somebody else can approve it."
    )


class NothingToDo(Conflict):
    """The dry run accepted no row."""

    code = "bulk_nothing_to_do"
    default_message = mark("No row can be done, so there is nothing to start.")


class NotUndoable(Conflict):
    """What the run did cannot be taken back."""

    code = "bulk_not_undoable"
    default_message = mark("This cannot be undone.")

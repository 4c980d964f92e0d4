"""What one-click tasks refuse."""

from app.core.errors import Conflict, NotFound
from app.core.i18n import mark


class TaskNotFound(NotFound):
    """Nobody declared a task of that name."""

    code = "task_not_found"
    default_message = mark("There is no such action.")


class RunNotFound(NotFound):
    """No run of this shop has that id."""

    code = "run_not_found"
    default_message = mark("There is no such action in this shop's history.")


class NothingToUndo(Conflict):
    """What was done cannot be taken back, or was taken back before."""

    code = "nothing_to_undo"
    default_message = mark("This was undone already, or it cannot be undone.")

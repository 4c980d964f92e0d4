"""The verbs of one-click tasks: declaring, running, taking back, keeping at the front; and the test webhook."""

from app.domains.quick.service.running import board, pin, register_task, run, task, tasks, undo
from app.domains.quick.service.testing import handled, test_webhook

__all__ = [
    "board",
    "handled",
    "pin",
    "register_task",
    "run",
    "task",
    "tasks",
    "test_webhook",
    "undo",
]

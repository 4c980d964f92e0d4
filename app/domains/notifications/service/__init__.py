"""The verbs of notifications: queueing in the transaction of the fact, composing and closing when the mail goes out."""

from app.domains.notifications.service.composing import compose
from app.domains.notifications.service.queueing import (
    SEND,
    close,
    forget,
    history,
    queue_points_earned,
    sending_failed,
)

__all__ = ["SEND", "close", "compose", "forget", "history", "queue_points_earned", "sending_failed"]

"""The verbs of notifications: queueing in the transaction of the fact, composing and closing when the mail goes out."""

from app.domains.notifications.service.composing import compose
from app.domains.notifications.service.expiring import notices, save_notices, warn_slice
from app.domains.notifications.service.foreseeing import (
    TEST,
    forecast,
    sample,
    send_test,
    test_letter,
    upcoming,
)
from app.domains.notifications.service.inviting import (
    INVITE,
    PATIENCE,
    Audience,
    audiences,
    check,
    invite,
    invite_slice,
    reach,
    register_audience,
    withdraw,
    worded,
)
from app.domains.notifications.service.leaving import tell_endings
from app.domains.notifications.service.lettering import keep_letter, missing_words, send_letter, willing
from app.domains.notifications.service.queueing import (
    COMPOSE,
    SEND,
    announce,
    close,
    forget,
    history,
    queue_announced,
    queue_for_present,
    queue_invited,
    sending_failed,
)
from app.domains.notifications.service.tasks import TASKS
from app.domains.notifications.service.writing import can_write_to, write_to

__all__ = [
    "COMPOSE",
    "INVITE",
    "PATIENCE",
    "SEND",
    "TASKS",
    "TEST",
    "Audience",
    "announce",
    "audiences",
    "can_write_to",
    "check",
    "close",
    "compose",
    "forecast",
    "forget",
    "history",
    "invite",
    "invite_slice",
    "keep_letter",
    "missing_words",
    "notices",
    "queue_announced",
    "queue_for_present",
    "queue_invited",
    "reach",
    "register_audience",
    "sample",
    "save_notices",
    "send_letter",
    "send_test",
    "sending_failed",
    "tell_endings",
    "test_letter",
    "upcoming",
    "warn_slice",
    "willing",
    "withdraw",
    "worded",
    "write_to",
]

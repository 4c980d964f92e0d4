"""The verbs of bulk actions: making, rehearsing, steering, doing, taking back."""

from app.domains.bulk.service.acting import UNDOABLE, permission
from app.domains.bulk.service.checking import read
from app.domains.bulk.service.enrolling import (
    enroll_one,
    forget_person,
    person_of,
    welcomed_since,
    welcomes_since,
)
from app.domains.bulk.service.keeping import (
    CHECK,
    as_file,
    create,
    describe,
    get,
    guests,
    moves_points,
    segment_options,
)
from app.domains.bulk.service.running import note_trouble, run
from app.domains.bulk.service.running import undo as undo_rows
from app.domains.bulk.service.steering import (
    RUN,
    UNDO,
    cancel,
    check_again,
    decide,
    pause,
    resume,
    start,
    undo,
)

__all__ = [
    "CHECK",
    "RUN",
    "UNDO",
    "UNDOABLE",
    "as_file",
    "cancel",
    "check_again",
    "create",
    "decide",
    "describe",
    "enroll_one",
    "forget_person",
    "get",
    "guests",
    "moves_points",
    "note_trouble",
    "pause",
    "permission",
    "person_of",
    "read",
    "resume",
    "run",
    "segment_options",
    "start",
    "undo",
    "undo_rows",
    "welcomed_since",
    "welcomes_since",
]

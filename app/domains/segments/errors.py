"""What segments refuse."""

from app.core.errors import Conflict, Invalid, NotFound, Unavailable
from app.core.i18n import mark


class SegmentNotFound(NotFound):
    """No segment of this shop has that id."""

    code = "segment_not_found"
    default_message = mark("There is no such segment in this shop.")


class SegmentNameTaken(Conflict):
    """Another segment has the same name."""

    code = "segment_name_taken"
    default_message = mark("Another segment is called {name} already. Choose another name.")


class StaleSegment(Conflict):
    """Somebody saved the segment since it was read."""

    code = "stale_version"
    default_message = mark(
        "Somebody else saved this segment meanwhile. Compare with their version and save again."
    )


class SegmentInUse(Conflict):
    """Programs or rewards name the segment; `places` are their names."""

    code = "segment_in_use"
    default_message = mark("{name} is still used by: {places}. Take it out there first.")


class SegmentNotManual(Conflict):
    """Members of a segment with conditions are found by these, not by hand."""

    code = "segment_not_manual"
    default_message = mark("This segment finds its members by conditions. Change the conditions instead.")


class TooManySegments(Conflict):
    """A shop has a bounded number of segments."""

    code = "too_many_segments"
    default_message = mark("A shop can have {limit} segments. Delete one first.")


class ConditionRefused(Invalid):
    """A condition is not complete, or asks what cannot be asked."""

    code = "condition_refused"
    default_message = mark("Some conditions cannot be understood.")


class FileRefused(Invalid):
    """A file of e-mail addresses cannot be read."""

    code = "file_refused"
    default_message = mark("The file could not be read.")


class NotCounted(Unavailable):
    """The facts of a large shop's members are still being summed up for the first time."""

    code = "not_counted"
    default_message = mark("Members are being counted. Try again in a moment.")

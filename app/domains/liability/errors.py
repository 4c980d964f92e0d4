"""What liability refuses."""

from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import mark


class StaleVersion(Conflict):
    """Somebody saved the settings in between."""

    code = "stale_version"
    default_message = mark("Somebody else saved these settings in between. Look at theirs and save again.")


class ReasonNeeded(Invalid):
    """A rate of one's own without a reason."""

    code = "reason_needed"
    default_message = mark("Say why this rate is used instead of the measured one.")


class MonthUnknown(NotFound):
    """A month before the ledger or in the future."""

    code = "month_unknown"
    default_message = mark("The ledger has no such month.")


class NoEntries(NotFound):
    """Nothing was ever posted."""

    code = "no_entries"
    default_message = mark("The ledger has no entries yet.")

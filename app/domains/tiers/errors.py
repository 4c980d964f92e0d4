"""What tiers refuse."""

from app.core.errors import Conflict, NotFound
from app.core.i18n import mark


class TierNotFound(NotFound):
    """No tier of this shop has that id."""

    code = "tier_not_found"
    default_message = mark("There is no such tier in this shop.")


class StaleVersion(Conflict):
    """Somebody saved the tier since it was read."""

    code = "stale_version"
    default_message = mark(
        "Somebody else saved this tier meanwhile. Compare with their version and save again."
    )


class ThresholdTaken(Conflict):
    """Another tier of the ladder starts at the same number of points."""

    code = "threshold_taken"
    default_message = mark("{name} starts at {points} points already. Choose another number.")


class FirstTierNeeded(Conflict):
    """The ladder's first tier has to start at zero."""

    code = "first_tier_needed"
    default_message = mark("One tier has to start at 0 points, so that every member is in one.")

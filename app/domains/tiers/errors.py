"""What tiers refuse."""

from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import mark


class TierNotFound(NotFound):
    """No tier of this shop has that id."""

    code = "tier_not_found"
    default_message = mark("There is no such tier in this shop.")


class LadderNotFound(NotFound):
    """No ladder of this shop has that id."""

    code = "ladder_not_found"
    default_message = mark("There is no such tier ladder in this shop.")


class SimulationNotFound(NotFound):
    """No preview of this shop has that id; they are kept for a week."""

    code = "simulation_not_found"
    default_message = mark("This preview is no longer kept. Start it again.")


class SimulationRunning(Conflict):
    """A preview is saved once it has seen everybody."""

    code = "simulation_running"
    default_message = mark("The preview has not seen every member yet. Wait until it has ended.")


class StaleVersion(Conflict):
    """Somebody saved the ladder since it was read."""

    code = "stale_version"
    default_message = mark(
        "Somebody else saved this ladder meanwhile. Compare with their version and save again."
    )


class ThresholdTaken(Invalid):
    """Another tier of the ladder starts at the same value."""

    code = "threshold_taken"
    default_message = mark("{name} starts there already. Choose another number.")


class FirstTierNeeded(Conflict):
    """The ladder's first tier has to start at zero."""

    code = "first_tier_needed"
    default_message = mark("One tier has to start at 0, so that every member is in one.")


class ThresholdTooHigh(Invalid):
    """An RFM score has at most 15 points."""

    code = "threshold_too_high"
    default_message = mark("The highest RFM score is 15.")


class WholeNumberNeeded(Invalid):
    """Points, orders and scores are whole."""

    code = "whole_number_needed"
    default_message = mark("Write a whole number.")


class WindowNotAllowed(Invalid):
    """RFM scores compare members over the last months."""

    code = "window_not_allowed"
    default_message = mark("RFM scores compare members over the last months. Choose that period.")


class RewardNotGivable(Invalid):
    """A tier gives rewards that make a discount code and are active."""

    code = "reward_not_givable"
    default_message = mark("Choose an active reward that makes a discount code.")


class MainLadderStays(Conflict):
    """The main ladder cannot be removed or switched off while another is there to take its place."""

    code = "main_ladder_stays"
    default_message = mark("Make another ladder the main one first.")


class LockInThePast(Invalid):
    """A lock ends in the future."""

    code = "lock_in_the_past"
    default_message = mark("Choose a day that is still to come.")

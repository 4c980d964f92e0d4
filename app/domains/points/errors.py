"""What the ledger refuses."""

from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.i18n import mark


class InsufficientPoints(Conflict):
    """The member has fewer available points than asked for."""

    code = "insufficient_points"
    default_message = mark("{needed} points are needed and {available} are available.")


class MemberCannotEarn(Conflict):
    """The member is blocked, erased or merged."""

    code = "member_cannot_earn"
    default_message = mark("This member cannot earn or spend points now.")


class KeyReused(Conflict):
    """The same key was used for another posting."""

    code = "idempotency_mismatch"
    default_message = mark("This key was used for another request before.")


class NotAnEarningOrder(Conflict):
    """The order earns nothing for this member."""

    code = "order_earns_nothing"
    default_message = mark(
        "This order earns no points: it is not paid, was canceled, or holds nothing that earns."
    )


class RehearsalNotFound(NotFound):
    """No rehearsal of this shop has that id."""

    code = "rehearsal_not_found"
    default_message = mark("There is no such rehearsal in this shop.")


class NoProgramActive(Conflict):
    """No program is active, so nothing earns."""

    code = "no_program_active"
    default_message = mark("No program is active, so nothing earns points now.")


class NothingToEarn(Conflict):
    """The program gives nothing for this action."""

    code = "nothing_to_earn"
    default_message = mark("The program gives no points for this.")


class AdjustmentNotFound(NotFound):
    """No adjustment of this shop has that id."""

    code = "adjustment_not_found"
    default_message = mark("There is no such adjustment in this shop.")


class DailyLimitReached(Conflict):
    """Whoever adjusts has moved as many points today as the shop allows one person."""

    code = "daily_limit_reached"
    default_message = mark("One person may adjust {limit} points a day here; {left} are left for you today.")


class AdjustmentClosed(Conflict):
    """The adjustment was decided or undone before."""

    code = "adjustment_closed"
    default_message = mark("This adjustment was already approved, rejected or undone.")


class ApproverNeeded(Conflict):
    """Who asked for an adjustment does not approve it."""

    code = "approver_needed"
    default_message = mark("Somebody else has to approve what you asked for.")


class UndoRefused(Conflict):
    """The adjustment cannot be taken back exactly."""

    code = "undo_refused"
    default_message = mark(
        "Some of these points were used or moved since, so this adjustment cannot be undone exactly."
    )


class NothingToAdjust(Conflict):
    """The adjustment would change nothing."""

    code = "nothing_to_adjust"
    default_message = mark("This would not change anything.")


class SameMember(Invalid):
    """A transfer needs two members."""

    code = "same_member"
    default_message = mark("Choose another member to transfer points to.")


class StaleSettings(Conflict):
    """Somebody saved these settings meanwhile."""

    code = "stale_version"
    default_message = mark("Somebody else changed these settings. Load the page again.")


class OtherMerchant(Forbidden):
    """The credential belongs to another shop."""

    code = "other_merchant"
    default_message = mark("This credential belongs to another shop.")


class RedatingNotFound(NotFound):
    """No redating of this shop has that id."""

    code = "redating_not_found"
    default_message = mark("There is no such change of expiry dates in this shop.")


class RedatingClosed(Conflict):
    """The redating is not in the state that this starts from."""

    code = "redating_closed"
    default_message = mark(
        "This change of expiry dates was already applied or undone, or is not counted yet."
    )


class RedatingOutdated(Conflict):
    """The program changed since the redating was counted."""

    code = "redating_outdated"
    default_message = mark("The program changed since this was counted. Count again before you apply it.")


class RedatingRunning(Conflict):
    """Another redating is being applied or undone."""

    code = "redating_running"
    default_message = mark(
        "Another change of expiry dates is being applied or undone. Wait until it is done."
    )


class NothingEndsSooner(Conflict):
    """No points of the member end before the day until which they are to be kept."""

    code = "nothing_ends_sooner"
    default_message = mark("No points end in this time and before that day.")

"""What the ledger refuses."""

from app.core.errors import Conflict
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
        "This order earns no points: it is not paid, was cancelled, or holds nothing that earns."
    )


class NothingToEarn(Conflict):
    """The program gives nothing for this action."""

    code = "nothing_to_earn"
    default_message = mark("The program gives no points for this.")

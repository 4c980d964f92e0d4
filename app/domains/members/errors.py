"""What member look-ups refuse."""

from app.core.errors import Conflict, NotFound
from app.core.i18n import mark


class MemberNotFound(NotFound):
    """No member of this shop has that id."""

    code = "member_not_found"
    default_message = mark("There is no such member in this shop.")


class MemberErased(Conflict):
    """The member's personal data was erased; nothing can be changed any more."""

    code = "member_erased"
    default_message = mark("This member was erased.")

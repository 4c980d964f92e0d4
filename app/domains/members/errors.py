"""What member look-ups refuse."""

from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import mark


class MemberNotFound(NotFound):
    """No member of this shop has that id."""

    code = "member_not_found"
    default_message = mark("There is no such member in this shop.")


class MemberErased(Conflict):
    """The member's personal data was erased; nothing can be changed any more."""

    code = "member_erased"
    default_message = mark("This member was erased.")


class MergeNotFound(NotFound):
    """No merge of this shop has that id."""

    code = "merge_not_found"
    default_message = mark("There is no such merge in this shop.")


class MergeRefused(Conflict):
    """One of the two is erased, merged on, or both are the same member."""

    code = "merge_refused"
    default_message = mark(
        "These two members cannot be merged or separated now: one was erased or merged with another."
    )


class CustomerUnknown(Invalid):
    """No number of a customer was given."""

    code = "customer_unknown"
    default_message = mark(
        "Enter an e-mail, the customer's number, or copy the address of their page in Shopify."
    )


class AlreadyMember(Conflict):
    """The customer is a member already."""

    code = "already_member"
    default_message = mark("This customer is a member already.")

"""What notifications refuse."""

from app.core.errors import Conflict, NotFound
from app.core.i18n import mark


class AudienceEmpty(Conflict):
    """Nobody of the audience agreed to marketing by e-mail."""

    code = "audience_empty"
    default_message = mark(
        "Nobody in this audience has agreed to marketing e-mails, so nobody would get this."
    )


class InvitationNotFound(NotFound):
    """No invitation of this shop has that id."""

    code = "invitation_not_found"
    default_message = mark("There is no such message in this shop.")


class InvitationSent(Conflict):
    """The message went out, or was withdrawn before."""

    code = "invitation_sent"
    default_message = mark("This message has gone out or was withdrawn already.")


class MemberUnwilling(Conflict):
    """The member is not active, has no address, or did not agree to marketing by e-mail."""

    code = "member_unwilling"
    default_message = mark("This member did not agree to marketing e-mails, or has no address.")


class StaleNotices(Conflict):
    """Somebody saved the settings since they were read."""

    code = "stale_version"
    default_message = mark("Somebody else changed these settings meanwhile. Compare and save again.")


class NoContactEmail(Conflict):
    """The shop has no contact address to send a test to."""

    code = "no_contact_email"
    default_message = mark("Your store has no contact e-mail address in Shopify.")


class MailOff(Conflict):
    """No mail server is set up."""

    code = "mail_off"
    default_message = mark("No mail server is set up, so no e-mail can be sent.")

"""What compliance refuses."""

from app.core.errors import NotFound
from app.core.i18n import mark


class PrivacyRequestNotFound(NotFound):
    """No privacy request of this shop has that id."""

    code = "privacy_request_not_found"
    default_message = mark("There is no such privacy request in this shop.")

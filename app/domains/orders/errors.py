"""What order look-ups refuse."""

from app.core.errors import NotFound
from app.core.i18n import mark


class OrderNotFound(NotFound):
    """The shop has not told us of such an order."""

    code = "order_not_found"
    default_message = mark("We do not know this order.")

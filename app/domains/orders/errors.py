"""What order look-ups refuse."""

from app.core.errors import Contention, NotFound
from app.core.i18n import mark


class OrderNotFound(NotFound):
    """The shop has not told us of such an order."""

    code = "order_not_found"
    default_message = mark("We do not know this order.")


class OrdersMeanwhile(Contention):
    """Another transaction stored one of these new orders first; the same work succeeds when it is done again."""

    code = "orders_meanwhile"

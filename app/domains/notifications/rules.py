"""Pure decisions of notifications: how a message is told apart."""

from uuid import UUID


def message_id(message: UUID, shop_domain: str) -> str:
    """The Message-ID header: the same for every attempt, so that a repeat can be recognized."""
    return f"<{message}@{shop_domain}>"

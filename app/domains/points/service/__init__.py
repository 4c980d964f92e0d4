"""The ledger's public verbs: posting, what orders and sign-ups earn, and how an entry is explained."""

from app.domains.points.service.earning import earn, give_signup_bonus, settle_orders
from app.domains.points.service.posting import (
    activate,
    adjust,
    balance,
    credit,
    expire,
    hold,
    move_to,
    reverse,
    settle,
    spend,
    watch,
)
from app.domains.points.service.statement import explain, explained, recent

__all__ = [
    "activate",
    "adjust",
    "balance",
    "credit",
    "earn",
    "expire",
    "explain",
    "explained",
    "give_signup_bonus",
    "hold",
    "move_to",
    "recent",
    "reverse",
    "settle",
    "settle_orders",
    "spend",
    "watch",
]

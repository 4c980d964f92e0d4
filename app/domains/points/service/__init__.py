"""The ledger's public verbs: posting, what orders and sign-ups earn, and how an entry is explained."""

from app.domains.points.rules import lasts_until
from app.domains.points.service.adjustments import (
    ALERT,
    adjust_by_hand,
    adjust_preview,
    adjust_settings,
    alerted_since,
    decide,
    forget_notes,
    may_adjust,
    register_by_hand,
    save_adjust_settings,
    undo,
    watch_by_hand,
)
from app.domains.points.service.by_hand import entries_of_keys
from app.domains.points.service.calculation import (
    calculate,
    example,
    example_of_campaign,
    example_order,
)
from app.domains.points.service.cards import cards
from app.domains.points.service.deeds import (
    Deed,
    birthdays,
    celebrate,
    earn,
    give,
    give_for_newsletter,
    give_signup_bonus,
    welcome,
    welcome_points,
)
from app.domains.points.service.earning import follow_orders, settle_orders
from app.domains.points.service.expiry import (
    endings,
    endings_by_day,
    endings_of,
    endings_soonest,
    expire,
    expire_idle_slice,
    expire_slice,
)
from app.domains.points.service.expiry_dates import (
    apply_redating,
    redating,
    run_redating,
    start_redating,
    undo_redating,
)
from app.domains.points.service.giving import Gift, give_many
from app.domains.points.service.identity import follow, merge, merge_facts, unmerge
from app.domains.points.service.listing import entry_slices, listed, narrowed, totals
from app.domains.points.service.past import as_of, possible_then, register_possible, when
from app.domains.points.service.posting import (
    activate,
    adjust,
    balance,
    balances,
    credit,
    hold,
    open_accounts,
    reverse,
    settle,
    settle_many,
    spend,
    watch,
)
from app.domains.points.service.reckoning import told
from app.domains.points.service.rehearsing import (
    register_ladder,
    register_worth,
    rehearsal,
    rehearse,
    tier_by_points,
)
from app.domains.points.service.rehearsing import run as run_rehearsal
from app.domains.points.service.standing import register_member_facts
from app.domains.points.service.standings import refresh_standings
from app.domains.points.service.statement import REASONS, explain, explained, of_order, recent
from app.domains.points.service.taking import Taken, Taking, take_many
from app.domains.points.service.taking_back import take_back_many
from app.domains.points.service.tasks import TASKS, one_member
from app.domains.points.service.verification import note as note_proof
from app.domains.points.service.verification import prove, start_proof, verify

__all__ = [
    "ALERT",
    "REASONS",
    "TASKS",
    "Deed",
    "Gift",
    "Taken",
    "Taking",
    "activate",
    "adjust",
    "adjust_by_hand",
    "adjust_preview",
    "adjust_settings",
    "alerted_since",
    "apply_redating",
    "as_of",
    "balance",
    "balances",
    "birthdays",
    "calculate",
    "cards",
    "celebrate",
    "credit",
    "decide",
    "earn",
    "endings",
    "endings_by_day",
    "endings_of",
    "endings_soonest",
    "entries_of_keys",
    "entry_slices",
    "example",
    "example_of_campaign",
    "example_order",
    "expire",
    "expire_idle_slice",
    "expire_slice",
    "explain",
    "explained",
    "follow",
    "follow_orders",
    "forget_notes",
    "give",
    "give_for_newsletter",
    "give_many",
    "give_signup_bonus",
    "hold",
    "lasts_until",
    "listed",
    "may_adjust",
    "merge",
    "merge_facts",
    "narrowed",
    "note_proof",
    "of_order",
    "one_member",
    "open_accounts",
    "possible_then",
    "prove",
    "recent",
    "redating",
    "refresh_standings",
    "register_by_hand",
    "register_ladder",
    "register_member_facts",
    "register_possible",
    "register_worth",
    "rehearsal",
    "rehearse",
    "reverse",
    "run_redating",
    "run_rehearsal",
    "save_adjust_settings",
    "settle",
    "settle_many",
    "settle_orders",
    "spend",
    "start_proof",
    "start_redating",
    "take_back_many",
    "take_many",
    "tier_by_points",
    "told",
    "totals",
    "undo",
    "undo_redating",
    "unmerge",
    "verify",
    "watch",
    "watch_by_hand",
    "welcome",
    "welcome_points",
    "when",
]

"""What a draft of a ladder would do with members, decided once for each kind of member instead of once for each member.

`decide` looks at a member's value, place, lock and grace, and of each only at what can change its answer: the tier that
the value reaches, the tier held, whether the lock still holds, whether grace runs or is over. Members who agree in these
are of one kind, and a statement over all members can say of which.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domains.tiers.rules.placing import decide
from app.domains.tiers.rules.windows import EVER
from app.domains.tiers.schemas import Held, Ladder, Outcome, Value, Verdict, Window

# How a kind tells grace: none yet, over, running.
_GRACES = (None, timedelta(0), timedelta(seconds=1))


@dataclass(frozen=True)
class Foreseen:
    """A kind of member, and what becomes of them.

    `held` is 0 for members without a place, 1 for a place on no known tier, then 2 and up along `known_tiers`; `reached`
    is how many of the draft's tiers the value reaches; `grace` is 0 without, 1 when it is over, 2 while it runs.
    `was` and `will` are names of tiers; `outcome` is None for those who stay.
    """

    held: int
    reached: int
    locked: bool
    grace: int
    was: str | None
    will: str | None
    outcome: Outcome | None


def known_tiers(old: Ladder | None, draft: Ladder) -> list[UUID]:
    """The tiers that a member can hold: those of the ladder as it is, and new ones of the draft."""
    found = [one.id for one in (*(old.levels if old else ()), *draft.levels)]
    return list(dict.fromkeys(found))


def foresee(old: Ladder | None, draft: Ladder, now: datetime, zone: ZoneInfo) -> Iterator[Foreseen]:
    """The verdict on each kind of member, by the rule that places members."""
    places = (None, None, *known_tiers(old, draft))
    kinds = product(enumerate(places), range(len(draft.levels) + 1), (False, True), enumerate(_GRACES))
    for (place, tier_id), reached, locked, (grace, left) in kinds:
        held = None
        if place:
            held = Held(
                tier_id,
                now,
                grace_until=None if left is None else now + left,
                locked_until=now + timedelta(seconds=1) if locked else None,
            )
        verdict = decide(draft, _ANY, _reaching(draft, reached), held, now, zone)
        was = old.rank(tier_id) if old and held else None
        yield Foreseen(
            place,
            reached,
            locked,
            grace,
            _name(old, was),
            _name(draft, verdict.rank),
            outcome(draft, held, verdict),
        )


# Only until when grace runs depends on the window, and a preview does not say that.
_ANY = Window(EVER, EVER)


def _reaching(draft: Ladder, levels: int) -> Value:
    """A value that reaches so many tiers."""
    if not draft.levels:
        return Value()
    least = draft.levels[levels - 1].threshold if levels else draft.levels[0].threshold - 1
    return Value(least, least)


def _name(ladder: Ladder | None, rank: int | None) -> str | None:
    return ladder.levels[rank].name if ladder and rank is not None else None


def outcome(draft: Ladder, held: Held | None, verdict: Verdict) -> Outcome | None:
    """How a member fares under a draft; "later" is a fall that grace puts off, None no change."""
    had = draft.rank(held.tier_id) if held else None
    rank = verdict.rank
    if held is None:
        return "up" if rank else None
    if had is None and held.tier_id is not None:
        return "up" if rank else "down"
    if had != rank:
        return "up" if (-1 if rank is None else rank) > (-1 if had is None else had) else "down"
    return "later" if verdict.grace_until is not None and held.grace_until is None else None

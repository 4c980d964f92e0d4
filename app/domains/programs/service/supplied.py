"""What domains above supply for the editor of programs: pricing, rehearsals, shoppers' views, tiers, segments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.programs.models import Program
from app.domains.programs.schemas import ProgramTerms, ShopperForm

Options = Callable[[UnitOfWork], list[tuple[str, str]]]


@dataclass(frozen=True)
class Engine:
    """What the ledger's domain, which stands above, does for the editor of programs.

    `preview(uow, terms, rule id, locale)` gives points and a sentence for an example of what the rule rewards;
    `campaign(uow, terms, campaign id, locale)` the same for an order that a campaign is for, and
    `order(uow, terms, amount, locale)` for an order of so much money outside of all campaigns;
    `rehearse(uow, program id, settings, version)` starts a rehearsal and gives its id; `rehearsal(uow, id)` shows it.
    """

    preview: Callable[[UnitOfWork, ProgramTerms, str, str], tuple[int, str]]
    campaign: Callable[[UnitOfWork, ProgramTerms, str, str], tuple[int, str]]
    order: Callable[[UnitOfWork, ProgramTerms, Decimal, str], tuple[int, str]]
    rehearse: Callable[[UnitOfWork, UUID, dict[str, Any], int], UUID]
    rehearsal: Callable[[UnitOfWork, UUID], dict[str, Any]]


@dataclass(frozen=True)
class Offer:
    """The rewards of a program: how many members see once it is live, and its drafts, the first few by name and price."""

    offered: int = 0
    drafts: int = 0
    shown: Sequence[tuple[str, int]] = ()


Shopper = Callable[[UnitOfWork, str, ProgramTerms, ShopperForm], dict[str, Any]]
Offers = Callable[[UnitOfWork, UUID, str], Offer]
Tiers = Callable[[UnitOfWork, UUID, str], Sequence[tuple[str, str]]]
_ENGINE: list[Engine] = []
_SHOPPER: list[Shopper] = []
_OFFERS: list[Offers] = []
_TIERS: list[Tiers] = []
_SEGMENTS: list[Options] = []


def register_engine(found: Engine) -> None:
    """Let the ledger's domain above say what terms would give, and rehearse them."""
    _ENGINE.append(found)


def engine() -> Engine:
    """What terms would give, and rehearsals."""
    return _ENGINE[-1]


def register_shopper(found: Shopper) -> None:
    """Let the storefront say what a shopper would read: `found(uow, program's name, terms, as whom)`."""
    _SHOPPER.append(found)


def shopper(uow: UnitOfWork, name: str, terms: ProgramTerms, form: ShopperForm) -> dict[str, Any]:
    """What the storefront's panel would show under these terms: {summary, texts, language}; refuses unknown members."""
    return _SHOPPER[-1](uow, name, terms, form)


def register_offers(found: Offers) -> None:
    """Let the domain of rewards, which stands above, say what a program has: `found(uow, program id, locale)`."""
    _OFFERS.append(found)


def offer(uow: UnitOfWork, program_id: UUID, locale: str) -> Offer:
    """The rewards of a program, drafts by name."""
    return _OFFERS[-1](uow, program_id, locale)


def register_tiers(found: Tiers) -> None:
    """Let the domain of tiers say (id, name) of a program's tiers, lowest first: `found(uow, program id, locale)`."""
    _TIERS.append(found)


def tiers(uow: UnitOfWork, program: Program, locale: str) -> Sequence[tuple[str, str]]:
    """A program's tiers, which its rules may ask for: (id, name), lowest first; none when its type has no tiers."""
    return _TIERS[-1](uow, program.id, locale) if program.type == "tiered" else ()


def register_segments(segments: Options) -> None:
    """Let the domain of segments say (key as in MemberFacts, name) of those that terms may ask for."""
    _SEGMENTS.append(segments)


def segments(uow: UnitOfWork) -> list[tuple[str, str]]:
    """Segments that terms may ask for: (key, name); empty while the shop has none."""
    return [one for provider in _SEGMENTS for one in provider(uow)]

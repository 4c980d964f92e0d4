"""New programs from templates and from each other."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import ids
from app.core.db import UnitOfWork
from app.core.i18n import mark, translate
from app.domains.programs import rules
from app.domains.programs.errors import TemplateNotFound
from app.domains.programs.models import Program
from app.domains.programs.rules import trades
from app.domains.programs.schemas import PURCHASE, ProgramCreate, ProgramTerms, RewardIdea, Translations
from app.domains.programs.service import editing
from app.domains.programs.service.supplied import engine
from app.domains.shops import service as shops

_COPY = mark("{name} (copy)")
_LONGEST = 80
_PREVIEWED = UUID(int=0)


@dataclass(frozen=True)
class Preview:
    """What a template gives: an example order priced by the engine, and what of the revenue goes back.

    `amount` is the example in major units; `orders` is how many of them complete a card or a step, 1 where each earns;
    `given_back` is a fraction of the revenue, None when no reward has a price in money.
    """

    trade: trades.Trade
    settings: dict[str, Any]
    terms: ProgramTerms
    rewards: tuple[RewardIdea, ...]
    amount: Decimal
    points: Decimal
    orders: int
    why: str
    given_back: Decimal | None


def templates(uow: UnitOfWork, locale: str) -> list[Preview]:
    """Every template with what it gives in the shop's currency."""
    return [preview(uow, one.key, locale) for one in trades.TRADES]


def preview(uow: UnitOfWork, key: str, locale: str) -> Preview:
    """A template with what it gives in the shop's currency. Raises TemplateNotFound."""
    found = _trade(key)
    currency = shops.get(uow).currency
    wanted = ProgramCreate(name=found.title, **trades.settings_for(found, currency))
    settings = editing.settings_of_new(wanted)
    terms = editing.draft_terms(_PREVIEWED, settings)
    amount = trades.typical(found, currency)
    points, orders, why = _per_order(uow, terms, amount, locale)
    rewards = trades.rewards_for(found, currency)
    back = trades.given_back(points, amount, rewards)
    return Preview(found, settings, terms, rewards, amount, points, orders, why, back)


def _per_order(
    uow: UnitOfWork, terms: ProgramTerms, amount: Decimal, locale: str
) -> tuple[Decimal, int, str]:
    """Points that an order brings in the long run, the orders to a full card, and the engine's sentence."""
    purchase = terms.rule(PURCHASE)
    assert purchase is not None
    if purchase.counts and purchase.step:
        orders = purchase.step if purchase.per != "spend_step" else purchase.step / amount
        return purchase.points / orders, max(int(orders.to_integral_value()), 1), ""
    points, why = engine().order(uow, terms, amount, locale)
    return Decimal(points), 1, why


def create_from_template(uow: UnitOfWork, key: str, locale: str, *, rewards: bool) -> Program:
    """A draft from a template, named in a language, with its tiers, and its rewards as drafts if wanted.

    Raises TemplateNotFound.
    """
    found = _trade(key)
    currency = shops.get(uow).currency
    wanted = ProgramCreate(name=translate(locale, found.title), **trades.settings_for(found, currency))
    ideas = trades.rewards_for(found, currency) if rewards else ()
    return editing.create(uow, wanted, rewards=ideas, tiers=found.tiers)


def duplicate(uow: UnitOfWork, program_id: UUID, locale: str) -> Program:
    """A draft with the same terms; its tiers and rewards are copied with it, rewards as drafts. Raises ProgramNotFound."""
    program, copy_id = editing.get(uow, program_id), ids.new_id()
    settings = rules.for_copy(editing.snapshot(program), copy_id)
    name = translate(locale, _COPY, name=program.name)
    wanted = ProgramCreate(
        name=name if len(name) <= _LONGEST else program.name[:_LONGEST],
        description=program.description,
        pause_notes=Translations.model_validate(program.pause_notes),
        **{setting: settings[setting] for setting in rules.SETTINGS},
    )
    return editing.create(uow, wanted, program_id=copy_id, copy_of=program.id)


def _trade(key: str) -> trades.Trade:
    found = trades.trade(key)
    if found is None:
        raise TemplateNotFound()
    return found

"""Loyalty programs in the admin: the list, templates, the editor with its versions and its drawers."""

from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

from app.core import ids, money
from app.core.errors import Forbidden
from app.core.i18n import mark, translate
from app.core.permissions import Permission
from app.domains.programs import errors, queries, rules, schemas, service
from app.domains.programs.lists import PROGRAMS
from app.domains.programs.models import Program
from app.domains.programs.schemas import (
    ApplyForm,
    CampaignForm,
    CampaignPart,
    EarningRule,
    LookForm,
    Multiplier,
    NewRule,
    PartForm,
    ProgramCreate,
    ProgramForm,
    ProgramsQuery,
    RollbackForm,
    RuleForm,
    TemplateForm,
)
from app.domains.programs.service import wording
from app.domains.shops import service as shops
from app.web.context import Context
from app.web.lists import show_list
from app.web.tabs import Done, Fragment, action, tab, tab_page

KEY = "loyalty-programs"


@tab(
    KEY,
    title=mark("Loyalty programs"),
    group="manage",
    icon="gift",
    permission=Permission.PROGRAMS_READ,
    query=ProgramsQuery,
)
def loyalty_programs(ctx: Context, query: ProgramsQuery) -> dict[str, Any]:
    """Every program of the shop with its terms and status."""
    return {
        "list": show_list(ctx, PROGRAMS, query),
        "can_write": ctx.can(Permission.PROGRAMS_WRITE),
    }


@tab_page(KEY, "/new", "program.html", title=mark("New program"), permission=Permission.PROGRAMS_WRITE)
def new_program(ctx: Context) -> dict[str, Any]:
    """The empty editor."""
    return {
        "program": None,
        "initial": ProgramCreate(name="Rewards").model_dump(mode="json") | {"name": ""},
        "segments": service.segments(ctx.uow),
    }


@tab_page(
    KEY,
    "/templates",
    "templates.html",
    title=mark("Program templates"),
    permission=Permission.PROGRAMS_WRITE,
)
def templates(ctx: Context) -> dict[str, Any]:
    """Programs to start from, each with what it gives back in this shop's currency."""
    return {"templates": [_template(ctx, one) for one in service.templates(ctx.uow, ctx.locale)]}


@tab_page(
    KEY,
    "/templates/<trade>",
    "template.html",
    title=mark("Program template"),
    permission=Permission.PROGRAMS_WRITE,
)
def template(ctx: Context, trade: str) -> dict[str, Any]:
    """The drawer of one template: its terms, an example order, its rewards."""
    found = service.preview(ctx.uow, trade, ctx.locale)
    return _template(ctx, found) | {
        "kinds": wording.kinds(ctx.locale),
        "rules": [
            one
            for one in rules.complete(found.settings)
            if one.id not in (schemas.PURCHASE, schemas.SIGNUP) and one.points
        ],
        "rewards": [_idea(ctx, one) for one in found.rewards],
    }


def _template(ctx: Context, found: service.Preview) -> dict[str, Any]:
    return {
        "title": translate(ctx.locale, found.trade.title),
        "text": translate(ctx.locale, found.trade.text),
        "campaign": translate(ctx.locale, found.trade.campaign) if found.trade.campaign else "",
        "amount_minor": money.to_minor(found.amount, shops.get(ctx.uow).currency),
        "found": found,
    }


def _idea(ctx: Context, idea: schemas.RewardIdea) -> dict[str, Any]:
    return {
        "kind": idea.kind,
        "points_cost": idea.points_cost,
        "amount_minor": money.to_minor(idea.amount, shops.get(ctx.uow).currency) if idea.amount else None,
        "share": idea.percent / 100 if idea.percent else None,
    }


@action(KEY, "use-template", permission=Permission.PROGRAMS_WRITE, form=TemplateForm)
def use_template(ctx: Context, form: TemplateForm) -> Done:
    """Create a draft from a template, with its rewards as drafts if wanted."""
    made = service.create_from_template(ctx.uow, form.template, ctx.locale, rewards=form.rewards)
    return Done(mark("{name} was created as a draft."), {"name": made.name}, location=f"/app/{KEY}/{made.id}")


@tab_page(KEY, "/<uuid:id>", "program.html", title=mark("Program"), permission=Permission.PROGRAMS_READ)
def program(ctx: Context, id: UUID) -> dict[str, Any]:
    """The editor of one program, with its versions and what it means for an example order."""
    found = service.get(ctx.uow, id)
    return {
        "program": found,
        "initial": _initial(found),
        "versions": _versions(ctx, found),
        "rules": _rules(ctx, found),
        "kind_words": wording.kinds(ctx.locale),
        "kinds": [kind for kind in get_args(schemas.RuleKind) if kind not in ("signup", "referral")],
        "next": [
            one for one in ("active", "paused", "archived", "draft") if rules.may_become(found.status, one)
        ]
        if found.status != "scheduled"
        else ["active"],
        "planned": service.planned(found),
        "may_plan": found.status in ("draft", "paused", "scheduled", "active"),
        "taken_over": service.taken_over(ctx.uow, found) if found.status == "scheduled" else None,
        "offer": service.offer(ctx.uow, id, ctx.locale),
        "levels": [name for _, name in service.tiers(ctx.uow, found, ctx.locale)],
        "deletable": found.status == "draft" and not service.was_published(ctx.uow, found.id),
        "campaigns": _campaigns(ctx, found),
        "segments": service.segments(ctx.uow),
        "can_write": ctx.can(Permission.PROGRAMS_WRITE),
    }


def _initial(found: Program) -> dict[str, Any]:
    """A program's settings for the form, whose fields of expiry and caps are always filled."""
    return service.snapshot(found) | {
        "expiry": schemas.Expiry.model_validate(found.expiry).model_dump(mode="json"),
        "caps": schemas.Caps.model_validate(found.caps).model_dump(mode="json"),
        "eligibility": schemas.Eligibility.model_validate(found.eligibility).model_dump(mode="json"),
        "pause_notes": schemas.Translations.model_validate(found.pause_notes).model_dump(mode="json"),
    }


def _campaigns(ctx: Context, found: Program) -> list[dict[str, Any]]:
    """Each campaign with its state today and what is left of its budget."""
    given = queries.budgets(ctx.uow, found.id) if found.multipliers else {}
    today = ctx.uow.now.astimezone(service.zone(ctx.uow, found)).date()
    return [
        {
            "id": one.id,
            "name": one.localized(ctx.locale),
            "factor": one.factor,
            "when": one.conditions,
            "budget": one.budget,
            "given": given.get(one.budget_key, 0),
            "state": rules.campaign_state(one, today, given.get(one.budget_key, 0)),
        }
        for one in (Multiplier.model_validate(kept) for kept in found.multipliers)
    ]


def _names(ctx: Context, program: Program) -> dict[str, str]:
    return dict([*service.tiers(ctx.uow, program, ctx.locale), *service.segments(ctx.uow)])


def _versions(ctx: Context, found: Program) -> list[dict[str, Any]]:
    """Each version with the terms that changed since the one before."""
    kept, names = queries.versions(ctx.uow, found.id), _names(ctx, found)
    settings = [rules.settings_of(one.terms) for one in kept]
    return [
        {
            "id": version.id,
            "number": version.number,
            "created_at": version.created_at,
            "changes": wording.told(rules.differences(old, new), ctx.locale, names) if old else [],
        }
        for version, new, old in zip(kept, settings, [*settings[1:], None], strict=True)
    ]


def _rules(ctx: Context, found: Program) -> list[dict[str, Any]]:
    """Each rule with what an example of it gives."""
    snapshot = service.snapshot(found)
    terms = service.draft_terms(found.id, snapshot)
    return [
        {
            "id": rule.id,
            "kind": rule.kind,
            "name": rule.localized(ctx.locale),
            "enabled": rule.enabled,
            "priority": rule.priority,
            "stacking": rule.stacking,
            "example": service.engine().preview(ctx.uow, terms, rule.id, ctx.locale)[0]
            or (None if rule.counts else 0),
            "fixed": rule.id in (schemas.PURCHASE, schemas.SIGNUP),
        }
        for rule in rules.complete(snapshot)
    ]


@tab_page(
    KEY,
    "/<uuid:id>/rules/new",
    "rule.html",
    title=mark("Earning rule"),
    permission=Permission.PROGRAMS_WRITE,
    query=NewRule,
)
def new_rule(ctx: Context, id: UUID, query: NewRule) -> dict[str, Any]:
    """The drawer of a new rule."""
    empty = EarningRule(id=f"{query.kind}-{ids.new_id().hex[-8:]}", kind="review").model_dump(mode="json")
    return _drawer(ctx, id, empty | {"kind": query.kind, "multiplied": query.kind == "purchase"})


@tab_page(
    KEY,
    "/<uuid:id>/rules/<key>",
    "rule.html",
    title=mark("Earning rule"),
    permission=Permission.PROGRAMS_READ,
)
def rule(ctx: Context, id: UUID, key: str) -> dict[str, Any]:
    """The drawer of one rule."""
    found = next((one for one in service.rules_of(ctx.uow, id) if one.id == key), None)
    if found is None:
        raise errors.RuleNotFound()
    return _drawer(ctx, id, found.model_dump(mode="json"))


def _drawer(ctx: Context, id: UUID, initial: dict[str, Any]) -> dict[str, Any]:
    program = service.get(ctx.uow, id)
    return {
        "program": program,
        "rule": initial,
        "compared": wording.compared_rule(initial["kind"], ctx.locale, _names(ctx, program)),
        "tiers": service.tiers(ctx.uow, program, ctx.locale),
        "segments": service.segments(ctx.uow),
        "preview": None,
        "can_write": ctx.can(Permission.PROGRAMS_WRITE),
    }


def _refused_rule(ctx: Context, id: UUID) -> dict[str, Any]:
    """What a refused drawer needs besides what was typed: the rule as it is saved now."""
    typed = ctx.form_values
    kept = next((one for one in service.rules_of(ctx.uow, id) if one.id == typed.get("rule.id")), None)
    if kept is not None:
        return _drawer(ctx, id, kept.model_dump(mode="json"))
    kind = typed.get("rule.kind", "")
    blank = EarningRule(id="rule", kind="purchase").model_dump(mode="json")
    return _drawer(ctx, id, blank | {"kind": kind if kind in get_args(schemas.RuleKind) else "purchase"})


@action(
    KEY,
    "save-rule",
    page="program",
    permission=Permission.PROGRAMS_WRITE,
    form=RuleForm,
    prepare=_refused_rule,
)
def save_rule(ctx: Context, id: UUID, form: RuleForm) -> Done:
    """Save one earning rule, or rehearse it first."""
    wanted = service.settings_with_rule(ctx.uow, id, form.rule)
    if form.then == "rehearse":
        return _rehearse(ctx, id, wanted, form.version)
    service.apply(ctx.uow, id, wanted, version=form.version)
    return Done(mark("The earning rule was saved."), location=f"/app/{KEY}/{id}")


@action(KEY, "remove-rule", page="program", permission=Permission.PROGRAMS_WRITE, form=PartForm)
def remove_rule(ctx: Context, id: UUID, form: PartForm) -> Done:
    """Take an earning rule out of the terms."""
    service.remove_rule(ctx.uow, id, form.rule, version=form.version)
    return Done(mark("The earning rule was removed."))


@action(
    KEY,
    "rule-preview",
    page="program",
    permission=Permission.PROGRAMS_READ,
    form=RuleForm,
    live=True,
)
def rule_preview(ctx: Context, id: UUID, form: RuleForm) -> Done:
    """What an example would earn with the rule as it is typed."""
    wanted = service.settings_with_rule(ctx.uow, id, form.rule)
    terms = service.draft_terms(id, wanted)
    points, why = service.engine().preview(ctx.uow, terms, form.rule.id, ctx.locale)
    return Done(
        refresh=Fragment("admin/programs/_rule_preview.html", {"preview": {"points": points, "why": why}})
    )


@tab_page(
    KEY,
    "/<uuid:id>/campaigns/new",
    "campaign.html",
    title=mark("Campaign"),
    permission=Permission.PROGRAMS_WRITE,
)
def new_campaign(ctx: Context, id: UUID) -> dict[str, Any]:
    """The drawer of a new campaign."""
    empty = Multiplier(id=f"campaign-{ids.new_id().hex[-8:]}", name="-", factor=Decimal(2))
    return _campaign_drawer(ctx, id, empty.model_dump(mode="json") | {"name": ""})


@tab_page(
    KEY,
    "/<uuid:id>/campaigns/<campaign>",
    "campaign.html",
    title=mark("Campaign"),
    permission=Permission.PROGRAMS_READ,
)
def campaign(ctx: Context, id: UUID, campaign: str) -> dict[str, Any]:
    """The drawer of one campaign."""
    kept = next((one for one in service.get(ctx.uow, id).multipliers if one["id"] == campaign), None)
    if kept is None:
        raise errors.CampaignNotFound()
    return _campaign_drawer(ctx, id, Multiplier.model_validate(kept).model_dump(mode="json"))


def _campaign_drawer(ctx: Context, id: UUID, initial: dict[str, Any]) -> dict[str, Any]:
    program = service.get(ctx.uow, id)
    return {
        "program": program,
        "campaign": initial,
        "compared": wording.compared_campaign(ctx.locale, _names(ctx, program)),
        "tiers": service.tiers(ctx.uow, program, ctx.locale),
        "segments": service.segments(ctx.uow),
        "given": queries.budgets(ctx.uow, id).get(f"campaign:{initial['id']}", 0),
        "preview": None,
        "can_write": ctx.can(Permission.PROGRAMS_WRITE),
    }


def _refused_campaign(ctx: Context, id: UUID) -> dict[str, Any]:
    """What a refused drawer needs besides what was typed: the campaign as it is saved now."""
    try:
        return campaign(ctx, id, ctx.form_values.get("campaign.id", ""))
    except errors.CampaignNotFound:
        return new_campaign(ctx, id)


@action(
    KEY,
    "save-campaign",
    page="program",
    permission=Permission.PROGRAMS_WRITE,
    form=CampaignForm,
    prepare=_refused_campaign,
)
def save_campaign(ctx: Context, id: UUID, form: CampaignForm) -> Done:
    """Save one campaign, or rehearse it first."""
    wanted = service.settings_with_campaign(ctx.uow, id, form.campaign)
    if form.then == "rehearse":
        return _rehearse(ctx, id, wanted, form.version)
    service.apply(ctx.uow, id, wanted, version=form.version)
    return Done(mark("The campaign was saved."), location=f"/app/{KEY}/{id}")


@action(
    KEY,
    "campaign-preview",
    page="program",
    permission=Permission.PROGRAMS_READ,
    form=CampaignForm,
    template="admin/programs/_rule_preview.html",
    live=True,
)
def campaign_preview(ctx: Context, id: UUID, form: CampaignForm) -> Done:
    """What an order that the campaign is for would earn with it, as it is typed."""
    wanted = service.settings_with_campaign(ctx.uow, id, form.campaign)
    points, why = service.engine().campaign(
        ctx.uow, service.draft_terms(id, wanted), form.campaign.id, ctx.locale
    )
    return Done(
        refresh=Fragment("admin/programs/_rule_preview.html", {"preview": {"points": points, "why": why}})
    )


@action(KEY, "remove-campaign", page="program", permission=Permission.PROGRAMS_WRITE, form=CampaignPart)
def remove_campaign(ctx: Context, id: UUID, form: CampaignPart) -> Done:
    """Take a campaign out of the terms."""
    service.remove_campaign(ctx.uow, id, form.campaign, version=form.version)
    return Done(mark("The campaign was removed."))


@action(KEY, "roll-back", page="program", permission=Permission.PROGRAMS_WRITE, form=RollbackForm)
def roll_back(ctx: Context, id: UUID, form: RollbackForm) -> Done:
    """Let the terms of an older version hold again."""
    service.roll_back(ctx.uow, id, form.number, version=form.version)
    return Done(mark("The terms of version {number} hold again."), {"number": form.number})


def _rehearse(ctx: Context, id: UUID, wanted: dict[str, Any], version: int) -> Done:
    found = service.get(ctx.uow, id)
    if found.version != version:
        raise errors.StaleVersion(current=found.version)
    made = service.engine().rehearse(ctx.uow, id, wanted, version)
    return Done(location=f"/app/{KEY}/{id}/rehearsals/{made}")


@tab_page(
    KEY,
    "/<uuid:id>/rehearsals/<uuid:rehearsal>",
    "rehearsal.html",
    title=mark("Rehearsal"),
    permission=Permission.PROGRAMS_READ,
)
def rehearsal(ctx: Context, id: UUID, rehearsal: UUID) -> dict[str, Any]:
    """What the last months would have given under changed terms, before these are saved."""
    return _rehearsed(ctx, id, rehearsal)


def _rehearsed(ctx: Context, id: UUID, rehearsal: UUID) -> dict[str, Any]:
    found = service.engine().rehearsal(ctx.uow, rehearsal)
    if found["program_id"] != id:
        raise errors.ProgramNotFound()
    program = service.get(ctx.uow, id)
    names = {one.id: one.localized(ctx.locale) or one.kind for one in rules.complete(found["settings"])}
    return {
        "program": program,
        "rehearsal": found,
        "names": names,
        "changes": wording.told(
            rules.differences(service.snapshot(program), found["settings"]), ctx.locale, _names(ctx, program)
        ),
        "kinds": wording.kinds(ctx.locale),
        "can_write": ctx.can(Permission.PROGRAMS_WRITE),
    }


@tab_page(
    KEY,
    "/<uuid:id>/rehearsals/<uuid:rehearsal>/state",
    "_rehearsal.html",
    title=mark("Rehearsal"),
    permission=Permission.PROGRAMS_READ,
)
def rehearsal_state(ctx: Context, id: UUID, rehearsal: UUID) -> dict[str, Any]:
    """The part of the rehearsal that changes while it runs."""
    return _rehearsed(ctx, id, rehearsal)


@action(KEY, "apply", page="rehearsal", permission=Permission.PROGRAMS_WRITE, form=ApplyForm)
def apply(ctx: Context, id: UUID, rehearsal: UUID, form: ApplyForm) -> Done:
    """Save the terms that were rehearsed."""
    found = service.engine().rehearsal(ctx.uow, rehearsal)
    if found["program_id"] != id:
        raise errors.ProgramNotFound()
    service.apply(ctx.uow, id, found["settings"], version=form.version)
    return Done(mark("The terms were saved as rehearsed."), location=f"/app/{KEY}/{id}")


@action(KEY, "create", permission=Permission.PROGRAMS_WRITE, form=ProgramForm, prepare=new_program)
def create(ctx: Context, form: ProgramForm) -> Done:
    """Create a draft."""
    made = service.create(ctx.uow, ProgramCreate(**form.model_dump(exclude={"version", "then"})))
    return Done(mark("{name} was created as a draft."), {"name": made.name}, location=f"/app/{KEY}/{made.id}")


@action(KEY, "save", page="program", permission=Permission.PROGRAMS_WRITE, form=ProgramForm)
def save(ctx: Context, id: UUID, form: ProgramForm) -> Done:
    """Save the editor."""
    if form.then == "rehearse":
        return _rehearse(ctx, id, service.settings_with(ctx.uow, id, _changes(form)), form.version)
    service.update(ctx.uow, id, _changes(form), version=form.version)
    return Done(mark("The program was saved."))


def _changes(form: ProgramForm) -> dict[str, Any]:
    return {name: getattr(form, name) for name in ProgramForm.model_fields if name not in ("version", "then")}


@action(KEY, "duplicate", page="program", permission=Permission.PROGRAMS_WRITE)
def duplicate(ctx: Context, id: UUID) -> Done:
    """A draft with the same terms, rewards and tiers."""
    made = service.duplicate(ctx.uow, id, ctx.locale)
    return Done(mark("{name} was created as a draft."), {"name": made.name}, location=f"/app/{KEY}/{made.id}")


@tab_page(
    KEY,
    "/<uuid:id>/shopper",
    "shopper.html",
    title=mark("Preview as shopper"),
    permission=Permission.PROGRAMS_READ,
)
def shopper(ctx: Context, id: UUID) -> dict[str, Any]:
    """The drawer that shows the panel in the store; it asks with what is typed in the editor behind it."""
    program = service.get(ctx.uow, id)
    return {
        "program": program,
        "tiers": service.tiers(ctx.uow, program, ctx.locale),
        "initial": {"shopper": {"locale": ctx.locale, "who": "guest"}},
        "members": ctx.can(Permission.MEMBERS_READ),
        "panel": None,
    }


@action(
    KEY,
    "look",
    page="program",
    permission=Permission.PROGRAMS_READ,
    form=LookForm,
    prepare=shopper,
    idempotent=False,
    live=True,
)
def look(ctx: Context, id: UUID, form: LookForm) -> Done:
    """The panel under the program as it is typed, for a shopper in a language."""
    if form.shopper.who == "member" and not ctx.can(Permission.MEMBERS_READ):
        raise Forbidden(permission=Permission.MEMBERS_READ)
    wanted = service.settings_with(ctx.uow, id, _changes(form))
    panel = service.shopper(ctx.uow, form.name, service.draft_terms(id, wanted), form.shopper)
    return Done(refresh=Fragment("admin/programs/_look.html", {"panel": panel}))


@action(KEY, "delete", page="program", permission=Permission.PROGRAMS_WRITE)
def delete(ctx: Context, id: UUID) -> Done:
    """Delete a draft that was never published."""
    service.delete(ctx.uow, id)
    return Done(mark("The draft was deleted."), location=f"/app/{KEY}")

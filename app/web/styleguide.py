"""Every component of the admin in its states, for contributors; the route exists in development only."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import Flask, Response, render_template, request
from pydantic import BaseModel

from app.core.i18n import mark, mark_plural
from app.core.paging import Found, Page
from app.core.permissions import Permission
from app.core.settings import Settings
from app.web.date_range import DateRange, chosen, today
from app.web.embedding import embedded_staff, wants_fragment
from app.web.lists import (
    Between,
    BulkAction,
    Choice,
    Column,
    ListSpec,
    ListView,
    Ready,
    Row,
    Search,
    Sort,
    parameters,
)
from app.web.query_input import parse_view_query
from app.web.rendering import INSIDE, SHELL, html_response, page_context

PATH = "/app/styleguide"


def init_styleguide(app: Flask, settings: Settings) -> None:
    """Add the route when the application runs in development."""
    if settings.environment != "development":
        return

    @app.get(PATH, endpoint="styleguide.show")
    def show() -> Response:
        ctx = page_context(embedded_staff())
        layout = INSIDE if wants_fragment() else SHELL
        query = parse_view_query(request.args, DateRange)
        view = {"days": chosen(query, today()), "today": today(), "list": sample_list, "unread": UNREAD}
        return html_response(
            render_template(
                "styleguide.html", ctx=ctx, layout=layout, title="Style guide", query=query, view=view
            )
        )


class SampleQuery(BaseModel):
    """The parameters of the sample list."""

    q: str | None = None
    state: str | None = None
    tier: str | None = None
    points_from: int | None = None
    points_to: int | None = None
    start: str | None = None
    end: str | None = None
    sort: str = "available"


@dataclass(frozen=True)
class SampleView:
    """A saved view of the sample list."""

    id: UUID
    name: str
    query: dict[str, Any]
    shared: bool
    columns: tuple[str, ...] | None = None


UNREAD = {"points_from": "lots"}
_VIEWS = (
    SampleView(UUID(int=1), "Gold and up", {"tier": "gold"}, True),
    SampleView(UUID(int=2), "To call on Monday", {"state": "active"}, False),
)
_SAMPLE = ListSpec(
    key="sg-members",
    title=mark("Members"),
    place="members",
    permission=Permission.MEMBERS_READ,
    query=SampleQuery,
    rows=lambda ctx, query: Found(Page([])),
    columns=(
        Column("name", mark("Member")),
        Column("tier", mark("Tier"), phone="mark"),
        Column("available", mark("Available"), kind="number", unit=mark_plural("point", "points")),
        Column("pending", mark("Pending"), kind="number", priority=2),
        Column("spent", mark("Lifetime spend"), kind="money", priority=2),
        Column("state", mark("State"), kind="status", phone="hide"),
        Column("seen", mark("Last activity"), phone="note"),
        Column("actions", mark("Actions"), kind="actions", priority=2),
    ),
    search=Search("q", mark("Name, e-mail or referral code")),
    filters=(
        Choice("state", mark("State"), (("active", mark("Active")), ("blocked", mark("Blocked")))),
        Choice("tier", mark("Tier"), (("gold", mark("Gold")),), more=True),
        Between("points_from", "points_to", mark("Available points")),
        Between("start", "end", mark("Days"), "date"),
    ),
    sorts=(
        Sort("available", mark("Most points"), "available"),
        Sort("fewest", mark("Fewest points"), "available", descending=False),
    ),
    ready=(Ready(mark("Active"), {"state": "active"}),),
)


_UNMATCHED = replace(
    _SAMPLE, title=mark("Nothing matches"), search=Search("q", mark("Name, e-mail, order, code or id"))
)


def sample_list(rows: list[Row], unread: dict[str, str] | None = None) -> ListView:
    """A list as the lists of the product look, with a view that was changed; without rows, nothing matches its filters."""
    query = SampleQuery(tier="gold")
    return ListView(
        spec=_SAMPLE if rows else _UNMATCHED,
        query=query,
        found=Found(Page(rows, "next" if rows else None), 10_000 if rows else 0, bool(rows)),
        url="/app/styleguide",
        params=parameters(query) | {"view": str(_VIEWS[0].id)},
        columns=_SAMPLE.columns,
        views=_VIEWS,
        view=_VIEWS[0],
        changed=True,
        options={},
        csv="/v1/api/members.csv",
        actions=[
            BulkAction("award", mark("Award points"), "bulk-actions.new", Permission.POINTS_ADJUST, "coins"),
            BulkAction("tier", mark("Change tier"), "bulk-actions.new", Permission.TIERS_WRITE, "award"),
        ],
        unread=unread or {},
    )

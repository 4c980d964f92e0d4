"""A throw-away domain with every kind of declaration, for tests of the ring without a real domain.

Things live in the outbox, so that tests see what was committed without a table of their own.
"""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.core import ids
from app.core.errors import Conflict, Invalid, NotFound
from app.core.paging import Page, cut
from app.core.permissions import Permission
from app.web.context import Context
from app.web.endpoints import Download, EndpointRegistry, Rate, RawRequest, Reply, endpoint
from app.web.endpoints import use_registry as use_endpoints
from app.web.form_input import Upload
from app.web.tabs import Done, Fragment, TabRegistry, action, tab, tab_page
from app.web.tabs import use_registry as use_tabs

READ, WRITE = Permission.PROGRAMS_READ, Permission.PROGRAMS_WRITE
THINGS = "/api/loyalty-referral/things"
ENDPOINTS, TABS = EndpointRegistry(), TabRegistry()


class Taken(Conflict):
    """There is a thing of this name."""

    code = "taken"
    default_message = "There is a thing named {name}."


class Size(BaseModel):
    """A nested shape."""

    width: int = Field(ge=1)
    unit: Literal["cm", "in"] = "cm"


class ThingIn(BaseModel):
    """A new thing."""

    name: str = Field(min_length=1, max_length=20)
    amount: int = Field(ge=1, le=1_000_000)
    size: Size | None = None
    tags: list[str] = Field(default_factory=list)


class ThingOut(BaseModel):
    """A thing."""

    id: UUID
    name: str
    status: str


class Sum(BaseModel):
    """An answer whose fields go to the top level."""

    total: int


class Filter(BaseModel):
    """Filters of the list."""

    limit: int = Field(50, ge=1, le=200, description="How many at most")
    cursor: str | None = None
    names: list[str] | None = None


class ThingForm(BaseModel):
    """The form of a thing."""

    name: str = Field(max_length=20)
    amount: int = Field(ge=1, le=1_000_000)


def add(ctx: Context, name: str) -> ThingOut:
    """Store a thing; a name is taken once."""
    if name == "taken":
        raise Taken(name=name)
    if name == "later":
        raise Invalid(fields={"name": "Choose an earlier name."})
    thing_id = ids.new_id()
    ctx.uow.outbox("sample.thing", {"name": name}, key=str(thing_id))
    return ThingOut(id=thing_id, name=name, status="new")


def names(ctx: Context) -> list[str]:
    """Every stored thing of the shop."""
    rows = ctx.uow.all("SELECT payload->>'name' AS name FROM outbox WHERE kind = 'sample.thing' ORDER BY id")
    return [row["name"] for row in rows]


with use_endpoints(ENDPOINTS):

    @endpoint(
        "POST",
        THINGS,
        permission=WRITE,
        body=ThingIn,
        out=ThingOut,
        key="thing",
        status=201,
        tag="Things",
        errors=(Taken,),
    )
    def add_thing(ctx: Context, body: ThingIn) -> ThingOut:
        """Add a thing.

        Names need not be unique, except one.
        """
        return add(ctx, body.name)

    @endpoint("GET", THINGS, permission=READ, query=Filter, out=Page[ThingOut], key="things", tag="Things")
    def list_things(ctx: Context, query: Filter) -> Page[Any]:
        """List things."""
        rows = ctx.uow.all(
            "SELECT key::uuid AS id, payload->>'name' AS name, 'new' AS status FROM outbox WHERE kind = 'sample.thing'"
            " ORDER BY id LIMIT %(limit)s",
            {"limit": query.limit + 1},
        )
        return cut(rows, query.limit, "id")

    @endpoint("GET", THINGS + "/sum", permission=READ, out=Sum, tag="Things")
    def sum_things(ctx: Context) -> Sum:
        """Add up all things."""
        return Sum(total=len(names(ctx)))

    @endpoint("GET", THINGS + "/{id}", permission=READ, out=ThingOut, key="thing", tag="Things")
    def get_thing(ctx: Context, id: UUID) -> ThingOut:
        """Get a thing."""
        row = ctx.uow.one("SELECT payload FROM outbox WHERE key = %(id)s", {"id": str(id)})
        if row is None:
            raise NotFound()
        return ThingOut(id=id, name=row["payload"]["name"], status="new")

    @endpoint("DELETE", THINGS + "/{id}", permission=WRITE, out=None, tag="Things")
    def delete_thing(ctx: Context, id: UUID) -> None:
        """Delete a thing."""
        if not ctx.uow.execute("DELETE FROM outbox WHERE key = %(id)s", {"id": str(id)}).rowcount:
            raise NotFound()

    @endpoint("POST", "/v1/api/things/fail", permission=WRITE, out=None, tag="Things")
    def fail(ctx: Context) -> None:
        """Fail after a write."""
        add(ctx, "half")
        raise RuntimeError("token eyJhbGciOi.secret.x of ada@example.com")

    @endpoint("POST", "/v1/api/things/overflow", permission=WRITE, out=None, tag="Things")
    def overflow(ctx: Context) -> None:
        """Give the database a number it cannot hold."""
        ctx.uow.execute("SELECT %(n)s::int", {"n": 2**40})

    @endpoint(
        "GET", "/v1/api/things/limited", permission=READ, out=None, tag="Things", rate=Rate(1, 2, "tight")
    )
    def limited(ctx: Context) -> None:
        """Answer twice at once."""

    @endpoint(
        "GET", "/v1/api/things/export", permission=READ, out=Download, produces="text/csv", tag="Things"
    )
    def export(ctx: Context) -> Download:
        """Export things."""
        return Download("\n".join(names(ctx)).encode(), "text/csv; charset=utf-8", "things é.csv")

    @endpoint("GET", "/v1/api/things/by-name/{name}", permission=READ, out=Sum, tag="Things")
    def by_name(ctx: Context, name: str) -> Sum:
        """Count things of a name."""
        return Sum(total=names(ctx).count(name))

    @endpoint("GET", "/api/other/open", public=True, out=Sum, tag="Open")
    def open_door() -> Sum:
        """Answer everybody."""
        return Sum(total=1)

    @endpoint(
        "POST", "/v1/api/things/hook", public=True, raw=True, rate=None, out=Reply, tag="Open", hidden=True
    )
    def hook(raw: RawRequest) -> Reply:
        """Echo a raw request."""
        return Reply(
            raw.body[::-1], 202, {"Content-Type": "text/plain", "X-Query": raw.query_string.decode()}
        )


with use_tabs(TABS):

    @tab("home", title="Home", group="home", icon="house", permission=READ)
    def home(ctx: Context) -> dict[str, Any]:
        """The first page."""
        return {}

    @tab("things", title="Things", group="manage", icon="list", permission=READ, query=Filter)
    def things(ctx: Context, query: Filter) -> dict[str, Any]:
        """Every thing."""
        return {"things": names(ctx)}

    @tab_page("things", "/<uuid:id>", "thing.html", title="Thing", permission=READ)
    def thing(ctx: Context, id: UUID) -> dict[str, Any]:
        """One thing."""
        row = ctx.uow.one("SELECT payload FROM outbox WHERE key = %(id)s", {"id": str(id)})
        if row is None:
            raise NotFound()
        return {"id": id, "title": row["payload"]["name"]}

    @action("things", "add", permission=WRITE, form=ThingForm)
    def add_from_form(ctx: Context, form: ThingForm) -> Done:
        """Add a thing and show the list again."""
        add(ctx, form.name)
        return Done("{name} was added.", data={"name": form.name}, events={"things:changed": {"count": 1}})

    @action("things", "rename", page="thing", permission=WRITE)
    def rename(ctx: Context, id: UUID) -> Done:
        """Rename a thing and show its page again."""
        ctx.uow.execute(
            """UPDATE outbox SET payload = '{"name": "renamed"}' WHERE key = %(id)s""", {"id": str(id)}
        )
        return Done("Renamed")

    @action("things", "leave", permission=READ)
    def leave(ctx: Context) -> Done:
        """Go home."""
        return Done("Bye", location="/app")

    @action("things", "row", permission=READ)
    def row(ctx: Context) -> Done:
        """Send one row back."""
        return Done(
            refresh=Fragment("admin/sample/_row.html", {"name": "one"}, target="#row", swap="outerHTML")
        )

    @action("things", "quiet", permission=READ)
    def quiet(ctx: Context) -> Done:
        """Only say something."""
        return Done("Done", refresh="nothing")

    @action("things", "button", permission=WRITE, form=ThingForm)
    def button(ctx: Context, form: ThingForm) -> Done:
        """A button with hidden fields, which has no form to show again."""
        return Done()

    @action("things", "busy", permission=READ)
    def busy(ctx: Context) -> Done:
        """Refuse without a form."""
        raise Taken(name="x")

    @action("things", "upload", permission=WRITE, files=("upload",), max_body_bytes=10_000)
    def upload(ctx: Context, files: dict[str, Upload]) -> Done:
        """Store a file's name and size."""
        add(ctx, f"{files['upload'].filename}:{len(files['upload'].content)}")
        return Done("Stored")

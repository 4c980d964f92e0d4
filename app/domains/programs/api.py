"""Programs on the REST API."""

from typing import Any
from uuid import UUID

from app.core.paging import Page
from app.core.permissions import Permission
from app.domains.programs import errors, queries, schemas, service
from app.domains.programs.lists import PROGRAMS
from app.domains.programs.models import Program
from app.web.endpoints import Context, Download, endpoint
from app.web.list_export import download, export_query

_PATH = "/api/loyalty-referral/programs"
_TAG = "Loyalty programs"


def _out(program: Program) -> schemas.ProgramOut:
    return schemas.ProgramOut.model_validate(program, from_attributes=True)


@endpoint(
    "POST",
    _PATH,
    permission=Permission.PROGRAMS_WRITE,
    tag=_TAG,
    body=schemas.ProgramCreate,
    out=schemas.ProgramOut,
    key="program",
    status=201,
    errors=(errors.AnotherProgramActive,),
)
def create_program(ctx: Context, body: schemas.ProgramCreate) -> schemas.ProgramOut:
    """Create a loyalty program.

    It starts as a draft unless `status` is "active"; a shop has one active program.
    """
    return _out(service.create(ctx.uow, body))


@endpoint(
    "GET",
    _PATH,
    permission=Permission.PROGRAMS_READ,
    tag=_TAG,
    query=schemas.ProgramsQuery,
    out=Page[schemas.ProgramOut],
    key="programs",
)
def list_programs(ctx: Context, query: schemas.ProgramsQuery) -> Page[schemas.ProgramOut]:
    """List the shop's programs, newest first."""
    page = queries.page(ctx.uow, query)
    return Page([_out(program) for program in page.items], page.next_cursor)


@endpoint(
    "GET",
    _PATH + "/{id}",
    permission=Permission.PROGRAMS_READ,
    tag=_TAG,
    out=schemas.ProgramOut,
    key="program",
    errors=(errors.ProgramNotFound,),
)
def get_program(ctx: Context, id: UUID) -> schemas.ProgramOut:
    """Get one program."""
    return _out(service.get(ctx.uow, id))


@endpoint(
    "PUT",
    _PATH + "/{id}",
    permission=Permission.PROGRAMS_WRITE,
    tag=_TAG,
    body=schemas.ProgramUpdate,
    out=schemas.ProgramOut,
    key="program",
    errors=(
        errors.ProgramNotFound,
        errors.StaleVersion,
        errors.StatusNotAllowed,
        errors.AnotherProgramActive,
    ),
)
def update_program(ctx: Context, id: UUID, body: schemas.ProgramUpdate) -> schemas.ProgramOut:
    """Change a program.

    Send the `version` that you read; fields that are absent stay as they are. Changed terms hold for orders awarded
    from now on; points already given keep the terms under which they were given. To set `rewards_at_start` takes the
    permission to change rewards.
    """
    changes = {name: getattr(body, name) for name in body.model_fields_set - {"version"}}
    if changes.get("rewards_at_start"):
        ctx.require(Permission.REWARDS_WRITE)
    return _out(service.update(ctx.uow, id, changes, version=body.version))


@endpoint(
    "DELETE",
    _PATH + "/{id}",
    permission=Permission.PROGRAMS_WRITE,
    tag=_TAG,
    out=None,
    errors=(errors.ProgramNotFound, errors.ProgramInUse),
)
def delete_program(ctx: Context, id: UUID) -> None:
    """Delete a draft program; a published one can only be archived."""
    service.delete(ctx.uow, id)


@endpoint(
    "GET",
    "/v1/api/programs.csv",
    permission=Permission.PROGRAMS_READ,
    tag=_TAG,
    query=export_query(schemas.ProgramsQuery),
    out=Download,
    produces="text/csv",
)
def programs_csv(ctx: Context, query: Any) -> Download:
    """Download the shop's programs as CSV, newest first."""
    return download(ctx, PROGRAMS, query)

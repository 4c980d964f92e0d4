"""A list of 50 rows as a page of the admin against the same rows as JSON, through the same server, caller and query."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import orjson
from flask import Flask, Response

from app.core import ids
from app.core.db import unit_of_work
from app.core.paging import Page
from app.core.settings import get_settings
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from app.web import tabs
from app.web.embedding import embedded_staff
from app.web.lists import ListView
from app.web.pages import view_model, work_of
from benchmarks import load, world
from benchmarks.measure import Result, Sample, compare, cpu_seconds
from benchmarks.world import DOMAIN, World

LIST = "members"
ROWS = 50
_FIRST_NAMED = 700_000_000


def create_app() -> Flask:
    """The product, with the list's rows as JSON at /app/rows.json, and the query alone at /app/rows.none."""
    from app.factory import create_app as product

    application = product()
    shown = tabs.registry().tabs[LIST]

    def rows() -> list[Any]:
        principal = embedded_staff()
        with work_of(principal) as uow:
            view, _ = view_model(shown, principal, uow, {})
        return _page(view).items

    @application.get("/app/rows.json")
    def as_json() -> Response:
        body = orjson.dumps({"items": rows()}, option=orjson.OPT_UTC_Z, default=str)
        return Response(body, content_type="application/json")

    @application.get("/app/rows.none")
    def query_alone() -> Response:
        rows()
        return Response(b"{}", content_type="application/json")

    return application


def _page(view: Mapping[str, Any]) -> "Page[Any]":
    return next(part.found.page for part in view.values() if isinstance(part, ListView))


def html(shop: World) -> list[Result]:
    """P9: pages a second against JSON answers a second, and the processor time of a page beyond its query.

    The query is all that `/app/rows.none` does: telling who asks, the transaction, and the view function, which reads the
    rows, the person's views and the choices of the filters. Beyond it are template, menu, headers, compression and sending
    them, in this server and the database. With sixteen callers on two processors they also pay for getting in each
    other's way, with one caller they do not; both are told, and the goal is for sixteen.
    """
    _name_members(shop)
    with world.server("benchmarks.pages:create_app()", ENVIRONMENT="production", LOG_LEVEL="WARNING") as (
        port,
        pid,
    ):
        database = world.database_process()

        def run(path: str, **callers: int) -> Callable[[float], Sample]:
            request = _request(f"{path}?limit={ROWS}")

            def round_of(seconds: float) -> Sample:
                before = cpu_seconds([pid, database])
                answered, failed = load.storm(port, lambda _: request, seconds, 0, **callers)
                if failed:
                    raise RuntimeError(f"{failed} requests were not answered with 2xx")
                return Sample(answered, seconds, cpu_seconds([pid, database]) - before)

            return round_of

        page = run(f"/app/{LIST}")
        page(2.0)
        rate = compare("P9 page of 50 rows", ">= 0.5", page, run("/app/rows.json"))
        cost = compare("P9 ms of a page beyond its query", "<= 2 ms", page, run("/app/rows.none"))
        one = {"processes": 1, "connections": 1}
        alone = compare(
            "P9 the same with one caller", "", run(f"/app/{LIST}", **one), run("/app/rows.none", **one)
        )
    return [rate, _beyond(cost), _beyond(alone)]


def _beyond(found: Result) -> Result:
    """The difference of processor time in milliseconds, instead of rates."""
    spent = found.cpu_ms[0] - found.cpu_ms[1]
    ratio = None if found.ratio is None else spent / 2.0
    note = f"{spent:.2f} ms, {found.cpu_ms[0]:.2f} ms with it, {found.cpu_ms[1]:.2f} ms alone"
    return Result(
        found.name,
        found.goal,
        spent,
        2.0,
        ratio,
        None,
        found.kept,
        found.rounds,
        note,
    )


def _name_members(shop: World) -> None:
    """Sixty members with names, e-mails and points, newer than all others."""
    named = [
        Person(_FIRST_NAMED + number, f"person.{number}@example.com", "Noura", f"Haddad {number}")
        for number in range(60)
    ]
    with unit_of_work(shop.shop_id) as uow:
        # A shop without a token would ask Shopify for one at each request.
        uow.execute(
            "UPDATE shops SET access_token_sealed = %(token)s WHERE shop_id = %(shop)s",
            {"shop": shop.shop_id, "token": uow.seal("benchmark", "token")},
        )
        found = members.enroll(uow, named)
        points.credit(
            uow,
            [
                Credit(one.id, 1_000_000 + place, f"p9:{place}", "welcome")
                for place, one in enumerate(found.values())
            ],
        )


def _request(path: str) -> bytes:
    """A tab change as htmx asks for it, by a staff member of the shop."""
    settings, now = get_settings(), int(time.time())
    claims = {
        "iss": f"https://{DOMAIN}/admin",
        "dest": f"https://{DOMAIN}",
        "aud": settings.shopify_api_key,
        "sub": "1",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "jti": str(ids.new_id()),
        "sid": str(ids.new_id()),
    }
    token = jwt.encode(claims, settings.shopify_api_secret.get_secret_value(), "HS256")
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nHX-Request: true\r\n"
        "HX-Request-Type: partial\r\nAccept-Encoding: zstd\r\nX-Locale: en\r\n\r\n"
    ).encode()

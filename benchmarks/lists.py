"""Lists of the admin: pages of members with every filter and order that is offered, in a small and in a large shop."""

import time
from typing import Any
from uuid import UUID

import psycopg

from app.core import ids
from app.core.db import unit_of_work
from app.core.settings import get_settings
from app.domains.members import queries
from app.domains.members.schemas import MembersFilter
from benchmarks.measure import Result
from benchmarks.world import World

_SORTS = ("newest", "available", "qualifying")
_FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"status": "active"},
    {"status": "blocked"},
    {"source": "guest"},
    {"points_from": 1_000},
    {"points_from": 4_000, "points_to": 4_010},
    {"enrolled_from": "2026-01-05"},
    {"status": "active", "points_to": 500},
    {"source": "shopify", "enrolled_to": "2026-01-10"},
)
_DEEP = 40
_SHOP = """
INSERT INTO shops (shop_id, domain, name, installed_at) VALUES (%(shop)s, %(shop)s::text || '.myshopify.com', 'Bench', now())
"""
_MEMBERS = """
INSERT INTO members (shop_id, id, status, source, enrolled_at)
SELECT %(shop)s, md5(n::text || %(shop)s::text)::uuid, CASE WHEN n %% 97 = 0 THEN 'blocked' ELSE 'active' END,
  CASE WHEN n %% 10 = 1 THEN 'guest' ELSE 'shopify' END, timestamptz '2026-01-01' + n * interval '7 minutes'
FROM generate_series(1, %(members)s) n
"""
_STANDINGS = """
INSERT INTO points_standings (shop_id, member_id, available, qualifying)
SELECT shop_id, id, ('x' || substr(id::text, 1, 3))::bit(12)::int, ('x' || substr(id::text, 1, 4))::bit(16)::int
FROM members WHERE shop_id = %(shop)s
"""


def members_pages(_: World) -> list[Result]:
    """P8m: p95 of members pages, every filter with every order, with 100,000 members against 1,000; deepest to first page."""
    small, large = ids.new_id(), ids.new_id()
    with psycopg.connect(get_settings().owner_url, autocommit=True) as owner:
        owner.execute("SELECT set_config('app.cross_shop', 'on', false)")
        try:
            for shop_id, members in ((small, 1_000), (large, 100_000)):
                for statement in (_SHOP, _MEMBERS, _STANDINGS):
                    owner.execute(statement, {"shop": shop_id, "members": members})
            owner.execute("ANALYZE members, points_standings")
            few, _first, _last = _times(small)
            many, first, last = _times(large)
        finally:
            for table in ("points_standings", "members", "shops"):
                owner.execute(f"DELETE FROM {table} WHERE shop_id = ANY(%s)", ([small, large],))
    return [
        Result(
            "P8m members page at 100k to 1k",
            "",
            many,
            few,
            many / few,
            None,
            1,
            1,
            f"p95 {many:.1f} to {few:.1f} ms",
        ),
        Result(
            "P8m deepest to first page",
            "<= 1.5",
            last,
            first,
            last / first,
            None,
            1,
            1,
            f"{last:.1f} to {first:.1f} ms",
        ),
    ]


def _times(shop_id: UUID) -> tuple[float, float, float]:
    """Milliseconds: the 95th percentile of all pages, and the medians of first pages and of the deepest ones."""
    spent: list[float] = []
    first: list[float] = []
    last: list[float] = []
    for sort in _SORTS:
        for asked in _FILTERS:
            walked = _walk(shop_id, asked, sort)
            spent += walked
            first.append(walked[0])
            last.append(walked[-1])
    return _at(spent, 0.95), _at(first, 0.5), _at(last, 0.5)


def _walk(shop_id: UUID, asked: dict[str, Any], sort: str) -> list[float]:
    spent: list[float] = []
    cursor = None
    for _ in range(_DEEP):
        query = MembersFilter.model_validate({**asked, "sort": sort, "cursor": cursor})
        with unit_of_work(shop_id) as uow:
            started = time.perf_counter()
            page = queries.page(uow, query)
            spent.append((time.perf_counter() - started) * 1000)
        cursor = page.next_cursor
        if cursor is None:
            break
    return spent


def _at(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]

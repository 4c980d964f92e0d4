"""Previews of tier ladders on 100,000 members with orders, and what Home reads in such a shop."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psycopg

from app.core import ids
from app.core.db import unit_of_work
from app.core.settings import get_settings
from app.domains.shops.events import ShopInstalled
from app.domains.tiers import service
from app.domains.tiers.schemas import Ladder, Metric, Period
from benchmarks.measure import Result, cpu_seconds
from benchmarks.world import World

_MEMBERS = 100_000
_SHOP = """
INSERT INTO shops (shop_id, domain, name, installed_at) VALUES (%(shop)s, %(shop)s::text || '.myshopify.com', 'Bench', now())
"""
_FILL = (
    """INSERT INTO members (shop_id, id, status, source, enrolled_at, customer_id)
    SELECT %(shop)s, md5(n::text || %(shop)s::text)::uuid, 'active', 'shopify', now() - (n %% 900) * interval '1 day', n
    FROM generate_series(1, %(members)s) n""",
    # Ten entries each over three years, one of ten a reversal of the award before it.
    """INSERT INTO points_entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after,
      held_after, debt_after, qualifying_after, crossed, key, reason, order_id, trace, actor_kind, actor_id, created_at,
      previous_hash, hash)
    SELECT %(shop)s, md5('e' || n || k)::uuid, md5(n::text || %(shop)s::text)::uuid, k,
      CASE WHEN k = 10 THEN 'reverse' ELSE 'award' END::points_kind, CASE WHEN k = 10 THEN -5 ELSE (n %% 700) END, 0,
      0, 0, 0, 0, (n %% 700) * least(k, 9) - CASE WHEN k = 10 THEN 5 ELSE 0 END, false, n || ':' || k, 'purchase',
      md5('o' || n || least(k, 9))::uuid, '{}', 'system', 'system',
      now() - (1100 - 100 * k - n %% 90) * interval '1 day', '', ''
    FROM generate_series(1, 10) k, generate_series(1, %(members)s) n""",
    """INSERT INTO points_accounts (shop_id, member_id, qualifying)
    SELECT %(shop)s, md5(n::text || %(shop)s::text)::uuid, (n %% 700) * 9 - 5 FROM generate_series(1, %(members)s) n""",
    """INSERT INTO tier_orders (shop_id, order_id, member_id, placed_at, orders, net_minor)
    SELECT %(shop)s, md5('o' || n || k)::uuid, md5(n::text || %(shop)s::text)::uuid,
      now() - (1100 - 100 * k - n %% 90) * interval '1 day', 1, 1000 + n %% 9000
    FROM generate_series(1, 9) k, generate_series(1, %(members)s) n""",
    """INSERT INTO tier_readings (shop_id, ended_at) VALUES (%(shop)s, now())""",
    """INSERT INTO member_tiers (shop_id, member_id, ladder_id, main, tier_id, since, grace_until, locked_until)
    SELECT %(shop)s, m.id, l.id, true, (SELECT t.id FROM tiers t WHERE t.shop_id = m.shop_id AND t.ladder_id = l.id
      ORDER BY md5(m.id::text || t.id::text) LIMIT 1), now(),
      CASE WHEN m.customer_id %% 20 = 0 THEN now() + interval '9 days' END,
      CASE WHEN m.customer_id %% 30 = 0 THEN now() + interval '9 days' END
    FROM members m JOIN tier_ladders l ON l.shop_id = m.shop_id WHERE m.shop_id = %(shop)s""",
)
_TABLES = ("points_entries", "points_accounts", "tier_orders", "member_tiers", "members", "shops")
_LADDERS: tuple[tuple[Metric, Period, tuple[int, int, int]], ...] = (
    ("points", "lifetime", (0, 2_000, 5_000)),
    ("points", "rolling", (0, 500, 2_000)),
    ("points", "anniversary", (0, 500, 2_000)),
    ("spend", "calendar", (0, 10_000, 30_000)),
    ("orders", "rolling", (0, 2, 4)),
    ("rfm", "rolling", (0, 8, 13)),
)


def preview(_: World) -> list[Result]:
    """Seconds for which a preview keeps the processors busy, per ladder, against one statement that sums the same rows."""
    shop_id = ids.new_id()
    with psycopg.connect(get_settings().owner_url, autocommit=True) as owner:
        owner.execute("SELECT set_config('app.cross_shop', 'on', false)")
        owner.execute(_SHOP, {"shop": shop_id})
        with unit_of_work(shop_id) as uow:
            uow.publish([ShopInstalled(shop_id, "bench", "USD", again=False)])
        try:
            for statement in _FILL:
                owner.execute(statement, {"shop": shop_id, "members": _MEMBERS})
            owner.execute("ANALYZE")
            return [_measured(shop_id, owner, *one) for one in _LADDERS]
        finally:
            for table in _TABLES:
                owner.execute(f"DELETE FROM {table} WHERE shop_id = %s", (shop_id,))


def _measured(
    shop_id: UUID,
    owner: "psycopg.Connection[tuple[object, ...]]",
    metric: Metric,
    period: Period,
    steps: tuple[int, int, int],
) -> Result:
    with unit_of_work(shop_id) as uow:
        before = service.ladders(uow)[0]
        levels = tuple(replace(one, threshold=low) for one, low in zip(before.levels, steps, strict=True))
    draft = replace(before, metric=metric, period=period, grace_days=30, levels=levels)
    table = "tier_orders" if metric != "points" else "points_entries"
    column = "net_minor" if metric != "points" else "points"
    bare = (
        f"SELECT count(*) FROM (SELECT member_id, sum({column}) FROM {table} WHERE shop_id = %s GROUP BY 1) s"
    )
    mine = _best(lambda: _preview(shop_id, draft, before.version))
    theirs = _best(lambda: owner.execute(bare, (shop_id,)))
    note = f"{mine[0]:.2f} s, {mine[1]:.2f} s of processor time; the bare sum {theirs[0]:.2f} and {theirs[1]:.2f} s"
    return Result(
        f"preview of {_MEMBERS:,} members, {metric} {period}",
        "seconds",
        1 / mine[1],
        1 / theirs[1],
        mine[1] / theirs[1],
        None,
        2,
        2,
        note,
    )


def _preview(shop_id: UUID, draft: Ladder, version: int) -> None:
    with unit_of_work(shop_id) as uow:
        made = service.simulate(uow, draft, version=version)
    service.run(shop_id, made)


def _best(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds and processor seconds of the quicker of two turns; everything that PostgreSQL does counts."""
    turns = []
    for _ in range(2):
        started, busy = time.perf_counter(), _busy()
        work()
        turns.append((time.perf_counter() - started, _busy() - busy))
    return min(turns, key=lambda one: one[1])


def _busy() -> float:
    """Processor seconds of this process and of the PostgreSQL of these services."""
    with psycopg.connect(get_settings().owner_url) as owner:
        backend = Path(f"/proc/{owner.info.backend_pid}/stat").read_text()
    return cpu_seconds([os.getpid(), int(backend.rpartition(")")[2].split()[1])])

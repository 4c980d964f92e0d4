"""Lists of the admin: pages of members with every filter and order that is offered, in a small and in a large shop."""

import time
from typing import Any
from uuid import UUID

import psycopg

from app.core import ids
from app.core.db import UnitOfWork, unit_of_work
from app.core.settings import get_settings
from app.domains.members import queries, service
from app.domains.members.schemas import MembersFilter
from app.domains.shops.events import ShopInstalled
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
    {"enrolled_from": "2024-01-05"},
    {"status": "active", "points_to": 500},
    {"source": "shopify", "enrolled_to": "2024-01-10"},
)
# With the tiers and segments of a shop from the one that most members have to the one that hardly any has.
_GROUPS: tuple[dict[str, Any], ...] = (
    {"tier": 0},
    {"tier": 1, "status": "active"},
    {"tier": 2},
    {"segment": 0},
    {"segment": 1, "points_from": 1_000},
    {"segment": 2},
    {"segment": 1, "tier": 1, "enrolled_from": "2024-01-05"},
)
_SEARCHES: tuple[dict[str, Any], ...] = (
    {"search": "an"},
    {"search": "annabel"},
    {"search": "anna", "status": "active"},
    {"search": "anna@example.com"},
    {"search": "BENCH-77"},
    {"search": "500"},
    {"search": "nobody"},
)
_DEEP = 40
_SHOP = """
INSERT INTO shops (shop_id, domain, name, installed_at) VALUES (%(shop)s, %(shop)s::text || '.myshopify.com', 'Bench', now())
"""
_FILL = (
    """INSERT INTO members (shop_id, id, customer_id, status, source, enrolled_at, updated_at, indexed, email_index,
      email_sealed, first_name_sealed, last_name_sealed)
    SELECT %(shop)s, md5(n::text || %(shop)s::text)::uuid, n, CASE WHEN n %% 97 = 0 THEN 'blocked' ELSE 'active' END,
      CASE WHEN n %% 10 = 1 THEN 'guest' ELSE 'shopify' END, timestamptz '2024-01-01' + n * interval '7 minutes',
      now() - interval '1 day', true,
      CASE WHEN n %% 500 = 7 THEN %(email_index)s ELSE decode(md5('mail' || n) || md5('box' || n), 'hex') END,
      %(email)s, %(first_name)s, %(last_name)s
    FROM generate_series(1, %(members)s) n""",
    """INSERT INTO points_standings (shop_id, member_id, available, qualifying, status, source, enrolled_at)
    SELECT shop_id, id, ('x' || substr(id::text, 1, 3))::bit(12)::int, ('x' || substr(id::text, 1, 4))::bit(16)::int,
      status, source, enrolled_at
    FROM members WHERE shop_id = %(shop)s""",
    """INSERT INTO points_standings_seen (shop_id, until) VALUES (%(shop)s, now())""",
    """INSERT INTO points_accounts (shop_id, member_id, available, qualifying)
    SELECT shop_id, member_id, available, qualifying FROM points_standings WHERE shop_id = %(shop)s""",
    """INSERT INTO points_entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after,
      held_after, debt_after, qualifying_after, crossed, key, reason, trace, actor_kind, actor_id, created_at,
      previous_hash, hash)
    SELECT m.shop_id, gen_random_uuid(), m.id, k, 'award', 10, 0, 10, 0, 0, 0, 10, false, m.customer_id || ':' || k,
      'purchase', '{}', 'system', 'system', now() - k * interval '30 days' - m.customer_id * interval '1 second', '', ''
    FROM members m, generate_series(1, 2) k WHERE m.shop_id = %(shop)s""",
    """INSERT INTO member_tiers (shop_id, member_id, ladder_id, main, tier_id, since)
    SELECT m.shop_id, m.id, l.id, true,
      (%(tiers)s::uuid[])[CASE WHEN m.customer_id %% 200 = 3 THEN 3 WHEN m.customer_id %% 5 = 2 THEN 2 ELSE 1 END], now()
    FROM members m JOIN tier_ladders l ON l.shop_id = m.shop_id AND l.main WHERE m.shop_id = %(shop)s""",
    """INSERT INTO segments (shop_id, id, name, kind)
    SELECT %(shop)s, s.id, 'Segment ' || s.n, 'manual' FROM unnest(%(segments)s::uuid[]) WITH ORDINALITY s (id, n)""",
    """INSERT INTO segment_members (shop_id, segment_id, member_id, since)
    SELECT m.shop_id, s.id, m.id, now() FROM members m
    JOIN unnest(%(segments)s::uuid[], '{2,20,300}'::int[]) s (id, every) ON m.customer_id %% s.every = 1
    WHERE m.shop_id = %(shop)s""",
    # One of twenty is called Anna, one of a thousand Annabel.
    """INSERT INTO member_prefixes (shop_id, prefix, member_id)
    SELECT m.shop_id, p.prefix, m.id FROM members m
    JOIN unnest(%(prefixes)s::bytea[], %(everies)s::int[]) p (prefix, every) ON m.customer_id %% p.every = 8
    WHERE m.shop_id = %(shop)s""",
    """INSERT INTO referral_links (shop_id, id, member_id, code)
    SELECT shop_id, id, id, 'BENCH-' || customer_id FROM members WHERE shop_id = %(shop)s""",
)
_NAMES = {"a": 10, "an": 10, "ann": 20, "anna": 20, "annab": 1_000, "annabe": 1_000, "annabel": 1_000}
_TABLES = (
    "referral_links",
    "member_prefixes",
    "segment_members",
    "segments",
    "member_tiers",
    "points_entries",
    "points_accounts",
    "points_standings_seen",
    "points_standings",
    "members",
    "shops",
)


def members_pages(_: World) -> list[Result]:
    """P8m: p95 of members pages, every filter with every order, with 100,000 members against 1,000; deepest to first page."""
    small, large = ids.new_id(), ids.new_id()
    with psycopg.connect(get_settings().owner_url, autocommit=True) as owner:
        owner.execute("SELECT set_config('app.cross_shop', 'on', false)")
        try:
            for shop_id, members in ((small, 1_000), (large, 100_000)):
                fill(owner, shop_id, members)
            # As autovacuum does once so many rows are written; a shop that has been there for a minute is so.
            owner.execute("VACUUM (ANALYZE)")
            few, _first, _last = _times(small)
            many, first, last = _times(large)
        finally:
            for table in _TABLES:
                owner.execute(f"DELETE FROM {table} WHERE shop_id = ANY(%s)", ([small, large],))
    return [
        Result(
            "P8m members page at 100k to 1k",
            "<= 1.5",
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


def fill(owner: "psycopg.Connection[tuple[object, ...]]", shop_id: UUID, members: int) -> None:
    """A shop with so many members, their points, two entries each, three tiers, three segments, names and codes."""
    owner.execute(_SHOP, {"shop": shop_id})
    with unit_of_work(shop_id) as uow:
        uow.publish([ShopInstalled(shop_id, "bench", "USD", again=False)])
    with unit_of_work(shop_id) as uow:
        known = _known(uow) | {"shop": shop_id, "members": members}
    for statement in _FILL:
        owner.execute(statement, known)


def _known(uow: UnitOfWork) -> dict[str, Any]:
    return {
        "tiers": [one["id"] for one in queries.listing.tier_names(uow)],
        "segments": [ids.new_id() for _ in range(3)],
        "email": uow.seal("anna@example.com", "members.email"),
        "email_index": uow.blind_index("anna@example.com", "members.email"),
        "first_name": uow.seal("Anna", "members.first_name"),
        "last_name": uow.seal("Example", "members.last_name"),
        "prefixes": [queries.prefix(uow, one) for one in _NAMES],
        "everies": list(_NAMES.values()),
    }


def filters(shop_id: UUID) -> list[dict[str, Any]]:
    """What is asked of a shop: every filter that is offered, wide and narrow, and every kind of search."""
    with unit_of_work(shop_id) as uow:
        tiers = [one["id"] for one in queries.listing.tier_names(uow)]
        segments = [one for one, _ in queries.listing.segment_names(uow)]
    groups = [
        asked
        | ({"tier": tiers[asked["tier"]]} if "tier" in asked else {})
        | ({"segment": segments[asked["segment"]]} if "segment" in asked else {})
        for asked in _GROUPS
    ]
    return [*_FILTERS, *groups, *_SEARCHES]


def _times(shop_id: UUID) -> tuple[float, float, float]:
    """Milliseconds: the 95th percentile of all pages, and the medians of first pages and of the deepest ones."""
    spent: list[float] = []
    first: list[float] = []
    last: list[float] = []
    for sort in _SORTS:
        for asked in filters(shop_id):
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
            page = service.listed(uow, query).page
            spent.append((time.perf_counter() - started) * 1000)
        cursor = page.next_cursor
        if cursor is None:
            break
    return spent


def _at(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]

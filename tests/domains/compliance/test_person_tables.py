"""Every table that holds or names a person is exported and erased by its owner, or stands here with a reason."""

import re

import pytest

from app.domains.compliance import service
from app.factory import load_domains
from tests.fixtures import rows

# What makes a column a person's: sealed values, keyed hashes of them, ids of members and customers, stored bodies.
PERSONAL = re.compile(r".*_(sealed|index)|(customer|member|advocate|friend)_id|payload|response")

EXEMPT = {
    "shops": "the shop's own contact and tokens; gone when the shop is erased",
    "inbox": "sealed until handled, then dropped; what failed and speaks of the person is emptied by the erasure",
    "outbox": "ids and numbers only; the person is looked up when the work is done, and is nobody then",
    "bulk_parts": "a file while it is read; gone when its last row was checked, or the run is canceled",
    "idempotency_keys": "sealed answers, deleted after two days",
    "privacy_requests": "the requests themselves; the erasure drops copies and the customer's id",
}


@pytest.fixture(scope="module")
def personal() -> set[str]:
    """Tables with a person's columns."""
    load_domains()
    with rows.connect() as connection:
        found = connection.execute(
            "SELECT c.relname::text AS name, a.attname::text AS column FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND a.attnum > 0 AND NOT a.attisdropped"
        ).fetchall()
    return {row["name"] for row in found if PERSONAL.fullmatch(row["column"])}


def test_the_rule_finds_tables(personal: set[str]) -> None:
    assert {"members", "orders", "points_entries", "redemptions", "messages", "inbox"} <= personal


def test_every_owner_erases(personal: set[str]) -> None:
    assert personal - service.erased_tables() - set(EXEMPT) == set()


def test_every_owner_exports(personal: set[str]) -> None:
    assert personal - service.exported_tables() - set(EXEMPT) == set()


def test_nothing_is_declared_that_is_not_there(personal: set[str]) -> None:
    tables = set(rows.shop_tables())
    assert service.erased_tables() <= tables and service.exported_tables() <= tables
    assert set(EXEMPT) <= personal
    assert not set(EXEMPT) & service.erased_tables()

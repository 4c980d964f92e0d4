"""Scores in fifths: from the cuts as from the whole population, equal for equals, in Python and in SQL."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import rfm
from tests.fixtures.shop import TestShop

_START = datetime(2026, 1, 1, tzinfo=UTC)
_BUYERS = st.lists(
    st.tuples(
        st.integers(0, 40).map(lambda days: _START + timedelta(days=days)),
        st.integers(1, 6),
        st.integers(0, 9) | st.integers(0, 10**9),
    ),
    max_size=30,
)
_SELECT = """
SELECT * FROM unnest(%(lasts)s::timestamptz[], %(orders)s::bigint[], %(spent)s::bigint[]) AS b (last_at, orders, spent)
"""


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(buyers=_BUYERS)
def test_a_score_is_how_many_fifths_are_strictly_below(
    shop: TestShop, buyers: list[tuple[datetime, int, int]]
) -> None:
    columns = tuple(list(column) for column in zip(*buyers, strict=True)) if buyers else ([], [], [])
    values = dict(zip(("lasts", "orders", "spent"), columns, strict=True))
    with shop.work() as uow:
        fifths = rfm.fifths(uow.one(rfm.cuts_sql(_SELECT), values))
        scored = uow.all(
            f"SELECT {rfm.score_sql('spent', '%(cuts)s::bigint[]')} AS money FROM ({_SELECT}) b",
            values | {"cuts": list(fifths.money)},
        )
    for buyer in buyers:
        below = [sum(other[n] < buyer[n] for other in buyers) for n in range(3)]
        assert fifths.scores(*buyer) == tuple(1 + 5 * one // len(buyers) for one in below)
    assert [row["money"] for row in scored] == [fifths.scores(*buyer)[2] for buyer in buyers]


def test_nobody_to_compare_with_scores_one() -> None:
    assert rfm.Fifths().scores(_START, 7, 7) == (1, 1, 1)

"""Rules over the sources, and a sample that breaks each of them."""

import pytest

from tests.architecture import sources
from tests.architecture.sources import Rule

SAMPLES: list[tuple[Rule, str, str]] = [
    (sources.commits_in_one_place, "app.domains.x.service", "def f(uow):\n    uow.session.commit()"),
    (sources.commits_in_one_place, "app.domains.x.service", "def f(uow):\n    uow.driver.rollback()"),
    (sources.commits_in_one_place, "app.core.inbox", "def f(uow):\n    uow.execute('COMMIT')"),
    (sources.commits_in_one_place, "app.core.inbox", "X = f'BEGIN; ROLLBACK TO SAVEPOINT {1}'"),
    (
        sources.shops_are_crossed_where_allowed,
        "app.domains.points.service",
        "from app.core.db import cross_shop",
    ),
    (
        sources.shops_are_crossed_where_allowed,
        "app.domains.points.jobs",
        "from app.core import db\ndb.cross_shop('x')",
    ),
    (
        sources.shops_are_crossed_where_allowed,
        "app.domains.points.jobs",
        "from app.core.db import cross_shop as quietly",
    ),
    (
        sources.shops_are_crossed_where_allowed,
        "app.web.pages",
        "X = \"SELECT set_config('app.cross_shop', 'on', true)\"",
    ),
    (sources.environment_is_read_by_settings, "app.core.db", "import os\nos.environ['X']"),
    (sources.environment_is_read_by_settings, "app.worker", "import os\nos.getenv('X')"),
    (sources.environment_is_read_by_settings, "app.worker", "from os import environ"),
    (sources.files_are_short, "app.x", '"""Long."""\n' * 601),
    (sources.files_are_short, "app.x", "def f():\n" + "    x = 1\n" * 70),
    (sources.modules_have_names, "app.domains.points.helpers", ""),
    (sources.modules_have_names, "app.core.utils.text", ""),
    (sources.packages_say_what_they_own, "app.x", "x = 1"),
    (
        sources.jobs_are_named_after_their_domain,
        "app.domains.points.jobs",
        "@job('orders.reconcile')\ndef f(): ...",
    ),
    (
        sources.jobs_are_named_after_their_domain,
        "app.domains.points.jobs",
        "@jobs.job('reconcile')\ndef f(): ...",
    ),
]

FINE: list[tuple[Rule, str, str]] = [
    (sources.commits_in_one_place, "app.core.db", "def f(c):\n    c.execute('COMMIT')"),
    (
        sources.commits_in_one_place,
        "app.x",
        '"""Runs before the COMMIT."""\ndef f(uow):\n    uow.after_commit(f)',
    ),
    (
        sources.shops_are_crossed_where_allowed,
        "app.domains.shops.service.tokens",
        "from app.core.db import cross_shop",
    ),
    (
        sources.shops_are_crossed_where_allowed,
        "app.domains.x.api",
        "@endpoint('GET', '/', cross_shop='why')\ndef f(): ...",
    ),
    (sources.environment_is_read_by_settings, "app.x", "import os\nos.urandom(8)"),
    (sources.files_are_short, "app.x", "def f():\n" + "    x = 1\n" * 69),
    (sources.modules_have_names, "app.domains.points.rules", ""),
    (
        sources.jobs_are_named_after_their_domain,
        "app.domains.points.jobs",
        "@job('points.expire')\ndef f(): ...",
    ),
]


@pytest.mark.parametrize("rule", sources.RULES, ids=lambda rule: rule.__name__)
def test_the_code_keeps_it(rule: Rule) -> None:
    assert sources.breaches(rule) == []


@pytest.mark.parametrize(("rule", "name", "text"), SAMPLES)
def test_a_sample_that_breaks_it_is_noticed(rule: Rule, name: str, text: str) -> None:
    assert rule(name, text)


@pytest.mark.parametrize(("rule", "name", "text"), FINE)
def test_what_is_allowed_is_not_refused(rule: Rule, name: str, text: str) -> None:
    assert rule(name, text) == []


def test_every_rule_has_a_sample() -> None:
    assert {rule for rule, _, _ in SAMPLES} == set(sources.RULES)
    assert len(dict(sources.modules())) > 100

"""F3: every PostgreSQL process is killed while eight writers store webhooks and credits."""

import threading
import time
from dataclasses import dataclass, field
from uuid import UUID

from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from drills import laws, servers, world
from drills.outcome import Outcome, Scale
from drills.workers import crew
from tests.fixtures.shop import TestShop

WRITERS = 8
_MEMBERS = 20
_PAUSE = 0.004


@dataclass
class _Writers:
    """Half of them store webhooks, half post credits; each remembers what was acknowledged and goes on after errors."""

    shop: TestShop
    members: list[UUID]
    webhooks: set[str] = field(default_factory=set)
    credits: set[str] = field(default_factory=set)
    refused: int = 0
    last: dict[int, float] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._write, args=(index,)) for index in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def all_wrote_since(self, moment: float) -> bool:
        return all(self.last.get(index, 0.0) > moment for index in range(WRITERS))

    def _write(self, index: int) -> None:
        number = index * 10_000_000
        while not self._stop.wait(_PAUSE):
            number += 1
            try:
                (self._tell if index % 2 else self._credit)(number)
            except world.OUTAGES:
                self.refused += 1
                time.sleep(0.05)
            else:
                self.last[index] = time.monotonic()

    def _tell(self, number: int) -> None:
        webhook_id = f"webhook-{number}"
        self.shop.tell("orders/paid", world.paid_order(number, number), webhook_id=webhook_id)
        self.webhooks.add(webhook_id)

    def _credit(self, number: int) -> None:
        key = f"credit-{number}"
        with self.shop.work() as uow:
            points.credit(uow, [Credit(self.members[number % _MEMBERS], 1, key, "purchase")])
        self.credits.add(key)


def run(scale: Scale) -> Outcome:
    """Kill, wait, start again, several times; the drain process and the writers are never restarted."""
    outcome = Outcome("kill -9 of PostgreSQL under 8 writers")
    kills = scale.pick(1, 6)
    with servers.own(durable=True) as own:
        shop = world.install("database-killed")
        with shop.work() as uow:
            found = members.enroll(uow, [Person(number) for number in range(1, _MEMBERS + 1)])
        writers = _Writers(shop, [found[number].id for number in range(1, _MEMBERS + 1)])
        with crew(1) as drains:
            writers.start()
            try:
                recoveries = [_kill_and_return(own, writers, scale, outcome) for _ in range(kills)]
            finally:
                writers.stop()
            backlog = world.seconds_until_handled(shop)
            outcome.expect(drains.all_alive(), "the drain process did not survive")
        outcome.facts = {
            "kills": kills,
            "acknowledged webhooks": len(writers.webhooks),
            "acknowledged credits": len(writers.credits),
            "refused meanwhile": writers.refused,
            "all write again after s": max(recoveries),
            "backlog handled after s": backlog,
        }
        _check(outcome, shop, writers)
    return outcome


def _kill_and_return(own: servers.OwnServers, writers: _Writers, scale: Scale, outcome: Outcome) -> float:
    """Seconds from the restart until every writer had something acknowledged again."""
    began = time.monotonic()
    while not writers.all_wrote_since(began) and time.monotonic() - began < 30:
        time.sleep(0.05)
    time.sleep(scale.pick(1, 4))
    own.kill_database()
    time.sleep(0.3)
    own.start_database()
    started = time.monotonic()
    while not writers.all_wrote_since(started) and time.monotonic() - started < 30:
        time.sleep(0.05)
    outcome.expect(writers.all_wrote_since(started), "writers do not recover by themselves")
    return round(time.monotonic() - started, 1)


def _check(outcome: Outcome, shop: TestShop, writers: _Writers) -> None:
    with shop.work() as uow:
        stored = {
            row["key"] for row in uow.all("SELECT key FROM points_entries WHERE key LIKE 'credit-%%'", {})
        }
        webhooks = uow.scalar("SELECT count(*) FROM inbox WHERE state = 1")
        told = {row["webhook_id"] for row in uow.all("SELECT webhook_id FROM inbox")}
    lost = writers.credits - stored
    outcome.facts["acknowledged and lost"] = len(lost) + len(writers.webhooks - told)
    outcome.expect(not lost, f"I4: {len(lost)} acknowledged credits are not in the ledger")
    laws.check(outcome, shop, writers.webhooks, points=webhooks * world.POINTS + len(stored))

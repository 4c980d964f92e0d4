"""F15: the reply to a redemption is lost after its commit."""

import contextlib
import http.client
import tempfile
from pathlib import Path
from typing import Any

import orjson

from app.core import ids
from app.domains.shops import service as shops
from dev import ports
from drills import bell_lost, counter, laws, workers, world
from drills.outcome import Outcome, Scale
from tests.domains.rewards.counter import connect
from tests.domains.rewards.shopify_admin import serving

_PATH = "/v1/api/rewards/redeem"
_COST = 100


def run(scale: Scale) -> Outcome:
    """A web process dies when the redemption is committed and its answer not yet sent; the caller repeats its key."""
    outcome = Outcome("the reply is lost after the commit of a redemption")
    cuts = scale.pick(2, 20)
    shop = world.install("reply-lost")
    connect(shop)
    (member_id,) = counter.enroll(shop, 1)
    counter.give(shop, [member_id], cuts * _COST)
    body = {"customer_id": "1", "reward_id": str(counter.reward(shop, _COST))}
    with shop.work() as uow:
        secret = shops.create_api_key(uow, "drill", ["all"]).secret
    (port,) = ports.free(1)
    lost = same = 0
    with tempfile.TemporaryDirectory(prefix="loyalnest-") as folder, serving() as (admin, origin):
        cut = Path(folder) / "cut"
        web = workers.spawn(
            *("gunicorn", "-b", f"127.0.0.1:{port}", "-w", "2", "drills.dying_web:app"),
            DRILL_CUT=str(cut),
            SHOPIFY_CONNECT_TO=origin,
        )
        try:
            bell_lost.wait_for(port)
            for _ in range(cuts):
                key = str(ids.new_id())
                cut.touch()
                lost += _redeem(port, secret, key, body) is None
                answers = [_redeem(port, secret, key, body) for _ in range(2)]
                same += answers[0] is not None and answers[0] == answers[1] and admin.works(answers[0])
        finally:
            workers.end(web)
    counter.close(shop)
    with shop.work() as uow:
        made = uow.scalar("SELECT count(*) FROM redemptions")
        available = uow.scalar("SELECT sum(available)::bigint FROM points_accounts")
    outcome.expect(lost == cuts, f"{lost} of {cuts} replies were lost")
    outcome.expect(same == cuts, f"{same} of {cuts} repeats were answered alike")
    outcome.expect(made == cuts, f"{made} redemptions for {cuts} keys")
    outcome.expect(available == 0, f"{available} points are left")
    outcome.facts = {"replies lost": lost, "answered alike afterwards": same, "redemptions": made}
    laws.check(outcome, shop, ())
    return outcome


def _redeem(port: int, secret: str, key: str, body: dict[str, Any]) -> str | None:
    """The discount code in the answer; None when there was no answer."""
    headers = {
        "Authorization": f"Bearer {secret}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }
    with contextlib.closing(
        http.client.HTTPConnection("127.0.0.1", port, timeout=world.PATIENCE)
    ) as connection:
        try:
            connection.request("POST", _PATH, orjson.dumps(body), headers)
            answer = connection.getresponse()
            found = orjson.loads(answer.read())
        except (http.client.HTTPException, ConnectionError):
            return None
    if answer.status != 201:
        raise RuntimeError(f"the redemption was answered with {answer.status}: {found}")
    return str(found["discount_code"])

"""Referrals that move by the calendar."""

from app.core.db import unit_of_work
from app.core.jobs import job
from app.domains.referrals import service
from app.domains.shops import service as shops

_SLICE = 200


@job("referrals.reward_due", queue="slow", timeout_seconds=600)
def reward_due() -> None:
    """Referrals whose holding period is over are rewarded, a slice per transaction."""
    for shop_id in shops.installed():
        while True:
            with unit_of_work(shop_id) as uow:
                done = service.reward_due(uow, _SLICE)
            if done < _SLICE:
                break

"""Erasing a shop: nothing of it stays in any table there is, nothing of another shop goes."""

from uuid import UUID

import pytest

from app import cli
from app.core import clock, crypto, ids, inbox, jobs
from app.core.crypto import fingerprint
from app.core.db import JobCall, unit_of_work
from app.domains.shops import jobs as shop_jobs
from app.domains.shops import service
from app.domains.shops.errors import ShopIsLive
from app.domains.shops.service import erasing
from app.factory import load_domains
from tests.fixtures import rows

LEFT = {"shop_directory": 1}


@pytest.fixture
def shop_id(clean_database: None) -> UUID:
    """An uninstalled shop with a row in every table."""
    load_domains()
    return full_shop("full.myshopify.com")


def full_shop(domain: str) -> UUID:
    shop_id = ids.new_id()
    assert rows.fill(shop_id, domain) == rows.shop_tables()
    with unit_of_work(shop_id) as uow:
        uow.execute("UPDATE shops SET status = 'uninstalled' WHERE shop_id = %(shop)s", {"shop": shop_id})
        uow.execute("DELETE FROM shop_keys WHERE shop_id = %(shop)s", {"shop": shop_id})
    return shop_id


def ask(shop_id: UUID) -> bool:
    with unit_of_work(shop_id) as uow:
        return service.mark_erased(uow)


def test_every_table_is_emptied_and_no_other_shop_is_touched(shop_id: UUID) -> None:
    other = full_shop("other.myshopify.com")
    before = rows.count(other)
    assert ask(shop_id)
    erased = service.erase(shop_id)
    assert rows.count(shop_id) == LEFT
    assert rows.count(other) == before
    assert {"members", "shops", "staff", "inbox", "outbox"} <= set(erased)


def test_it_goes_in_slices(shop_id: UUID) -> None:
    with unit_of_work(shop_id) as uow:
        for number in range(25):
            uow.outbox("test", {}, key=str(number))
    ask(shop_id)
    assert service.erase(shop_id, slice_rows=4)["outbox"] == 26
    assert rows.count(shop_id) == LEFT


def test_it_can_be_repeated(shop_id: UUID) -> None:
    ask(shop_id)
    service.erase(shop_id)
    assert service.erase(shop_id) == {}


def test_a_live_shop_is_left_alone(shop_id: UUID) -> None:
    with unit_of_work(shop_id) as uow:
        uow.execute("UPDATE shops SET status = 'installed' WHERE shop_id = %(shop)s", {"shop": shop_id})
    before = rows.count(shop_id)
    assert not ask(shop_id)
    with pytest.raises(ShopIsLive):
        service.erase(shop_id)
    assert rows.count(shop_id) == before


def test_what_was_cut_short_is_found_and_finished(shop_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[JobCall] = []
    ask(shop_id)
    with monkeypatch.context() as patch:
        real, calls = erasing._erase_table, iter(range(3))
        patch.setattr(erasing, "_erase_table", lambda *arguments: (next(calls), real(*arguments))[1])
        with pytest.raises(StopIteration):
            service.erase(shop_id)
    assert rows.count(shop_id) != LEFT
    monkeypatch.setattr(jobs, "send", sent.extend)
    shop_jobs.sweep_erased()
    assert sent == [JobCall("shops.erase", {"shop_id": str(shop_id)})]
    jobs.run(sent[0].name, sent[0].arguments)
    assert rows.count(shop_id) == LEFT
    shop_jobs.sweep_erased()
    assert len(sent) == 1


def test_the_sweep_finds_an_old_shop_although_its_domain_came_back(shop_id: UUID) -> None:
    ask(shop_id)
    new = ids.new_id()
    with unit_of_work(new) as uow:
        assert service.directory.claim(uow, "full.myshopify.com")
    assert service.sweep() == [shop_id]
    service.erase(shop_id)
    assert rows.count(shop_id) == {}
    entry = service.look_up("full.myshopify.com")
    assert entry is not None and entry.shop_id == new


def test_late_deliveries_are_swept(shop_id: UUID) -> None:
    ask(shop_id)
    service.erase(shop_id)
    assert service.sweep() == []
    inbox.put(shop_id, "shop/update", "late", "", clock.now(), b"{}")
    assert service.sweep() == [shop_id]
    service.erase(shop_id)
    assert rows.count(shop_id) == LEFT


def test_nothing_opens_with_the_old_key_and_no_api_key_works(shop_id: UUID) -> None:
    with unit_of_work(shop_id) as uow:
        uow.execute("UPDATE shops SET status = 'installed' WHERE shop_id = %(shop)s", {"shop": shop_id})
        secret = service.create_api_key(uow, "x", ["all"]).secret
        sealed = uow.seal("personal", "test")
    assert service.api_key_holder(fingerprint(secret)) is not None
    with unit_of_work(shop_id) as uow:
        service.uninstall(uow, None)
        service.mark_erased(uow)
    assert service.api_key_holder(fingerprint(secret)) is None
    service.erase(shop_id)
    with unit_of_work(shop_id) as uow, pytest.raises(crypto.SealBroken):
        uow.unseal(sealed, "test")


def test_the_command_line_erases_an_uninstalled_shop_only(
    shop_id: UUID, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["erase-shop", "--shop", "full.myshopify.com"])
    capsys.readouterr()
    assert cli.main(["erase-shop", "--shop", "full.myshopify.com", "--yes"]) == 0
    assert "members\t1" in capsys.readouterr().out
    assert rows.count(shop_id) == LEFT


def test_a_table_the_application_may_not_empty_is_reported(
    shop_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(shop_id)
    monkeypatch.setattr(erasing, "_ERASED_BY_FUNCTION", "SELECT %(shop)s::uuid")
    with pytest.raises(RuntimeError, match="audit_entries, points_entries, points_moves"):
        service.erase(shop_id)

"""Bulk actions as staff and programs meet them: a file goes up, its dry run is read, and it is started once."""

import io
from collections.abc import Callable
from typing import Any
from uuid import UUID

from app.core.permissions import ALL, Permission
from app.domains.bulk import jobs
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.notifications import service as notifications
from tests.fixtures.shop import TestShop
from tests.fixtures.web import api_key, staff

Call = Callable[[Any], Any]
UPLOAD = "/app/bulk-actions/new/upload"


def enroll(shop: TestShop) -> None:
    with shop.work() as uow:
        members.enroll(uow, [Person(n, f"m{n}@example.com", f"Name {n}") for n in range(1, 4)])


def upload(caller: Any, content: bytes, **fields: str) -> Any:
    typed = {"kind": "award", "who": "file", "reason": "promotion"} | fields
    return caller.submit(UPLOAD, {**typed, "file": (io.BytesIO(content), "list.csv")})


def only_run(shop: TestShop) -> UUID:
    with shop.work() as uow:
        found: UUID = uow.scalar("SELECT id FROM bulk_runs ORDER BY created_at DESC LIMIT 1")
        return found


def test_a_file_goes_up_is_rehearsed_and_started(shop: TestShop, call_as: Call) -> None:
    enroll(shop)
    caller = call_as(staff(shop.id))
    answer = upload(caller, "correo;puntos\nm1@example.com;٢٥\nnobody@example.com;5\n".encode())
    run = only_run(shop)
    assert answer.status_code == 200
    assert str(run) in str(answer.headers)
    assert "Dry run under way" in caller.get(f"/app/bulk-actions/{run}").text
    jobs.check(str(shop.id), str(run))
    page = caller.get(f"/app/bulk-actions/{run}").text
    assert "No member has this e-mail or id." in page
    plan = page.split('name="plan" value="')[1].split('"')[0]
    assert caller.submit(f"/app/bulk-actions/{run}/start", {"plan": "another"}).status_code == 409
    assert caller.submit(f"/app/bulk-actions/{run}/start", {"plan": plan}).status_code == 200
    jobs.run_rows(str(shop.id), str(run))
    page = caller.get(f"/app/bulk-actions/{run}").text
    assert "Take one row back?" in page and "Cost of these points" in page
    assert caller.submit(f"/app/bulk-actions/{run}/start", {"plan": plan}).status_code == 409
    assert caller.submit(f"/app/bulk-actions/{run}/undo", {}).status_code == 200
    jobs.undo_rows(str(shop.id), str(run))
    page = caller.get(f"/app/bulk-actions/{run}").text
    assert "Taken back" in page and "Cost of these points" not in page, "nothing stands that costs"


def test_a_file_that_cannot_be_read_is_refused_at_its_field(shop: TestShop, call_as: Call) -> None:
    answer = upload(call_as(staff(shop.id)), b"name,points\nAda,5\n")
    assert answer.status_code == 422
    assert "No column says whom to choose." in answer.text


def test_who_may_not_do_it_to_one_may_not_do_it_to_many(shop: TestShop, call_as: Call) -> None:
    reader = call_as(staff(shop.id, ALL - {Permission.POINTS_ADJUST}))
    assert upload(reader, b"m1@example.com,5\n").status_code == 403
    assert upload(call_as(staff(shop.id, ALL - {Permission.BULK_WRITE})), b"x@y.z,5\n").status_code == 403


def test_a_chosen_few_are_never_everybody(shop: TestShop, call_as: Call) -> None:
    fields = {"kind": "award", "who": "chosen", "points": "5", "reason": "promotion"}
    assert call_as(staff(shop.id)).submit("/app/bulk-actions/new/create", fields).status_code == 422


def test_a_program_prepares_reads_and_starts(shop: TestShop, call_as: Call) -> None:
    enroll(shop)
    caller, path = call_as(api_key(shop.id)), "/api/loyalty-referral/bulk-actions"
    body = {
        "kind": "award",
        "reason": "spring",
        "points": 5,
        "rows": [{"member": "m1@example.com"}, {"member": "9"}],
    }
    run = caller.post(path, json=body).get_json()["run"]
    assert run["status"] == "checking"
    jobs.check(str(shop.id), run["id"])
    run = caller.get(f"{path}/{run['id']}").get_json()["run"]
    assert (run["accepted"], run["refused"]) == (1, 1)
    rows = caller.get(f"{path}/{run['id']}/rows").get_json()["rows"]
    assert [row["problem"] for row in rows] == [None, "unknown"]
    started = caller.post(f"{path}/{run['id']}/start", json={"plan": run["plan"]}).get_json()["run"]
    assert started["status"] == "running"
    assert caller.get(f"{path}/{run['id']}/report.csv").status_code == 200


LETTER = {"kind": "email", "who": "filter", "reason": "promotion", "status": "active", "points_from": "0"}


def test_a_letter_reaches_each_member_in_their_language(shop: TestShop, call_as: Call) -> None:
    enroll(shop)
    with shop.work() as uow:
        uow.execute("UPDATE members SET email_consent = 'subscribed'")
        uow.execute("UPDATE members SET locale = 'ar' WHERE customer_id = 1")
        uow.execute("UPDATE members SET locale = 'he' WHERE customer_id = 2")
    words = {"subjects.en": "News", "texts.en": "Come in", "subjects.ar": "أخبار", "texts.ar": "أهلًا بكم"}
    caller = call_as(staff(shop.id))
    assert caller.submit("/app/bulk-actions/new/create", LETTER | words).status_code == 200
    run = only_run(shop)
    jobs.check(str(shop.id), str(run))
    page = caller.get(f"/app/bulk-actions/{run}").text
    assert "أهلًا بكم" in page and "Come in" in page and "Send 3 e-mails" in page
    assert "Available points from" in page, "an approver sees for whom it is"
    plan = page.split('name="plan" value="')[1].split('"')[0]
    caller.submit(f"/app/bulk-actions/{run}/start", {"plan": plan})
    jobs.run_rows(str(shop.id), str(run))
    with shop.work() as uow:
        told = uow.all("SELECT * FROM messages WHERE kind = 'invitation'")
        letters = [notifications.compose(uow, row, {"invitation_id": str(run)}) for row in told]
    assert not [one for one in letters if isinstance(one, str)], letters
    subjects = {one.locale: one.content.subject for one in letters if not isinstance(one, str)}
    assert subjects == {"en": "News", "ar": "أخبار", "he": "News"}


def test_a_letter_lacks_nothing_in_a_language_it_is_written_in(shop: TestShop, call_as: Call) -> None:
    caller = call_as(staff(shop.id))
    for words, field in (
        ({"subjects.ar": "أخبار", "texts.ar": "أهلًا"}, "subjects.en"),
        ({"subjects.en": "News", "texts.en": "Hi", "subjects.fr": "Infos"}, "texts.fr"),
        ({"subjects.en": "News", "texts.en": " "}, "texts.en"),
    ):
        answer = caller.submit("/app/bulk-actions/new/create", LETTER | words)
        assert answer.status_code == 422 and f'"{field}"' in answer.text
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM bulk_runs") == 0

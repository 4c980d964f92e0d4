import json
import shlex
from pathlib import Path

import psycopg
import pytest
import redis

from dev.data import DataFolder
from dev.failure import Refused
from dev.postgres import PostgresServer
from dev.services import LocalServices
from dev.translations import compile_catalogs
from tests.dev.running import dev


def exported(text: str) -> dict[str, str]:
    lines = [shlex.split(line)[1] for line in text.splitlines()]
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "data"
    dev("services", "--stop", "--data", str(tmp_path / "data"))


def begin(folder: Path) -> dict[str, str]:
    done = dev("services", "--data", str(folder))
    assert done.returncode == 0, done.stderr
    return exported(done.stdout)


def test_services_keep_their_data_from_one_start_to_the_next(folder):
    first = begin(folder)
    with psycopg.connect(first["DATABASE_OWNER_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with redis.Redis.from_url(first["REDIS_URL"]) as client:
        client.set("kept", "yes")
    assert dev("services", "--stop", "--data", str(folder)).returncode == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(first["DATABASE_OWNER_URL"])
    second = begin(folder)
    assert second["MASTER_KEY"] == first["MASTER_KEY"]
    with psycopg.connect(second["DATABASE_OWNER_URL"]) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    with redis.Redis.from_url(second["REDIS_URL"]) as client:
        assert client.get("kept") == b"yes"


def test_a_crash_is_recovered_from(folder):
    first = begin(folder)
    with psycopg.connect(first["DATABASE_OWNER_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    data = DataFolder(folder)
    server = LocalServices(data).postgres
    server.kill()
    assert (data.postgres / "postmaster.pid").exists()
    # A process id that now belongs to somebody else must not keep the server from starting.
    lines = (data.postgres / "postmaster.pid").read_text().splitlines()
    (data.postgres / "postmaster.pid").write_text("\n".join(["1", *lines[1:]]) + "\n")
    second = begin(folder)
    with psycopg.connect(second["DATABASE_OWNER_URL"]) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_second_start_uses_what_runs(folder):
    assert begin(folder) == begin(folder)


def test_the_application_role_owns_nothing_and_is_bound_by_policies(folder):
    urls = begin(folder)
    with psycopg.connect(urls["DATABASE_URL"]) as connection:
        found = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, has_schema_privilege('public', 'CREATE'),"
            " pg_has_role('loyalnest_owner', 'MEMBER') FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert found == (False, False, False, False, False, False)


def test_secrets_are_for_the_owner_only_and_keys_stay(folder):
    begin(folder)
    path = folder / "secrets.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == DataFolder(folder).secrets


def test_a_borrowed_server_is_stopped_by_its_last_user(folder):
    data = DataFolder(folder)
    data.prepare()
    local = LocalServices(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL")
        patch.delenv("REDIS_URL")
        with local.borrowed() as outer:
            with local.borrowed() as inner:
                assert inner == outer
            assert local.postgres.running() is not None
        assert local.postgres.running() is None and local.valkey.running() is None


def test_a_folder_that_is_no_cluster_is_left_alone(tmp_path):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "precious").write_text("text")
    with pytest.raises(Refused, match="holds no PostgreSQL cluster"):
        PostgresServer(tmp_path / "postgres", tmp_path / "log", "secret").prepare()
    assert (tmp_path / "postgres" / "precious").exists()


def test_catalogs_are_compiled_once(tmp_path):
    source = tmp_path / "es" / "LC_MESSAGES" / "messages.po"
    source.parent.mkdir(parents=True)
    source.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Points"\nmsgstr "Puntos"\n'
    )
    assert (compile_catalogs(tmp_path), compile_catalogs(tmp_path)) == (1, 0)
    assert b"Puntos" in source.with_suffix(".mo").read_bytes()

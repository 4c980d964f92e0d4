"""The two database roles: the owner that migrates and the application that may not."""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from dev.failure import Refused

OWNER = "loyalnest_owner"
APPLICATION = "loyalnest_app"
DATABASE = "loyalnest"


@dataclass(frozen=True)
class DatabaseUrls:
    """One database seen by its owner and by the application."""

    owner: str
    application: str


def with_login(url: str, role: str, password: str, database: str | None = None) -> str:
    """The same server with another login and, when given, another database."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    path = f"/{database}" if database else parts.path
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password, safe='')}@{place}", path=path))


def with_database(url: str, database: str) -> str:
    """The same login on another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def ensure_role(connection: "psycopg.Connection[tuple[object, ...]]", role: str, password: str) -> None:
    """Create the role or set its password; it can log in and nothing more."""
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    statement = sql.SQL(
        "{verb} ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD {password}"
    )
    if known:
        statement = sql.SQL("{verb} ROLE {role} LOGIN PASSWORD {password}")
    connection.execute(
        statement.format(
            verb=sql.SQL("ALTER" if known else "CREATE"),
            role=sql.Identifier(role),
            password=sql.Literal(password),
        )
    )


def ensure_database(admin_url: str, secrets: dict[str, str], database: str = DATABASE) -> DatabaseUrls:
    """Make sure of both roles and of a database owned by the owner. `admin_url` is a superuser's."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        ensure_role(connection, OWNER, secrets["owner_password"])
        ensure_role(connection, APPLICATION, secrets["app_password"])
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), sql.Identifier(OWNER))
            )
    return DatabaseUrls(
        owner=with_login(admin_url, OWNER, secrets["owner_password"], database),
        application=with_login(admin_url, APPLICATION, secrets["app_password"], database),
    )


def adopt_database(given_url: str, secrets: dict[str, str]) -> DatabaseUrls:
    """Use a database somebody else runs. A login that may create roles becomes the owner's side and gets an
    application role; any other login serves as both. Raises Refused when the database does not answer."""
    try:
        with psycopg.connect(given_url, autocommit=True, connect_timeout=5) as connection:
            found = connection.execute(
                "SELECT rolsuper, rolcreaterole, current_database() FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            superuser, creates_roles, database = found or (False, False, "")
            if not (superuser or creates_roles):
                return DatabaseUrls(owner=given_url, application=given_url)
            ensure_role(connection, APPLICATION, secrets["app_password"])
            owner = given_url
            if superuser:
                ensure_role(connection, OWNER, secrets["owner_password"])
                statement = sql.SQL("ALTER DATABASE {} OWNER TO {}")
                connection.execute(statement.format(sql.Identifier(str(database)), sql.Identifier(OWNER)))
                owner = with_login(given_url, OWNER, secrets["owner_password"])
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        raise Refused(f"The database of DATABASE_URL does not answer: {reason}") from error
    return DatabaseUrls(owner=owner, application=with_login(given_url, APPLICATION, secrets["app_password"]))

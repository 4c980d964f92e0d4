"""ID tokens, and the access tokens they are exchanged for."""

import secrets
import time
import uuid
from dataclasses import dataclass

import jwt

from devstore import shops
from devstore.runtime import DevStore

ACCESS_SECONDS = 3600
REFRESH_SECONDS = 90 * 86400
REUSE_SECONDS = 30 * 86400
CODE_SECONDS = 60
ID_SECONDS = 60


class GrantRefused(Exception):
    """The token endpoint's `error` and `error_description`."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True)
class Access:
    """A usable access token."""

    token: str
    shop: str
    scopes: tuple[str, ...]
    mode: str


def id_token(store: DevStore, shop: str, user: str | None = None, seconds: int = ID_SECONDS) -> str:
    """A signed ID token of a staff user (default: the owner) as App Bridge hands it out. Raises Refused (404)."""
    now = int(time.time())
    claims = {
        "iss": f"https://{shop}/admin",
        "dest": f"https://{shop}",
        "aud": store.settings.api_key,
        "sub": user or str(shops.get(store, shop)["staff_id"]),
        "exp": now + seconds,
        "nbf": now,
        "iat": now,
        "jti": str(uuid.uuid4()),
        "sid": uuid.uuid4().hex,
        "sig": secrets.token_hex(32),
    }
    return jwt.encode(claims, store.settings.api_secret, algorithm="HS256")


def customer_token(store: DevStore, shop: str, customer_id: int | None) -> str:
    """The token that checkout and customer-account extensions get; `sub` only for a customer who is logged in."""
    now = int(time.time())
    claims: dict[str, object] = {
        "dest": shop,
        "aud": store.settings.api_key,
        "exp": now + 300,
        "nbf": now,
        "iat": now,
        "jti": str(uuid.uuid4()),
    }
    if customer_id is not None:
        claims["sub"] = f"gid://shopify/Customer/{customer_id}"
    return jwt.encode(claims, store.settings.api_secret, algorithm="HS256")


def read_id_token(store: DevStore, shop: str, token: object) -> str:
    """The staff user of an exchangeable ID token of this shop. Raises GrantRefused."""
    refused = GrantRefused("invalid_subject_token", "The subject token is invalid or expired")
    if not isinstance(token, str):
        raise refused
    try:
        claims = jwt.decode(
            token,
            store.settings.api_secret,
            algorithms=["HS256"],
            audience=store.settings.api_key,
            options={"require": ["exp", "nbf", "iss", "dest", "sub", "jti", "sid"]},
        )
    except jwt.PyJWTError as error:
        raise refused from error
    if claims["dest"] != f"https://{shop}":
        raise refused
    return str(claims["sub"])


def grant(store: DevStore, shop: str, *, expiring: bool, parent: str | None = None) -> dict[str, object]:
    """A new offline token for an installed shop, as the endpoint answers it."""
    scope = ",".join(shops.get(store, shop)["scopes"])
    token = f"shpat_{secrets.token_hex(16)}"
    now = time.time()
    with store.state.transaction():
        expires = now + ACCESS_SECONDS if expiring else None
        store.state.run(
            "INSERT INTO access_tokens VALUES (?, ?, ?, 'offline', ?)", (token, shop, scope, expires)
        )
        if not expiring:
            return {"access_token": token, "scope": scope}
        refresh = f"shprt_{secrets.token_hex(16)}"
        store.state.run(
            "INSERT INTO refresh_tokens (token, shop, parent, expires) VALUES (?, ?, ?, ?)",
            (refresh, shop, parent, now + REFRESH_SECONDS),
        )
    return {
        "access_token": token,
        "scope": scope,
        "expires_in": ACCESS_SECONDS,
        "refresh_token": refresh,
        "refresh_token_expires_in": REFRESH_SECONDS,
    }


def grant_online(store: DevStore, shop: str, user: str) -> dict[str, object]:
    """An online token: one staff user, one day, no refresh."""
    found = shops.get(store, shop)
    scope, token = ",".join(found["scopes"]), f"shpua_{secrets.token_hex(16)}"
    seconds = 86399
    store.state.run(
        "INSERT INTO access_tokens VALUES (?, ?, ?, 'online', ?)", (token, shop, scope, time.time() + seconds)
    )
    return {
        "access_token": token,
        "scope": scope,
        "expires_in": seconds,
        "associated_user_scope": scope,
        "associated_user": {
            "id": int(user) if user.isdigit() else 0,
            "first_name": "Shop",
            "last_name": "Owner",
            "email": found["email"],
            "email_verified": True,
            "account_owner": True,
            "locale": found["locale"],
            "collaborator": False,
        },
    }


def refresh(store: DevStore, shop: str, token: object) -> dict[str, object]:
    """A new pair for a refresh token. The token before stays usable until its replacement is used for the first time,
    and for 30 days after its own first use at most. Raises GrantRefused."""
    now = time.time()
    with store.state.transaction():
        rows = store.state.run("SELECT * FROM refresh_tokens WHERE token = ? AND shop = ?", (token, shop))
        row = rows[0] if rows else None
        if (
            row is None
            or row["superseded"]
            or row["expires"] <= now
            or (row["first_used"] is not None and row["first_used"] + REUSE_SECONDS <= now)
        ):
            raise GrantRefused(
                "invalid_grant", "The refresh token is invalid, expired, revoked or already replaced"
            )
        if row["first_used"] is None:
            store.state.run("UPDATE refresh_tokens SET first_used = ? WHERE token = ?", (now, token))
            if row["parent"]:
                # The parent, and what else was given for it when an answer got lost, end with this first use.
                store.state.run(
                    "UPDATE refresh_tokens SET superseded = 1 WHERE token = ?1 OR (parent = ?1 AND token <> ?2)",
                    (row["parent"], token),
                )
        return grant(store, shop, expiring=True, parent=str(token))


def migrate(store: DevStore, shop: str, token: object) -> dict[str, object]:
    """An expiring token for a non-expiring one, which ends with it. Raises GrantRefused."""
    with store.state.transaction():
        removed = store.state.changed(
            "DELETE FROM access_tokens WHERE token = ? AND shop = ? AND mode = 'offline' AND expires IS NULL",
            (token, shop),
        )
        if not removed:
            raise GrantRefused(
                "invalid_subject_token", "The subject token is not a non-expiring offline token"
            )
        return grant(store, shop, expiring=True)


def new_code(store: DevStore, shop: str, scope: str) -> str:
    """A single-use code for the classic authorization-code grant."""
    code = secrets.token_hex(16)
    store.state.run("INSERT INTO codes VALUES (?, ?, ?, ?)", (code, shop, scope, time.time() + CODE_SECONDS))
    return code


def redeem_code(store: DevStore, shop: str, code: object, *, expiring: bool) -> dict[str, object]:
    """A token for a code. Raises GrantRefused."""
    with store.state.transaction():
        used = store.state.changed(
            "DELETE FROM codes WHERE code = ? AND shop = ? AND expires > ?", (code, shop, time.time())
        )
        if not used:
            raise GrantRefused("invalid_request", "The authorization code was not found or was already used")
        return grant(store, shop, expiring=expiring)


def check(store: DevStore, shop: str, token: str) -> Access | None:
    """The access behind a token of this shop; None when it is unknown or expired."""
    rows = store.state.run("SELECT * FROM access_tokens WHERE token = ? AND shop = ?", (token, shop))
    if not rows or (rows[0]["expires"] is not None and rows[0]["expires"] <= time.time()):
        return None
    return Access(token, shop, tuple(filter(None, rows[0]["scope"].split(","))), rows[0]["mode"])


def revoke(store: DevStore, shop: str) -> None:
    """End every token of a shop."""
    for table in ("access_tokens", "refresh_tokens", "codes"):
        store.state.run(f"DELETE FROM {table} WHERE shop = ?", (shop,))


def expire(store: DevStore, shop: str, *, refresh_too: bool) -> None:
    """Let every access token of a shop expire now, and the refresh tokens when asked."""
    store.state.run("UPDATE access_tokens SET expires = 0 WHERE shop = ? AND expires IS NOT NULL", (shop,))
    if refresh_too:
        store.state.run("UPDATE refresh_tokens SET expires = 0 WHERE shop = ?", (shop,))

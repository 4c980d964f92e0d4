"""Operator commands: `python -m app.cli <verb>`. Prints what was asked for and nothing else."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from app.core.db import Actor, unit_of_work
from app.core.errors import LoyalNestError
from app.core.migrations import upgrade


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code is 0 on success, 1 when it was refused, 2 when it was misspelled."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (LoyalNestError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="app.cli", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)

    def verb(name: str, run: object, about: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=about, description=about)
        added.set_defaults(run=run)
        return added

    verb("migrate", _migrate, "bring the schema to the newest version")
    verb("shops", _shops, "list the shops that ever installed")
    erase = verb("erase-shop", _erase_shop, "erase everything of an uninstalled shop")
    erase.add_argument("--shop", required=True, help="its myshopify.com domain")
    erase.add_argument("--yes", action="store_true", required=True, help="there is no way back")
    verb("drain-once", _drain_once, "handle every waiting webhook and outside work, then stop")
    openapi = verb(
        "openapi", _openapi, "print the OpenAPI document, or write it to a file with permissions.md beside it"
    )
    openapi.add_argument("--out", type=Path)
    verb("routes", _routes, "list endpoints, tabs, pages and actions with their permissions")
    verb("tabs", _tabs, "list the tabs of the admin in menu order")
    verb("jobs", _jobs, "list jobs with their queues, and when the periodic ones run")
    verb("events", _events, "list events with who hears them, and webhook topics with who handles them")
    _add_api_key(verbs)
    ledger = verb("ledger", _ledger, "recompute the points ledger and name what does not add up")
    ledger.add_argument("what", choices=("verify",))
    ledger.add_argument("--shop", help="myshopify.com domain; every shop without it")
    ledger.add_argument(
        "--since", type=datetime.fromisoformat, help="only members with entries from then on (UTC)"
    )
    liability = verb(
        "liability", _liability, "compare stored months of points liability with the ledger, or add them anew"
    )
    liability.add_argument("what", choices=("verify", "rebuild"))
    liability.add_argument("--shop", required=True, help="myshopify.com domain")
    return parser


def _add_api_key(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    group = verbs.add_parser("api-key", help="make, list and revoke API keys")
    keys = group.add_subparsers(dest="what", required=True)
    create = keys.add_parser("create", help="make a key and print it; it is shown this once")
    create.add_argument("--shop", required=True, help="myshopify.com domain")
    create.add_argument("--scopes", required=True, help="`all`, or permissions separated by commas")
    create.add_argument("--label", default="Made on the command line")
    create.set_defaults(run=_create_key)
    listing = keys.add_parser("list", help="list a shop's keys")
    listing.add_argument("--shop", required=True, help="myshopify.com domain")
    listing.set_defaults(run=_list_keys)
    revoke = keys.add_parser("revoke", help="let a key stop working")
    revoke.add_argument("--shop", required=True, help="myshopify.com domain")
    revoke.add_argument("id", type=UUID)
    revoke.set_defaults(run=_revoke_key)


def _migrate(_: argparse.Namespace) -> None:
    upgrade()


def _shops(_: argparse.Namespace) -> None:
    from app.domains.shops import service

    for row in service.list_directory():
        print(row["domain"], row["status"], row["shop_id"], sep="\t")


def _shop_id(text: str) -> UUID:
    """The shop of a domain as a person writes it. Raises ShopNotFound."""
    from app.domains.shops import errors, service
    from app.shopify import shop_domain

    entry = service.look_up(shop_domain.require(text.strip()))
    if entry is None:
        raise errors.ShopNotFound()
    return entry.shop_id


def _erase_shop(options: argparse.Namespace) -> None:
    from app.domains.shops import errors, service

    _load()
    shop_id = _shop_id(options.shop)
    with unit_of_work(shop_id) as uow:
        if not service.mark_erased(uow):
            raise errors.ShopIsLive()
    for table, rows in service.erase(shop_id).items():
        print(table, rows, sep="\t")


def _drain_once(_: argparse.Namespace) -> None:
    from app.core import inbox, outbox

    _load()
    print(inbox.drain_all(), outbox.drain(), sep="\t")


def _create_key(options: argparse.Namespace) -> None:
    from app.domains.shops import service

    _load()
    scopes = [name.strip() for name in options.scopes.split(",") if name.strip()]
    with unit_of_work(_shop_id(options.shop), actor=_me()) as uow:
        service.get(uow)
        made = service.create_api_key(uow, options.label, scopes)
    print(made.secret)


def _list_keys(options: argparse.Namespace) -> None:
    from app.domains.shops import service

    with unit_of_work(_shop_id(options.shop), actor=_me()) as uow:
        for key in service.list_api_keys(uow):
            state = "revoked" if key.revoked else "active"
            print(key.id, state, f"…{key.last_four}", key.label, ",".join(key.scopes), sep="\t")


def _revoke_key(options: argparse.Namespace) -> None:
    from app.domains.shops import service

    _load()
    with unit_of_work(_shop_id(options.shop), actor=_me()) as uow:
        service.revoke_api_key(uow, options.id)


def _ledger(options: argparse.Namespace) -> None:
    """Raises ValueError when something does not add up, so that the exit code says so."""
    from app.domains.points import service
    from app.domains.shops import service as shops

    _load()
    since = options.since.replace(tzinfo=options.since.tzinfo or UTC) if options.since else None
    listed = [_shop_id(options.shop)] if options.shop else shops.installed()
    broken = 0
    for shop_id in listed:
        result = service.verify(shop_id, since=since)
        print(
            f"{shop_id}: {result.members} members, {result.entries} entries, {len(result.findings)} findings"
        )
        for found in result.findings:
            print(f"  {found.law}: member {found.member_id}, entry {found.entry_id}, number {found.seq}")
        broken += len(result.findings)
    if broken:
        raise ValueError(f"the ledger does not add up for {broken} members")


def _liability(options: argparse.Namespace) -> None:
    """Raises ValueError when months differ from the ledger, so that the exit code says so."""
    from app.domains.liability import service

    _load()
    shop = _shop_id(options.shop)
    if options.what == "rebuild":
        with unit_of_work(shop, actor=_me()) as uow:
            months = service.closed_months(uow)
        for month in months:
            with unit_of_work(shop, actor=_me()) as uow:
                service.rebuild(uow, month)
    with unit_of_work(shop, actor=_me()) as uow:
        differences = service.verify(uow)
    for one in differences:
        print(one.month, one.what, f"stored {one.stored}", f"ledger {one.ledger}", sep="\t")
    if differences:
        raise ValueError(f"{len(differences)} sums differ from the ledger")


def _me() -> Actor:
    return Actor("operator", "cli", "command line")


def _load() -> None:
    """Let every domain register its handlers: what happens here is heard as in the other processes."""
    from app.factory import BACKGROUND_MODULES, load_domains

    load_domains(BACKGROUND_MODULES)


def _openapi(options: argparse.Namespace) -> None:
    import orjson

    from app.factory import load_domains
    from app.web import tabs
    from app.web.endpoints import registry
    from app.web.openapi import openapi_document, write_openapi
    from app.web.permission_matrix import write_permission_matrix

    load_domains()
    if options.out is not None:
        write_openapi(options.out, registry())
        write_permission_matrix(options.out.with_name("permissions.md"), registry(), tabs.registry())
    else:
        print(orjson.dumps(openapi_document(registry()), option=orjson.OPT_INDENT_2).decode())


def _routes(_: argparse.Namespace) -> None:
    from app.factory import load_domains
    from app.web import endpoints, tabs

    load_domains()
    declared = tabs.registry()
    rows = [(one.method, one.path, str(one.permission or "public")) for one in endpoints.registry()]
    rows += [("GET", one.path, str(one.permission)) for one in declared]
    rows += [("GET", declared.path_of(one), str(one.permission)) for one in declared.pages.values()]
    rows += [("POST", declared.path_of(one), str(one.permission)) for one in declared.actions.values()]
    for method, path, permission in sorted(rows, key=lambda row: (row[1], row[0])):
        print(method, path, permission, sep="\t")


def _tabs(_: argparse.Namespace) -> None:
    from app.admin_menu import GROUPS
    from app.factory import load_domains
    from app.web.tabs import registry

    load_domains()
    declared = registry().tabs
    for group in GROUPS:
        for key in group.tabs:
            state = str(declared[key].permission) if key in declared else "not declared"
            print(group.key, key, state, sep="\t")


def _jobs(_: argparse.Namespace) -> None:
    from app.core.jobs import registered
    from app.schedule import PERIODIC

    _load()
    when = {entry.job: entry.cron for entry in PERIODIC}
    for name, job in sorted(registered().items()):
        print(name, job.queue, when.get(name, "on demand"), sep="\t")


def _events(_: argparse.Namespace) -> None:
    from app.core import events, inbox

    _load()
    for kind, handlers in sorted(events.subscriptions().items(), key=lambda pair: pair[0].__name__):
        print(kind.__name__, ", ".join(f"{one.__module__}.{one.__name__}" for one in handlers), sep="\t")
    for topic in sorted(inbox.registered_topics()):
        print(topic, "webhook", sep="\t")


if __name__ == "__main__":
    sys.exit(main())

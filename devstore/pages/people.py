"""The demo people: two of the staff and five shoppers who speak the five languages."""

from devstore import customers, shops
from devstore.runtime import DevStore
from devstore.state import Doc

# first name, last name, language, birthday
SHOPPERS = (
    ("Noura", "Haddad", "ar", "1991-03-14"),
    ("Camille", "Laurent", "fr", "1988-07-02"),
    ("Ana", "Molina", "es", "1995-11-23"),
    ("Yael", "Shapira", "he", "1990-01-30"),
    ("Grace", "Miller", "en", "1985-09-09"),
)
STAFF = (("Maya", "Okafor", "owner"), ("Owen", "Reed", "manager"))


def email_of(first_name: str) -> str:
    """The address of a demo person."""
    return f"{first_name.lower()}@shoppers.example"


def staff_of(store: DevStore, shop: Doc) -> list[Doc]:
    """A shop's staff, the owner first: {id, first_name, last_name, role}."""
    with store.state.transaction():
        known = store.state.all("staff", shop["domain"])
        if not known:
            for position, (first, last, role) in enumerate(STAFF):
                id = shop["staff_id"] if position == 0 else store.state.next_id()
                one = {"id": id, "first_name": first, "last_name": last, "role": role}
                store.state.put("staff", shop["domain"], one)
                known.append(one)
    return known


def seed_shoppers(store: DevStore, shop: str) -> None:
    """Make sure that the demo shoppers exist in a shop."""
    with store.state.transaction():
        for first, last, locale, birthday in SHOPPERS:
            if customers.by_email(store, shop, email_of(first)) is None:
                customers.add(
                    store,
                    shop,
                    email=email_of(first),
                    first_name=first,
                    last_name=last,
                    locale=locale,
                    birthday=birthday,
                )


def seed_installed(store: DevStore, shop: str) -> None:
    """The same when the app is installed there; before that nobody would hear of them."""
    found = shops.find(store, shop)
    if found is not None and found["installed_at"]:
        seed_shoppers(store, shop)

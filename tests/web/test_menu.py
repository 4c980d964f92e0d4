"""What the command search offers beside the tabs."""

from app.core.permissions import Permission
from app.web.menu import shortcuts_for
from app.web.tabs import TabRegistry, tab, tab_page, use_registry


def test_shortcuts_are_permitted_pages_about_no_single_record() -> None:
    def view() -> dict[str, str]:
        return {}

    def new() -> dict[str, str]:
        return {}

    def one(id: str) -> dict[str, str]:
        return {"id": id}

    def piece() -> dict[str, str]:
        return {}

    def secret() -> dict[str, str]:
        return {}

    read, write = Permission.MEMBERS_READ, Permission.MEMBERS_WRITE
    with use_registry(TabRegistry()) as tabs:
        tab("things", title="Things", group="manage", icon="gift", permission=read)(view)
        tab_page("things", "/new", "a/new.html", title="New thing", permission=read)(new)
        tab_page("things", "/<uuid:id>", "a/one.html", title="Thing", permission=read)(one)
        tab_page("things", "/piece", "a/_piece.html", title="Piece", permission=read)(piece)
        tab_page("things", "/secret", "a/secret.html", title="Secret", permission=write)(secret)
    found = shortcuts_for(tabs, frozenset({read}))
    assert [(one.title, one.url, one.icon) for one in found] == [("New thing", "/app/things/new", "gift")]
    both = shortcuts_for(tabs, frozenset({read, write}))
    assert [one.title for one in both] == ["New thing", "Secret"]

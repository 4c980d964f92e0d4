"""The admin menu as a page shows it: ordered groups of the tabs this staff member may open."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from babel.support import NullTranslations

from app.core.permissions import Permission
from app.web.locale import catalog, translated
from app.web.tabs import HOME, Tab, TabPage, TabRegistry, path_names


@dataclass(frozen=True, slots=True, eq=False)
class MenuGroup:
    """A group as the wiring orders it. `title` is a marked sentence, `tabs` are keys."""

    key: str
    title: str
    icon: str
    tabs: Sequence[str]


@dataclass(frozen=True, slots=True)
class MenuTab:
    """A tab in the menu, in the reader's language."""

    key: str
    title: str
    icon: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class MenuSection:
    """A group in the menu. `url` is its first tab."""

    key: str
    title: str
    icon: str
    url: str
    current: bool
    tabs: list[MenuTab] = field(default_factory=list)


def menu_for(
    groups: tuple[MenuGroup, ...], tabs: TabRegistry, permissions: frozenset[Permission], here: Tab | None
) -> list[MenuSection]:
    """The sections a caller sees; groups without a permitted, declared tab are left out."""
    return _sections(catalog(), groups, tabs, permissions, here)


@lru_cache(maxsize=1_024)
def _sections(
    _: NullTranslations,
    groups: tuple[MenuGroup, ...],
    tabs: TabRegistry,
    permissions: frozenset[Permission],
    here: Tab | None,
) -> list[MenuSection]:
    """The menu of a language, a role and an open tab: the same for every shop."""
    found = []
    for group in groups:
        known = [tabs.tabs[key] for key in group.tabs if key in tabs.tabs]
        opened = here is not None and here.group == group.key
        entries = [
            MenuTab(tab.key, translated(tab.title), tab.icon, tab.path, tab is here)
            for tab in known
            if tab.permission in permissions
        ]
        if entries:
            title = translated(group.title)
            found.append(MenuSection(group.key, title, group.icon, entries[0].url, opened, entries))
    return found


def shortcuts_for(tabs: TabRegistry, permissions: frozenset[Permission]) -> list[MenuTab]:
    """The pages that the command search offers beside the tabs: those that are about no single record."""
    return [
        MenuTab(page.name, translated(page.title), tabs.tabs[page.key].icon, tabs.path_of(page), False)
        for page in tabs.pages.values()
        if page.permission in permissions and not path_names(page.path) and not _is_piece(page)
    ]


def _is_piece(page: TabPage) -> bool:
    return page.template.rpartition("/")[2].startswith("_")


def differences(groups: Sequence[MenuGroup], tabs: TabRegistry) -> list[str]:
    """What the menu lists and nobody declared, or the other way round, or in another group; empty when they agree."""
    listed = {key: group.key for group in groups for key in group.tabs}
    found = [f"{key} is in the menu and not declared" for key in listed if key not in tabs.tabs]
    found.extend(
        f"{tab.key} is declared in {tab.group} and listed in {listed.get(tab.key, 'no group')}"
        for tab in tabs
        if tab.key != HOME and listed.get(tab.key) != tab.group
    )
    return found

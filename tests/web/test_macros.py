"""The macros, seen through the style guide: nesting, names, labels, and what the content security policy forbids."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from jinja2 import Environment, FileSystemLoader

from app.core.i18n import mark_plural
from app.web import list_parts
from app.web.addresses import address
from app.web.bars import BARS
from app.web.buttons import BUTTONS
from app.web.date_range import DateRange, chosen, presets
from app.web.dialogs import modal
from app.web.list_parts import LIST_PARTS
from app.web.marks import MARKS
from app.web.styleguide import UNREAD, sample_list
from app.web.tables import table_columns, table_head, table_rows

ROOT = Path(__file__).parents[2]
STYLES = sorted((ROOT / "static/css").glob("*.css"))
SCRIPTS = sorted(path for path in (ROOT / "static/js").glob("*.js"))
MACROS = sorted((ROOT / "templates/macros").glob("*.html"))
VOID = frozenset(
    {
        "area",
        "br",
        "col",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
    }
)
DRAWN = frozenset(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static/icons/sprite.svg").read_text()))
PHRASES_ONLY = frozenset({"p", "h1", "h2", "h3", "button", "label", "summary"})
BLOCKS = frozenset(
    {
        "div",
        "p",
        "ul",
        "ol",
        "dl",
        "table",
        "form",
        "section",
        "header",
        "nav",
        "h1",
        "h2",
        "h3",
        "fieldset",
    }
)
PRESSABLE = frozenset({"a", "button", "summary"})


class Node:
    """An element with its attributes, children and text."""

    def __init__(self, tag: str, attributes: dict[str, str | None], parent: "Node | None") -> None:
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.children: list[Node] = []
        self.text = ""

    def walk(self) -> "list[Node]":
        """This element and all below it."""
        return [self, *(found for child in self.children for found in child.walk())]

    def above(self) -> "list[Node]":
        """The elements around this one, the nearest first."""
        return [self.parent, *self.parent.above()] if self.parent else []

    def words(self) -> str:
        """What assistive technology reads of the content."""
        if self.attributes.get("aria-hidden") == "true":
            return ""
        own = self.attributes.get("aria-label") or self.attributes.get("alt") or self.text
        return " ".join([own or "", *(child.words() for child in self.children)]).strip()


class Tree(HTMLParser):
    """Builds nodes and notes every end tag that does not close the open element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.root = Node("root", {}, None)
        self.open = self.root
        self.mistakes: list[str] = []
        self.feed(html)
        self.close()
        if self.open is not self.root:
            self.mistakes.append(f"<{self.open.tag}> is never closed")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        repeated = [name for name, count in Counter(name for name, _ in attrs).items() if count > 1]
        self.mistakes.extend(f"<{tag}> has {name} twice" for name in repeated)
        node = Node(tag, dict(attrs), self.open)
        self.open.children.append(node)
        if tag not in VOID:
            self.open = node

    def handle_endtag(self, tag: str) -> None:
        if self.open.tag != tag:
            self.mistakes.append(f"</{tag}> closes <{self.open.tag}> at {self.getpos()}")
            return
        self.open = self.open.parent or self.root

    def handle_data(self, data: str) -> None:
        self.open.text += data


def _number(value: float, decimals: int | None = None, signed: bool = False) -> str:
    return ("\u2212" if value < 0 else "+" if signed and value > 0 else "") + f"{abs(value):,}"


def _plain(value: object, style: str = "") -> str:
    return str(value)


def _page_url(name: str, **values: object) -> str:
    return f"/app/{name}"


def environment() -> Environment:
    """The templates without Flask, with plain stand-ins for the renderer's filters and functions."""
    found = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    found.filters.update(
        number=_number,
        points=lambda value, signed=False, unit=False: _number(value, None, signed),
        money=lambda minor, currency, signed=False: f"{currency} {minor / 100:,.2f}",
        percent=lambda share, decimals=1, signed=False: f"{share:.{decimals}%}",
        date=_plain,
        datetime=_plain,
        reltime=_plain,
        isolated=_plain,
        joined=", ".join,
        choice_name=_plain,
    )
    found.globals.update(
        static_url=lambda path: f"/static/{path}?v=1",
        tab_url=lambda key, **query: f"/app/{key}",
        page_url=_page_url,
        action_url=_page_url,
        date_presets=presets,
        address_with=address,
        marks=MARKS,
        buttons=BUTTONS,
        list_parts=LIST_PARTS,
        bars=BARS,
        dialog=modal,
        mark_plural=mark_plural,
        choice_names=lambda of: {},
        table_columns=table_columns,
        table_head=table_head,
        table_rows=table_rows,
    )
    return found


@pytest.fixture(scope="module", autouse=True)
def request_of_somebody(app: Flask) -> Iterator[None]:
    """What is written in Python is written in the language of a request; this application has no pages of lists."""
    with app.test_request_context("/app"), pytest.MonkeyPatch.context() as patch:
        for name in ("page_url", "action_url"):
            patch.setattr(list_parts, name, _page_url)
        yield


def context(locale: str, theme: str = "light") -> SimpleNamespace:
    """The renderer's page context with two groups."""
    tabs = [
        SimpleNamespace(
            key="members",
            title="Members",
            icon="users",
            url="/app/members",
            current=True,
        ),
        SimpleNamespace(
            key="bulk-actions",
            title="Bulk actions",
            icon="layers",
            url="/app/bulk-actions",
            current=False,
        ),
    ]
    tools = [
        SimpleNamespace(
            key="webhooks",
            title="Webhooks",
            icon="webhook",
            url="/app/webhooks",
            current=False,
        )
    ]
    return SimpleNamespace(
        shop=SimpleNamespace(domain="a.myshopify.com", name="A", currency="USD", timezone="UTC"),
        staff=SimpleNamespace(name="Maya"),
        locale=locale,
        direction="rtl" if locale in ("ar", "he") else "ltr",
        theme=theme,
        api_key="key",
        app_bridge_url="https://bridge.example/app-bridge.js",
        menu=[
            SimpleNamespace(
                key="manage",
                title="Manage",
                icon="layers",
                url="/app/members",
                current=True,
                tabs=tabs,
            ),
            SimpleNamespace(
                key="tools",
                title="Tools",
                icon="plug",
                url="/app/webhooks",
                current=False,
                tabs=tools,
            ),
        ],
        group="manage",
        tab="members",
        path="/app/members",
        request_id="request-1",
        permissions=frozenset(),
        can=lambda permission: True,
        shortcuts=[
            SimpleNamespace(key="members.new", title="New member", icon="users", url="/app/members/new")
        ],
    )


def render(template: str, layout: str, locale: str = "en", **values: Any) -> str:
    """A template as the renderer would write it."""
    today = date(2026, 11, 20)
    shown = {"days": chosen(DateRange(), today), "today": today, "list": sample_list, "unread": UNREAD}
    given = {"query": DateRange(), "view": shown, "title": "Style guide", **values}
    return environment().get_template(template).render(ctx=context(locale), layout=layout, **given)


@pytest.fixture(
    scope="module",
    params=[
        (layout, locale)
        for layout in ("layouts/app.html", "layouts/fragment.html")
        for locale in ("en", "ar")
    ],
    ids=lambda param: f"{Path(param[0]).stem}-{param[1]}",
)
def guide(request: pytest.FixtureRequest) -> Tree:
    """The style guide in a layout and language."""
    layout, locale = request.param
    return Tree(render("styleguide.html", layout, locale))


def test_elements_nest(guide: Tree) -> None:
    """Every element is closed in order, ids are unique, and nothing stands where HTML would move it."""
    nodes = guide.root.walk()
    assert guide.mistakes == []
    ids = Counter(node.attributes["id"] for node in nodes if "id" in node.attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    for node in nodes:
        around = {outer.tag for outer in node.above()}
        assert not (node.tag in BLOCKS and around & PHRASES_ONLY), (
            node.tag,
            node.attributes,
            around,
        )
        assert not (node.tag in PRESSABLE and around & PRESSABLE), (
            node.tag,
            node.attributes,
        )
        assert not (node.tag == "form" and "form" in around), node.attributes
        assert not (node.tag == "li" and node.parent and node.parent.tag not in ("ul", "ol")), node.attributes


def test_nothing_breaks_the_content_policy(guide: Tree) -> None:
    """No inline style, script or handler, and no htmx feature that needs eval."""
    for node in guide.root.walk():
        assert node.tag != "style", node.attributes
        assert node.tag != "script" or node.attributes.get("src"), node.attributes
        for name, value in node.attributes.items():
            assert name != "style" and not name.startswith(("on", "hx-on")), (
                node.tag,
                name,
            )
            assert not (value or "").strip().lower().startswith(("js:", "javascript:")), (node.tag, name)
            assert not (name == "hx-trigger" and "[" in (value or "")), value


def test_controls_have_names(guide: Tree) -> None:
    """Fields have labels, things that can be pressed have words, groups and dialogs are named by something that exists."""
    nodes = guide.root.walk()
    ids = {node.attributes.get("id") for node in nodes}
    labelled = {node.attributes.get("for") for node in nodes if node.tag == "label"}
    for node in nodes:
        if (
            node.tag in ("input", "select", "textarea", "progress")
            and node.attributes.get("type") != "hidden"
        ):
            named = node.attributes.get("aria-label") or node.attributes.get("aria-labelledby")
            wrapped = any(outer.tag == "label" for outer in node.above())
            assert named or wrapped or node.attributes.get("id") in labelled, node.attributes
        if node.tag in PRESSABLE and "data-ok" not in node.attributes:
            assert node.words(), node.attributes
        for name in ("aria-labelledby", "aria-describedby", "aria-controls"):
            for target in (node.attributes.get(name) or "").split():
                assert target in ids or (name == "aria-controls" and target.startswith("palette")), (
                    name,
                    target,
                )


def test_pages_have_one_heading(guide: Tree) -> None:
    """Exactly one h1, which can take the focus."""
    headings = [node for node in guide.root.walk() if node.tag == "h1"]
    assert [node.attributes.get("tabindex") for node in headings] == ["-1"]


def test_icons_exist(guide: Tree) -> None:
    """Every icon on the page is in the sprite."""
    used = {
        (node.attributes.get("href") or "").partition("#")[2]
        for node in guide.root.walk()
        if node.tag == "use"
    }
    assert used and used - DRAWN == set()


def test_icons_named_anywhere_exist() -> None:
    """Every icon that a template or a tab names is in the sprite."""
    templates = "".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    tabs = "".join(path.read_text() for path in (ROOT / "app").rglob("tabs.py"))
    named = set(re.findall(r'icon(?:_button)?\("([a-z0-9-]+)"|icon_name="([a-z0-9-]+)"', templates))
    written = {name for pair in named for name in pair if name} | set(
        re.findall(r'icon="([a-z0-9-]+)"', tabs)
    )
    assert written - DRAWN == set()


def test_document_and_fragment_agree() -> None:
    """The fragment is the inside of the document's main element, with the app bar's present part beside it."""
    whole = render("styleguide.html", "layouts/app.html")
    part = render("styleguide.html", "layouts/fragment.html")
    content = part.split('<div class="page page-wide">')[1].split("<hx-partial")[0]
    assert content.strip() in whole
    assert '<hx-partial hx-target="#bar-tabs"' in part and "<html" not in part
    assert whole.index("https://bridge.example/app-bridge.js") < whole.index("/static/js/auth.js")


def test_overlay_pages_leave_the_page_alone() -> None:
    """A page that only fills the overlay sends no main content, so that htmx keeps what is there."""
    made = environment().from_string(
        '{% extends layout %}{% from "macros/overlays.html" import drawer %}'
        '{% block overlay %}{% call drawer("peek", "Noura") %}<p>4,820</p>{% endcall %}{% endblock %}'
    )
    part = made.render(ctx=context("en"), layout="layouts/fragment.html", title="Noura")
    assert 'class="page' not in part
    assert '<hx-partial hx-target="#overlay"' in part
    whole = made.render(ctx=context("en"), layout="layouts/app.html", title="Noura")
    assert 'hx-get="/app/members"' in whole and Tree(whole).mistakes == []


@pytest.mark.parametrize("status", [403, 404, 409, 429, 500, 503])
@pytest.mark.parametrize("template", ["errors/app.html", "errors/plain.html"])
def test_failures_say_what_to_do(status: int, template: str) -> None:
    """Error pages render for every status, with the request's id in a fold."""
    problem = SimpleNamespace(
        status=status,
        code="some_code",
        message="It failed.",
        fields={},
        permission="points:adjust",
    )
    tree = Tree(render(template, "layouts/app.html", problem=problem, title="It failed."))
    assert tree.mistakes == []
    assert "request-1" in tree.root.words()


def test_refused_form_keeps_what_was_typed() -> None:
    """A refused form shows the typed text, ties the sentence to the field and lets the first one take the focus."""
    made = environment().from_string(
        '{% from "macros/forms.html" import form %}{% import "macros/fields.html" as field %}'
        '{% call form(f, "Save", version=3) %}{{ field.points(f, "points", "Points", help="Whole points.") }}'
        '{{ field.localized(f, "name", "Name") }}{% endcall %}'
    )
    typed = {"points": "<many>", "name.ar": "نادي"}
    sentences = {"points": "Enter a whole number.", "name.he": "Fill in this field."}
    refused = SimpleNamespace(
        action="members.adjust",
        url="/app/members/adjust",
        errors=sentences,
        message="",
        refused=True,
        idempotency_key="k-1",
        value=lambda name, default="": typed.get(name, default),
        error=lambda name: sentences.get(name, ""),
    )
    nodes = {node.attributes.get("id"): node for node in Tree(made.render(f=refused)).root.walk()}
    points = nodes["members-adjust-points"]
    assert points.attributes["value"] == "<many>" and "data-autofocus" in points.attributes
    assert points.attributes["aria-describedby"] == "members-adjust-points-help members-adjust-points-error"
    assert nodes["members-adjust-points-error"].words() == "Enter a whole number."
    assert nodes["members-adjust-name-he-tab"].attributes["data-state"] == "refused"
    assert "hidden" not in nodes["members-adjust-name-he-panel"].attributes
    hidden = {
        n.attributes["name"]: n.attributes["value"]
        for n in nodes["members-adjust"].walk()
        if n.attributes.get("type") == "hidden"
    }
    assert hidden == {"idempotency_key": "k-1", "version": "3"}


def test_addresses_keep_the_filters_and_drop_the_cursor() -> None:
    """Sorting and paging links carry the filters; a removed filter and an old cursor are gone; values are quoted."""
    query = {
        "tier": "gold",
        "q": "a&b",
        "cursor": "old",
        "tags": ["x", "y"],
        "empty": None,
    }
    assert (
        address("/app/members", query, {"sort": "-name"})
        == "/app/members?tier=gold&q=a%26b&tags=x%2Cy&sort=-name"
    )
    assert address("/app/members", query, {"tier": None, "q": None, "tags": None}) == "/app/members"
    assert (
        address(
            "/app/members",
            query,
            {"tier": None, "q": None, "tags": [], "cursor": "new"},
        )
        == "/app/members?cursor=new"
    )


PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border)-(?:left|right|top|bottom)\b|(?:left|right|top|bottom|width|height)\s*:"
    r"|(?:min|max)-(?:width|height)\s*:|(?:text-align|float|clear)\s*:\s*(?:left|right))"
)


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_follow_the_line_of_reading(path: Path) -> None:
    """Only logical properties; raw colors only among the tokens; short files; every token exists."""
    css = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    declared = re.sub(r"@media[^{]*", "", css)
    assert [found.group() for found in PHYSICAL.finditer(declared)] == []
    if path.name != "tokens.css":
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*[;}])|\brgba?\(|\bhsla?\(", declared) == []
    assert len(path.read_text().splitlines()) < 600
    everywhere = "".join(each.read_text() for each in STYLES)
    known = set(re.findall(r"(--[\w-]+)\s*:", everywhere))
    assert set(re.findall(r"var\((--[\w-]+)", css)) - known == set()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_need_no_eval(path: Path) -> None:
    """Short scripts without eval, inline styles or listeners on the body, which misses events of removed elements."""
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    assert (
        re.findall(
            r"\beval\(|new Function|\.innerHTML\s*=|\.style\.|document\.body\.addEventListener",
            text,
        )
        == []
    )


@pytest.mark.parametrize("path", MACROS, ids=lambda path: path.name)
def test_macros_say_what_they_accept(path: Path) -> None:
    """Every public macro has a comment right above it, and only known classes are used."""
    text = path.read_text()
    for found in re.finditer(r"{% macro ([a-z]\w*)", text):
        before = text[: found.start()].rstrip()
        assert before.endswith("-#}"), f"{path.name}: {found.group(1)} has no comment"

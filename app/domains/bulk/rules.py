"""Pure decisions of bulk actions: reading files, judging rows, and what may follow what."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from app.core.values import value
from app.domains.bulk.errors import FileRefused
from app.domains.bulk.schemas import MAX_POINTS, MAX_ROWS, Kind, Problem, Status
from app.domains.members.schemas import Newcomer
from app.domains.points.schemas import Balance

_SEPARATORS = ";,\t|"
_LONGEST_TEXT = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_INVISIBLE = re.compile("[\u200e\u200f\u061c\u2066-\u2069\\s\u00a0\u202f'’]")
_INVISIBLE_SIGNS = re.compile("[\u200b-\u200f\u061c\u2066-\u2069]")
# As strict as is safe: what a mail server would refuse for good is no address, the rest only the server knows.
_MAIL = re.compile(r"[^@\s,;:<>()\[\]\"\\\x00-\x1f\x7f]+@[^@\s.,;:<>()_]+(?:\.[^@\s.,;:<>()_]+)+")
_LONGEST_MAIL = 254
_FIRST_YEAR = 1900
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*")
_WHOLE = re.compile(r"[+-]?\d+(?:[.,]0{1,2})?")
_SIGNS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u066b": ".", "\u066c": ",", "\u060c": ","})

# What columns are called, in the five languages, without spaces, accents and signs.
_NAMES = {
    "who": "email emailaddress mail customer customerid member memberid shopifycustomerid id who client"
    " correo correoelectronico cliente idcliente idclient courriel adressemail adresseemail adresseelectronique"
    " miembro membre idmembre البريد البريدالالكتروني العميل رقمالعميل العضو"
    " דואל דואראלקטרוני אימייל מייל לקוח מזההלקוח חבר",
    "points": "points point amount pts puntos cantidad montant النقاط نقاط عددالنقاط נקודות כמות מספרנקודות",
    "reason": "reason note comment why motivo razon nota comentario motif raison remarque commentaire"
    " السبب ملاحظة תעודה סיבה הערה",
    "first_name": "firstname first givenname nombre nombredepila prenom الاسم الاسمالاول שם שםפרטי",
    "last_name": "lastname last surname familyname apellido apellidos nomdefamille اسمالعايلة اللقب שםמשפחה",
    "locale": "locale language lang idioma langue اللغة שפה",
    "birthday": "birthday birthdate dateofbirth born cumpleanos fechadenacimiento anniversaire datedenaissance"
    " تاريخالميلاد يومالميلاد יוםהולדת תאריךלידה",
}
_OF_A_PERSON = ("first_name", "last_name", "locale", "birthday")
_COLUMNS = {name: column for column, names in _NAMES.items() for name in names.split()}
# An e-mail names a person better than an id beside it.
_MAILS = frozenset(
    [
        "email",
        "emailaddress",
        "mail",
        "correo",
        "correoelectronico",
        "courriel",
        "adressemail",
        "אימייל",
        "מייל",
        "דואל",
    ]
)


@dataclass(frozen=True)
class Layout:
    """How a file is written: its separator, the position of each column, and how many lines come before the rows.

    `person` are the positions of what a file of people says about each of them.
    """

    separator: str
    who: int
    points: int | None
    reason: int | None
    skip: int
    person: Mapping[str, int] = field(default_factory=dict)


@value
class Line:
    """A row of a file: its line number, whom it names, points (None: as the run says) and a reason of its own.

    `person` is what it says about somebody who is to be enrolled.
    """

    n: int
    who: str
    points: int | None
    reason: str | None
    problem: Problem | None = None
    person: Newcomer | None = None


@value
class Judged:
    """A row and what the dry run says of it; `moved` are points that it would move, `repaid` what of them settles a debt."""

    line: Line
    member_id: UUID | None
    problem: Problem | None
    points: int | None = None
    moved: int = 0
    repaid: int = 0


def decoded(content: bytes) -> str:
    """A file's text: UTF-8, or UTF-16 with its mark. Raises FileRefused."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise FileRefused("encoding") from None
    if "\x00" in text:
        raise FileRefused("encoding")
    if not text.strip():
        raise FileRefused("empty")
    return text


def layout(text: str) -> Layout:
    """How a file is written, from its first lines. Raises FileRefused when no column names anybody."""
    head = text[:20_000].splitlines()
    told = re.fullmatch(r'"?sep=(.)"?', head[0].strip(), re.IGNORECASE) if head else None
    first = head[1] if told and len(head) > 1 else head[0]
    separator = told[1] if told else _separator(first)
    cells = next(csv.reader(io.StringIO(first), delimiter=separator), [])
    names = [_plain(cell) for cell in cells]
    place: dict[str, int] = {}
    for position, name in enumerate(names):
        column = _COLUMNS.get(name)
        if column and (column not in place or (column == "who" and name in _MAILS)):
            place[column] = position
    before = 1 if told else 0
    if "who" in place:
        person = {name: place[name] for name in _OF_A_PERSON if name in place}
        return Layout(separator, place["who"], place.get("points"), place.get("reason"), before + 1, person)
    if cells and _names_somebody(cells[0]):
        width = len(cells)
        person = {name: at for at, name in enumerate(_OF_A_PERSON, 1) if at < width}
        return Layout(separator, 0, 1 if width > 1 else None, 2 if width > 2 else None, before, person)
    raise FileRefused("columns")


def _separator(line: str) -> str:
    bare = re.sub(r'"[^"]*"', "", line)
    return max(_SEPARATORS, key=bare.count)


def _plain(cell: str) -> str:
    text = unicodedata.normalize("NFKD", cell).casefold()
    return "".join(sign for sign in text if sign.isalnum() and not unicodedata.combining(sign))


def _names_somebody(cell: str) -> bool:
    text = cell.strip()
    return "@" in text or text.isdigit() or bool(re.fullmatch(r"[0-9a-fA-F-]{36}", text))


def lines(text: Iterable[str], how: Layout, after: int = 0, *, people: bool = False) -> Iterator[Line]:
    """The rows of a file, given as its lines with their ends, that begin after line `after`; empty ones are left out.

    In a file of `people` each row says who is to be enrolled.
    """
    read = _person if people else _line
    reader = csv.reader(text, delimiter=how.separator)
    count = 0
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            if start > max(how.skip, after):
                yield Line(start, "", None, None, "unreadable")
            continue
        if start <= how.skip or not any(cell.strip() for cell in cells):
            continue
        count += 1
        if start > after:
            yield read(start, cells, how) if count <= MAX_ROWS else Line(start, "", None, None, "too_many")


def _line(n: int, cells: list[str], how: Layout) -> Line:
    who = _cell(cells, how.who)
    said = _cell(cells, how.reason)
    reason = (said and _CONTROL.sub(" ", said)[:_LONGEST_TEXT]) or None
    typed = _cell(cells, how.points)
    if not who:
        return Line(n, "", None, reason, "nobody")
    points = whole(typed) if typed else None
    if typed and (points is None or not 0 <= points <= MAX_POINTS):
        return Line(n, who, None, reason, "bad_points")
    return Line(n, who, points, reason)


def _person(n: int, cells: list[str], how: Layout) -> Line:
    who = _cell(cells, how.who)
    email = mailbox(who)
    if email is None:
        return Line(n, who, None, None, "bad_email" if who else "nobody")
    said = {
        name: _CONTROL.sub(" ", _cell(cells, at))[:_LONGEST_TEXT] or None for name, at in how.person.items()
    }
    typed = said.pop("birthday", None)
    born = day_of(typed) if typed else None
    if typed and born is None:
        return Line(n, who, None, None, "bad_birthday")
    return Line(n, who, None, None, person=Newcomer(email, **said, birthday=born))


def mailbox(text: str) -> str | None:
    """An e-mail address as it is kept, in small letters; None when it is none."""
    plain = unicodedata.normalize("NFKC", _INVISIBLE_SIGNS.sub("", text)).strip().lower()
    return plain if len(plain) <= _LONGEST_MAIL and _MAIL.fullmatch(plain) else None


def day_of(text: str) -> date | None:
    """A day of a person's life written as year, month and day, in any digits; None when it is none."""
    digits = "".join(_digit(sign) for sign in _INVISIBLE.sub("", text))
    parts = re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", digits)
    try:
        day = date(*map(int, parts.groups())) if parts else None
    except ValueError:
        return None
    return day if day and day.year >= _FIRST_YEAR else None


def _cell(cells: list[str], position: int | None) -> str:
    return cells[position].strip() if position is not None and position < len(cells) else ""


def whole(text: str) -> int | None:
    """A whole number in any digits, with or without separators of thousands; None when it is none."""
    if text.isascii() and text.isdigit() and len(text) <= 20:
        return int(text)
    digits = "".join(_digit(sign) for sign in text.translate(_SIGNS))
    bare = _INVISIBLE.sub("", digits)
    if len(bare) > 20:
        return None
    if _GROUPED.fullmatch(bare):
        return int(re.sub(r"[.,]", "", bare))
    return int(re.split(r"[.,]", bare)[0]) if _WHOLE.fullmatch(bare) else None


def _digit(sign: str) -> str:
    value = unicodedata.decimal(sign, None)
    return sign if value is None else str(value)


def split_lines(parts: Iterable[str]) -> Iterator[str]:
    """A text in parts as its lines with their ends; no more than a part and a line is held."""
    rest = ""
    for part in parts:
        pieces = (rest + part).splitlines(keepends=True)
        # The last piece may go on in the next part, also a "\r" whose "\n" is there.
        rest = pieces.pop() if pieces else ""
        yield from pieces
    if rest:
        yield rest


POINT_KINDS: frozenset[Kind] = frozenset({"award", "deduct", "set", "expire"})
_NEEDS_POINTS: frozenset[Kind] = frozenset({"award", "deduct", "set"})


def judge(kind: Kind, points: int | None, available: int, debt: int) -> tuple[int, Problem | None]:
    """How many points a row would move for a member who has so many, and why it cannot be done."""
    if kind in _NEEDS_POINTS and points is None:
        return 0, "no_points"
    if kind not in POINT_KINDS:
        return 0, None
    if kind == "set":
        change = abs((points or 0) - available + debt)
        return change, None if change else "nothing"
    wanted = available if points is None else points
    if wanted == 0:
        return 0, "nothing"
    if kind != "award" and wanted > available:
        return 0, "too_few"
    return wanted, None


def after(kind: Kind, wanted: int | None, moved: int, before: Balance) -> Balance:
    """What a member has once a row was done that moves so many points."""
    if kind == "set":
        return replace(before, available=wanted or 0, debt=0)
    if kind == "award":
        repaid = min(before.debt, moved)
        return replace(before, available=before.available + moved - repaid, debt=before.debt - repaid)
    return replace(before, available=before.available - moved)


# What may follow what. A run that stands may be given up at any time; what it did stays until it is undone.
_FOLLOWS: Mapping[Status, frozenset[Status]] = {
    "checking": frozenset({"ready", "cancelled", "failed"}),
    "ready": frozenset({"checking", "waiting", "running", "cancelled"}),
    "waiting": frozenset({"running", "rejected", "cancelled"}),
    "running": frozenset({"paused", "done", "cancelled"}),
    "paused": frozenset({"running", "cancelled", "undoing"}),
    "done": frozenset({"undoing"}),
    "cancelled": frozenset({"undoing"}),
    "rejected": frozenset(),
    "undoing": frozenset({"undone"}),
    "undone": frozenset(),
    "failed": frozenset(),
}


def may_follow(before: Status, after: Status) -> bool:
    """Whether a run may go from one status to another."""
    return after in _FOLLOWS[before]

"""Where mail goes, and what fits into its headers."""

import pytest

from app.core import mail
from app.core.mail import MailServer
from app.core.settings import get_settings


def server_of(url: str, monkeypatch: pytest.MonkeyPatch) -> MailServer | None:
    """The server that a setting names."""
    monkeypatch.setenv("SMTP_URL", url)
    get_settings.cache_clear()
    found = mail.mail_server()
    monkeypatch.undo()
    get_settings.cache_clear()
    return found


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://127.0.0.1:8404", MailServer("127.0.0.1", 8404, "", "", False)),
        ("smtp://mail.example", MailServer("mail.example", 25, "", "", False)),
        ("smtps://us%40er:p%2Fw@mail.example", MailServer("mail.example", 465, "us@er", "p/w", True)),
    ],
)
def test_a_mail_server_is_read_from_its_url(
    url: str, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server_of(url, monkeypatch) == server


@pytest.mark.parametrize(
    "url", ["", "mail.example", "http://mail.example", "smtp://", "smtp://h:port", "smtp://h:99999"]
)
def test_anything_else_turns_mail_off(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server_of(url, monkeypatch) is None


def test_headers_hold_one_line() -> None:
    assert mail.one_line("A\r\nBcc: x@example.com\x00 B") == "A Bcc: x@example.com B"
    assert mail.one_line("x" * 500) == "x" * 120
    assert mail.one_line("\u2068متجر\u2069") == "\u2068متجر\u2069"
    assert mail.one_line("1\u202f299\u00a0points") == "1\u202f299\u00a0points"

"""A mail server for a test."""

import socket
from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller

from app.core.settings import get_settings
from tests.domains.notifications.postbox import Postbox


@pytest.fixture
def postbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Postbox]:
    """A mail server of this test."""
    box = Postbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{port}")
    get_settings.cache_clear()
    yield box
    controller.stop()
    get_settings.cache_clear()

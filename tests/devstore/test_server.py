"""The dev store as it is run: a process of its own, and a tiny app that receives what it sends."""

import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from devstore import signatures
from devstore.settings import DEMO_SHOP as SHOP
from devstore.settings import ROOT
from tests.devstore.conftest import CONFIG, SECRET

ORDER = {"lines": [{"sku": "MUG-1"}]}


class TinyApp:
    """Keeps every request; answers webhooks with the next of `answers`, or 200."""

    def __init__(self):
        self.requests, self.answers = [], []
        tiny = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _take(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                tiny.requests.append((self.command, self.path, headers, body))
                status = tiny.answers.pop(0) if tiny.answers and self.command == "POST" else 200
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = _take  # noqa: N815 (the names are http.server's)
            do_POST = _take  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def hooks(self, count, seconds=10.0):
        """The webhooks so far, once there are `count` of them."""
        until = time.monotonic() + seconds
        while True:
            found = [each for each in self.requests if each[0] == "POST"]
            if len(found) >= count or time.monotonic() > until:
                return found
            time.sleep(0.02)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Running:
    """A dev store process over a folder."""

    def __init__(self, folder, app_url):
        self.folder = folder
        (folder / "shopify.app.toml").write_text(CONFIG, encoding="utf-8")
        self.port, self.smtp_port = free_port(), free_port()
        self.environment = {
            **os.environ,
            "DEVSTORE_PORT": str(self.port),
            "DEVSTORE_SMTP_PORT": str(self.smtp_port),
            "DEVSTORE_DATA": str(folder / "data"),
            "DEVSTORE_APP_URL": app_url,
            "DEVSTORE_API_KEY": "key",
            "DEVSTORE_API_SECRET": SECRET,
            "DEVSTORE_RETRY_SPEED": "600",
            "DEVSTORE_APP_CONFIG": str(folder / "shopify.app.toml"),
        }
        self.start()

    def start(self):
        self.process = subprocess.Popen([sys.executable, "-m", "devstore"], cwd=ROOT, env=self.environment)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/_ready", timeout=1).raise_for_status()
                return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise AssertionError("the dev store did not start")

    def stop(self):
        """End it as a supervisor does; returns the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        return time.monotonic() - started

    def control(self, method, path, body=None):
        answer = httpx.request(method, f"http://127.0.0.1:{self.port}/_control{path}", json=body, timeout=30)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def graphql(self, token, query):
        return httpx.post(
            f"http://127.0.0.1:{self.port}/admin/api/2026-10/graphql.json",
            headers={"Host": SHOP, "X-Shopify-Access-Token": token},
            json={"query": query},
            timeout=10,
        )

    def token(self):
        given = {
            "client_id": "key",
            "client_secret": SECRET,
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": self.control("GET", "/id-token")["id_token"],
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "requested_token_type": "urn:shopify:params:oauth:token-type:offline-access-token",
            "expiring": 1,
        }
        url = f"http://127.0.0.1:{self.port}/admin/oauth/access_token"
        return httpx.post(url, headers={"Host": SHOP}, json=given, timeout=10).json()["access_token"]


@pytest.fixture(scope="module")
def tiny():
    app = TinyApp()
    yield app
    app.server.shutdown()
    app.server.server_close()


@pytest.fixture(scope="module")
def running(tiny, tmp_path_factory):
    found = Running(tmp_path_factory.mktemp("devstore"), tiny.url)
    found.opened = found.control("POST", "/app/install", {"shop": SHOP})
    yield found
    if found.process.poll() is None:
        found.stop()


@pytest.fixture(autouse=True)
def calm(running, tiny):
    running.control("DELETE", "/faults")
    until = time.monotonic() + 10
    while running.control("GET", "/deliveries")["pending"] and time.monotonic() < until:
        time.sleep(0.02)
    tiny.requests.clear()
    tiny.answers.clear()


def test_installing_opens_the_app_as_the_admin_does(running, tiny):
    running.control("POST", "/app/install", {"shop": SHOP})
    method, path, _, _ = tiny.requests[0]
    query = parse_qs(urlsplit(path).query)
    assert running.opened["app"]["status"] == 200
    assert method == "GET" and path.startswith("/app?") and query["shop"] == [SHOP] and query["id_token"]


def test_webhooks_arrive_signed_with_shopifys_headers(running, tiny):
    running.control("POST", "/orders", ORDER)
    hooks = tiny.hooks(3)
    assert {each[2]["x-shopify-topic"] for each in hooks} == {
        "orders/create",
        "orders/paid",
        "orders/updated",
    }
    for _, path, headers, body in hooks:
        assert path == "/v1/api/shopify/webhook"
        assert headers["x-shopify-hmac-sha256"] == signatures.webhook(SECRET, body)
        assert headers["x-shopify-shop-domain"] == SHOP and headers["x-shopify-api-version"] == "2026-10"
        assert headers["x-shopify-triggered-at"] and headers["content-type"] == "application/json"
    assert len({each[2]["x-shopify-webhook-id"] for each in hooks}) == 3
    assert len({each[2]["x-shopify-event-id"] for each in hooks}) == 1


def test_failures_and_redirects_are_tried_again_under_the_same_id(running, tiny):
    tiny.answers[:] = [500, 302, 204]
    running.control("POST", "/webhooks", {"topic": "orders/paid", "payload": {"id": 1}})
    hooks = tiny.hooks(3)
    assert len(hooks) == 3
    assert (
        len({(each[2]["x-shopify-webhook-id"], each[2]["x-shopify-triggered-at"], each[3]) for each in hooks})
        == 1
    )
    time.sleep(0.2)
    delivery = running.control("GET", "/deliveries")["deliveries"][0]
    assert delivery["state"] == "delivered"
    assert [each["status"] for each in delivery["attempts"]] == [500, 302, 204]


def test_duplicates_and_replays_carry_the_same_id(running, tiny):
    running.control(
        "POST", "/faults", {"target": "webhooks", "kind": "duplicate", "rate": 1, "seconds": 30, "times": 1}
    )
    sent = running.control("POST", "/webhooks", {"topic": "orders/paid", "payload": {"id": 2}})["id"]
    assert len(tiny.hooks(2)) == 2
    running.control("POST", "/deliveries/replay", {"id": sent})
    assert len({each[2]["x-shopify-webhook-id"] for each in tiny.hooks(3)}) == 1


def test_reordering_and_dropping(running, tiny):
    running.control("POST", "/faults", {"target": "webhooks", "kind": "drop", "only": "orders/paid"})
    running.control(
        "POST", "/faults", {"target": "webhooks", "kind": "delay", "delay": 0.5, "only": "orders/create"}
    )
    running.control("POST", "/orders", ORDER)
    assert [each[2]["x-shopify-topic"] for each in tiny.hooks(2)] == ["orders/updated", "orders/create"]


def test_an_answer_that_gets_lost_has_been_acted_on(running):
    token = running.token()
    create = """mutation { discountCodeBasicCreate(basicCodeDiscount: {title: "t", code: "LOST",
      startsAt: "2026-01-01T00:00:00Z", context: {all: ALL}, customerGets: {items: {all: true}, value: {percentage: 0.1}}})
      { codeDiscountNode { id } userErrors { code } } }"""
    running.control("POST", "/faults", {"target": "graphql", "kind": "reset_after_send", "times": 1})
    with pytest.raises(httpx.TransportError):
        running.graphql(token, create)
    again = running.graphql(token, create).json()["data"]["discountCodeBasicCreate"]
    assert again["userErrors"] == [{"code": "TAKEN"}]


def test_mail_can_be_read(running):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@example.com", "Ann <ann@example.com>", "Your points é"
    mail.set_content("Hello")
    mail.add_alternative("<p>Hello</p>", subtype="html")
    mail["Content-Language"] = "fr"
    with smtplib.SMTP("127.0.0.1", running.smtp_port, timeout=10) as smtp:
        smtp.send_message(mail)
    (found,) = running.control("GET", "/messages?to=ANN@example.com")["messages"]
    assert (found["subject"], found["language"], found["to"]) == ("Your points é", "fr", ["ann@example.com"])
    assert found["text"].strip() == "Hello" and found["html"].strip() == "<p>Hello</p>"
    assert running.control("GET", "/messages?to=nn@example.com")["messages"] == []


def test_a_sink_takes_any_call(running):
    httpx.post(f"http://127.0.0.1:{running.port}/_sink/sms/messages", json={"to": "+15550100"}, timeout=5)
    (found,) = running.control("GET", "/messages?channel=sms")["messages"]
    assert found["path"] == "/messages" and found["body"] == {"to": "+15550100"}


def test_everything_survives_a_restart_which_is_quick(running, tiny):
    tiny.answers[:] = [503] * 4
    order = running.control("POST", "/orders", {**ORDER, "email": "kept@example.com"})
    tiny.hooks(3)
    assert running.stop() < 5
    tiny.answers.clear()
    running.start()
    assert running.control("GET", f"/orders/{order['id']}")["email"] == "kept@example.com"
    until = time.monotonic() + 10
    while running.control("GET", "/deliveries")["pending"] and time.monotonic() < until:
        time.sleep(0.05)
    told = [json.loads(each[3])["id"] for each in tiny.hooks(6)]
    assert told.count(order["id"]) >= 6

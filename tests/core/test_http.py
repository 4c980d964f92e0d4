"""The one way out: timeouts, retries, circuit breaker, size bounds, SSRF guard, redirection of shop hosts."""

import base64
import datetime as dt
import ipaddress
import logging
import os
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from app.core import db, http
from app.core.http import (
    AnswerTooLarge,
    AnswerUnreadable,
    Breakers,
    CircuitOpen,
    ConnectionFailed,
    OutboundClient,
    OutboundFailed,
    TargetRefused,
    TimedOut,
    Timeouts,
)
from app.core.settings import get_settings
from tests.shopify.wire import Reply, Wire, serving

QUICK = Timeouts(connect=0.5, read=0.3, total=1.0)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    defaults = {
        "APP_URL": "https://app.example",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "MASTER_KEY": base64.b64encode(b"m" * 32).decode(),
        "SHOPIFY_API_KEY": "k" * 32,
        "SHOPIFY_API_SECRET": "s" * 40,
    }
    for name, value in defaults.items():
        monkeypatch.setenv(name, os.environ.get(name) or value)
    monkeypatch.delenv("SHOPIFY_CONNECT_TO", raising=False)
    get_settings.cache_clear()
    yield monkeypatch
    get_settings.cache_clear()


@pytest.fixture
def wire() -> Iterator[Wire]:
    with serving() as server:
        yield server


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(waits: list[float]) -> Iterator[OutboundClient]:
    outbound = OutboundClient(sleep=waits.append)
    yield outbound
    outbound.close()


def test_any_status_is_an_answer(client: OutboundClient, wire: Wire) -> None:
    wire.always = Reply(418, {"short": True}, {"X-Thing": "Yes"})
    answer = client.request("POST", wire.origin + "/tea", json={"a": 1})
    assert (answer.status, answer.json(), answer.headers["x-thing"]) == (418, {"short": True}, "Yes")
    assert wire.seen[0].json() == {"a": 1}
    assert wire.seen[0].headers["content-type"] == "application/json"


def test_parameters_join_the_query_and_forms_are_encoded(client: OutboundClient, wire: Wire) -> None:
    client.request("POST", wire.origin + "/x?a=1", params={"b": "2 3"}, form={"q": "é&"})
    assert wire.seen[0].path in {"/x?a=1&b=2+3", "/x?a=1&b=2%203"}
    assert wire.seen[0].body == b"q=%C3%A9%26"


def test_redirects_are_not_followed(client: OutboundClient, wire: Wire) -> None:
    wire.always = Reply(302, headers={"Location": "http://127.0.0.1:1/secret"})
    assert client.request("GET", wire.origin).status == 302
    assert len(wire.seen) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_read_is_repeated_with_jitter_until_it_works(
    client: OutboundClient, wire: Wire, waits: list[float], status: int
) -> None:
    wire.script = [Reply(status), Reply(status), Reply(200, {"ok": 1})]
    assert client.request("GET", wire.origin).json() == {"ok": 1}
    assert len(wire.seen) == 3
    assert 0 <= waits[0] <= 0.5 and 0 <= waits[1] <= 1.0


def test_attempts_are_bounded_and_the_last_answer_comes_back(client: OutboundClient, wire: Wire) -> None:
    wire.always = Reply(503)
    assert client.request("GET", wire.origin, attempts=3).status == 503
    assert len(wire.seen) == 3


def test_a_write_is_not_repeated_when_it_may_have_worked(client: OutboundClient, wire: Wire) -> None:
    wire.always = Reply(500)
    assert client.request("POST", wire.origin, json={}).status == 500
    assert len(wire.seen) == 1
    wire.script = [Reply(fault="reset")]
    with pytest.raises(OutboundFailed) as caught:
        client.request("POST", wire.origin, json={})
    assert caught.value.sent
    assert len(wire.seen) == 2


def test_a_write_is_repeated_when_told(client: OutboundClient, wire: Wire) -> None:
    wire.script = [Reply(500), Reply(fault="reset"), Reply(200)]
    assert client.request("POST", wire.origin, json={}, repeatable=True).status == 200


def test_a_write_is_repeated_after_429_because_it_was_not_carried_out(
    client: OutboundClient, wire: Wire
) -> None:
    wire.script = [Reply(429), Reply(200)]
    assert client.request("POST", wire.origin, json={}).status == 200


def test_retry_after_is_honored(client: OutboundClient, wire: Wire, waits: list[float]) -> None:
    wire.script = [Reply(429, headers={"Retry-After": "2.5"}), Reply(200)]
    assert client.request("GET", wire.origin).status == 200
    assert 2.5 <= waits[0] <= 3.0


def test_a_long_retry_after_is_left_to_the_caller(
    client: OutboundClient, wire: Wire, waits: list[float]
) -> None:
    wire.always = Reply(429, headers={"Retry-After": "120"})
    answer = client.request("GET", wire.origin)
    assert (answer.status, answer.retry_after, waits, len(wire.seen)) == (429, 120.0, [], 1)


def test_retry_after_may_be_a_date(client: OutboundClient, wire: Wire) -> None:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    wire.always = Reply(503, headers={"Retry-After": later.strftime("%a, %d %b %Y %H:%M:%S GMT")})
    assert 55 < (client.request("GET", wire.origin).retry_after or 0) <= 60
    wire.always = Reply(503, headers={"Retry-After": "soon"})
    assert client.request("GET", wire.origin, attempts=1).retry_after is None


def test_no_pause_reaches_past_the_total_time(client: OutboundClient, wire: Wire, waits: list[float]) -> None:
    wire.always = Reply(503, headers={"Retry-After": "2"})
    assert client.request("GET", wire.origin, timeouts=Timeouts(total=1.5)).status == 503
    assert waits == []


def test_a_hanging_server_is_left(client: OutboundClient, wire: Wire) -> None:
    wire.always = Reply(fault="hang")
    started = time.monotonic()
    with pytest.raises(TimedOut) as caught:
        client.request("GET", wire.origin, attempts=1, timeouts=QUICK)
    assert caught.value.retryable and caught.value.sent
    assert time.monotonic() - started < 1.5


def test_a_dripping_server_is_left(client: OutboundClient, wire: Wire) -> None:
    wire.always = Reply(fault="drip")
    started = time.monotonic()
    with pytest.raises(TimedOut):
        client.request("GET", wire.origin, attempts=1, timeouts=QUICK)
    assert time.monotonic() - started < 2.5


@pytest.mark.parametrize("fault", ["reset", "cut"])
def test_a_broken_answer_is_a_failure(client: OutboundClient, wire: Wire, fault: str) -> None:
    wire.always = Reply(fault=fault)
    with pytest.raises(OutboundFailed):
        client.request("GET", wire.origin, attempts=2, timeouts=QUICK)
    assert len(wire.seen) == 2


def test_the_total_time_covers_every_attempt(client: OutboundClient, wire: Wire) -> None:
    wire.always = Reply(fault="hang")
    started = time.monotonic()
    with pytest.raises(TimedOut):
        client.request("GET", wire.origin, attempts=9, timeouts=Timeouts(connect=1, read=0.4, total=1.0))
    assert time.monotonic() - started < 1.6
    assert 2 <= len(wire.seen) <= 3


def test_nothing_listening_means_nothing_sent(client: OutboundClient) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        client.request("POST", "http://127.0.0.1:1/", json={}, timeouts=QUICK)
    assert not caught.value.sent


def test_answers_are_bounded_in_size(client: OutboundClient, wire: Wire) -> None:
    wire.always = Reply(body=b"x" * 2000)
    with pytest.raises(AnswerTooLarge) as caught:
        client.request("GET", wire.origin, max_bytes=1000)
    assert not caught.value.retryable
    assert len(wire.seen) == 1


def test_an_answer_that_is_not_json_says_so(client: OutboundClient, wire: Wire) -> None:
    wire.always = Reply(body=b"<html>")
    with pytest.raises(AnswerUnreadable):
        client.request("GET", wire.origin).json()


def test_the_circuit_opens_probes_and_closes(wire: Wire) -> None:
    now = [0.0]
    client = OutboundClient(breakers=Breakers(threshold=3, open_seconds=10, clock=lambda: now[0]))
    wire.always = Reply(500)
    for _ in range(3):
        client.request("GET", wire.origin, attempts=1)
    with pytest.raises(CircuitOpen) as caught:
        client.request("GET", wire.origin)
    assert len(wire.seen) == 3
    assert caught.value.data["retry_after"] == 10 and caught.value.retryable and not caught.value.sent
    now[0] = 11
    client.request("GET", wire.origin, attempts=1)  # the probe fails and opens it again
    with pytest.raises(CircuitOpen):
        client.request("GET", wire.origin)
    now[0], wire.always = 22, Reply(200)
    assert client.request("GET", wire.origin).status == 200
    assert client.request("GET", wire.origin).status == 200
    client.close()


def test_only_one_probe_at_a_time() -> None:
    now = [0.0]
    breakers = Breakers(threshold=1, open_seconds=10, clock=lambda: now[0])
    breakers.record("a.example", worked=False)
    now[0] = 11
    breakers.admit("a.example")
    with pytest.raises(CircuitOpen):
        breakers.admit("a.example")
    breakers.admit("b.example")
    now[0] = 22  # the probe never reported
    breakers.admit("a.example")


def test_the_breaker_does_not_serialize_calls(wire: Wire) -> None:
    """Eight calls to one slow host take the time of one."""
    client = OutboundClient()
    wire.always = Reply(fault="hang")
    started = time.monotonic()

    def call() -> None:
        with pytest.raises(TimedOut):
            client.request("GET", wire.origin, attempts=1, timeouts=Timeouts(connect=1, read=0.5, total=2))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started < 2.5
    client.close()


def test_no_call_inside_a_transaction(
    client: OutboundClient, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "open_transaction", lambda: True)
    with pytest.raises(RuntimeError, match="unit of work"):
        client.request("GET", wire.origin)
    assert wire.seen == []


def test_shop_hosts_are_connected_elsewhere_when_configured(
    client: OutboundClient, wire: Wire, settings: pytest.MonkeyPatch
) -> None:
    settings.setenv("SHOPIFY_CONNECT_TO", wire.origin + "/")
    get_settings.cache_clear()
    client.request("GET", "https://demo.myshopify.com/admin/api/x.json?a=1")
    client.request("POST", "https://demo.myshopify.com/sink", untrusted=True, json={})
    assert [(seen.path, seen.headers["host"]) for seen in wire.seen] == [
        ("/admin/api/x.json?a=1", "demo.myshopify.com"),
        ("/sink", "demo.myshopify.com"),
    ]


@pytest.mark.parametrize("host", ["demo.myshopify.com.evil.example", "evil.example", "x.notmyshopify.com"])
def test_other_hosts_are_not_redirected(wire: Wire, settings: pytest.MonkeyPatch, host: str) -> None:
    settings.setenv("SHOPIFY_CONNECT_TO", wire.origin)
    get_settings.cache_clear()
    client = OutboundClient(resolver=lambda host, port: ["127.0.0.1"])
    with pytest.raises(TargetRefused):
        client.request("GET", f"https://{host}/", untrusted=True)
    assert wire.seen == []
    client.close()


def test_nothing_private_is_logged(
    client: OutboundClient, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wire.script = [Reply(200, {"secret": "in-answer"}), Reply(fault="reset")]
    url = wire.origin + "/in-path?token=in-query"
    client.request("POST", url, headers={"Authorization": "in-header"}, json={"a": "in-body"})
    with pytest.raises(OutboundFailed):
        client.request("POST", url, headers={"Authorization": "in-header"}, json={"a": "in-body"})
    assert "POST 127.0.0.1: 200" in caplog.text and "outbound_failed" in caplog.text
    for secret in ("in-path", "in-query", "in-header", "in-body", "in-answer"):
        assert secret not in caplog.text


def test_one_client_per_process_and_a_new_one_after_a_fork() -> None:
    first = http.outbound()
    assert http.outbound() is first
    http._forget_in_child()
    second = http.outbound()
    assert second is not first
    for made in (first, second):
        made.close()
    http._forget_in_child()


PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254",
    "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::1", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str, wire: Wire) -> None:
    client = OutboundClient(resolver=lambda host, port: [address])
    with pytest.raises(TargetRefused):
        client.request("GET", "https://hooks.example/", untrusted=True)
    client.close()


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert http.is_public(address)


@given(st.ip_addresses(v=4))
def test_ipv4_keeps_its_standing_inside_ipv6(address: ipaddress.IPv4Address) -> None:
    assert http.is_public(f"::ffff:{address}") == http.is_public(str(address))


def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    client = OutboundClient(resolver=lambda host, port: ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(TargetRefused):
        client.request("GET", "https://hooks.example/", untrusted=True)
    client.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/", "ftp://hooks.example/", "file:///etc/passwd", "https://", "https:///x", "",
        "hooks.example",
        "https://user:pass@hooks.example/",
        "https://127.0.0.1/", "https://[::1]/", "https://0x7f.1/", "https://2130706433/",
        "https://localhost/", "https://hooks.example:99999/", "https://a b/",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_https_are_refused(client: OutboundClient, url: str) -> None:
    with pytest.raises(TargetRefused):
        client.request("GET", url, untrusted=True, attempts=1, timeouts=QUICK)


def _certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    trust = ssl.create_default_context(cadata=certificate.public_bytes(serialization.Encoding.PEM).decode())
    return path, trust


def _over_tls(wire: Wire, path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = wire._server
    server.socket = context.wrap_socket(server.socket, server_side=True)


def test_the_checked_address_is_the_one_connected_to(wire: Wire, tmp_path: Path) -> None:
    """DNS answers differently the second time; the connection goes where the first answer, the checked one, led."""
    path, trust = _certificate(tmp_path, "hooks.example")
    _over_tls(wire, path)
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    client = OutboundClient(
        resolver=lambda host, port: answers.pop(0),
        address_allowed=lambda ip: ip == "127.0.0.1",
        ssl_context=trust,
    )
    port = wire.origin.rpartition(":")[2]
    wire.always = Reply(200, {"got": "it"})
    answer = client.request("POST", f"https://hooks.example:{port}/in", untrusted=True, json={})
    assert answer.json() == {"got": "it"}
    assert wire.seen[0].headers["host"] == f"hooks.example:{port}"
    assert wire.seen[0].headers["accept-encoding"] == "identity"
    with pytest.raises(TargetRefused):  # connections are not kept, so every call is checked anew
        client.request("POST", f"https://hooks.example:{port}/in", untrusted=True, json={})
    client.close()


def test_the_certificate_is_checked_against_the_name_not_the_address(wire: Wire, tmp_path: Path) -> None:
    path, trust = _certificate(tmp_path, "somebody-else.example")
    _over_tls(wire, path)
    client = OutboundClient(
        resolver=lambda host, port: ["127.0.0.1"], address_allowed=lambda ip: True, ssl_context=trust
    )
    port = wire.origin.rpartition(":")[2]
    with pytest.raises(ConnectionFailed):
        client.request("GET", f"https://hooks.example:{port}/", untrusted=True, attempts=1)
    assert wire.seen == []
    client.close()


def test_a_connection_is_not_shared_by_names_of_one_address(wire: Wire, tmp_path: Path) -> None:
    path, trust = _certificate(tmp_path, "hooks.example")
    _over_tls(wire, path)
    client = OutboundClient(
        resolver=lambda host, port: ["127.0.0.1"], address_allowed=lambda ip: True, ssl_context=trust
    )
    port = wire.origin.rpartition(":")[2]
    assert client.request("GET", f"https://hooks.example:{port}/", untrusted=True).status == 200
    with pytest.raises(ConnectionFailed):
        client.request("GET", f"https://other.example:{port}/", untrusted=True, attempts=1)
    client.close()


def test_a_customers_failing_endpoint_does_not_close_its_host_for_others(wire: Wire, tmp_path: Path) -> None:
    path, trust = _certificate(tmp_path, "hooks.example")
    _over_tls(wire, path)
    client = OutboundClient(
        breakers=Breakers(threshold=2),
        resolver=lambda host, port: ["127.0.0.1"],
        address_allowed=lambda ip: True,
        ssl_context=trust,
    )
    wire.always = Reply(500)
    url = f"https://hooks.example:{wire.origin.rpartition(':')[2]}/"
    assert [client.request("POST", url, untrusted=True, json={}).status for _ in range(5)] == [500] * 5
    client.close()

"""A tiny HTTP server on loopback that answers from a script: real sockets, so that hangs and resets are real too."""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One scripted answer. `fault`: "" | "hang" | "reset" | "drip" | "cut" (a body shorter than announced)."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body or {}).encode()


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """Answers from `script` in order; when it is empty, from `always`."""

    def __init__(self) -> None:
        self.script: list[Reply] = []
        self.always = Reply()
        self.seen: list[Seen] = []
        self.released = threading.Event()
        self.connections: list[socket.socket] = []
        self._lock = threading.Lock()
        self._server = _Server(self)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def next(self, seen: Seen) -> Reply:
        with self._lock:
            self.seen.append(seen)
            return self.script.pop(0) if self.script else self.always

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        for connection in self.connections:  # clients keep theirs open, and handler threads wait on them
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    server: "_Server"

    def setup(self) -> None:
        super().setup()
        self.server.wire.connections.append(self.connection)

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.wire.next(Seen(self.command, self.path, headers, body))
        if reply.fault:
            self._fail(reply.fault)
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        self.wfile.write(reply.content)

    def _fail(self, fault: str) -> None:
        self.close_connection = True
        if fault == "hang":
            self.server.wire.released.wait(20)
        elif fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self._drip(1 if fault == "cut" else 100)

    def _drip(self, times: int) -> None:
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(times):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.05)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - the names http.server calls

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 64  # who calls all at once is not turned away on a busy machine

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves early is part of the game."""


@contextmanager
def serving() -> Iterator[Wire]:
    """A server for one test."""
    wire = Wire()
    try:
        yield wire
    finally:
        wire.close()

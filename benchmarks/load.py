"""A small load generator on raw sockets: keep-alive connections that send prepared requests to this machine."""

import multiprocessing
import socket
import time
from collections.abc import Callable

Request = Callable[[int], bytes]


def _exchange(connection: socket.socket, request: bytes) -> int:
    connection.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("closed by the server")
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65536)
    return int(head.split(b" ", 2)[1])


def _client(
    port: int,
    request: Request,
    first: int,
    step: int,
    seconds: float,
    connections: int,
    results: "multiprocessing.Queue[tuple[int, int]]",
) -> None:
    import threading

    counts = [0, 0]
    lock = threading.Lock()

    def run(offset: int) -> None:
        done = failed = 0
        number = first + offset
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                if _exchange(connection, request(number)) // 100 == 2:
                    done += 1
                else:
                    failed += 1
                number += step
        with lock:
            counts[0] += done
            counts[1] += failed

    threads = [threading.Thread(target=run, args=(offset,)) for offset in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put((counts[0], counts[1]))


def storm(
    port: int, request: Request, seconds: float, start: int, *, processes: int = 2, connections: int = 8
) -> tuple[int, int]:
    """So many connections from each of so many processes for some seconds. Returns (answered 2xx, others)."""
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[tuple[int, int]] = context.Queue()
    clients = [
        context.Process(
            target=_client,
            args=(
                port,
                request,
                start + connections * index,
                processes * connections,
                seconds,
                connections,
                results,
            ),
        )
        for index in range(processes)
    ]
    for client in clients:
        client.start()
    found = [results.get(timeout=seconds + 60) for _ in clients]
    for client in clients:
        client.join()
    return sum(one[0] for one in found), sum(one[1] for one in found)

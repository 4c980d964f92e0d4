"""TCP ports on the loopback address."""

import socket

from dev.failure import Refused


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free(count: int) -> list[int]:
    """Ports nobody listens on, chosen by the system."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def require_free(wanted: dict[str, int]) -> None:
    """Raises Refused naming the first port that is taken and what it is for."""
    for purpose, port in wanted.items():
        if not 1024 <= port <= 65535:
            raise Refused(f"Port {port} for the {purpose} is not between 1024 and 65535.")
        if not is_free(port):
            raise Refused(
                f"Port {port} for the {purpose} is taken; stop what uses it or choose other ports with --port."
            )

"""Finds free TCP ports."""

import random
import socket
from collections.abc import Sequence

LOOPBACK = "127.0.0.1"

# Below the range the kernel assigns to outgoing connections (32768 up on Linux): a service that is killed and started
# again must find its port still free, and not in use by some client's connection.
_MIN_PORT, _MAX_PORT = 15_000, 32_000


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Tell whether a server could listen there. Tried without SO_REUSEPORT, which would hide another server."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return one free port on loopback. Raises OSError when none is left."""
    return free_ports(1)[0]


def free_ports(count: int, hosts: Sequence[str] = (LOOPBACK,)) -> list[int]:
    """Return this many different ports that are free on each of the hosts. Raises OSError when too few are left."""
    ports: set[int] = set()
    # Not seeded: two test runs at the same time must not try the same ports in the same order.
    for port in random.SystemRandom().sample(range(_MIN_PORT, _MAX_PORT), k=_MAX_PORT - _MIN_PORT):
        if all(is_free(port, host) for host in hosts):
            ports.add(port)
        if len(ports) == count:
            return sorted(ports)
    raise OSError("no free port is left on this machine")

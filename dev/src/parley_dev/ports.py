"""Finds ports nobody uses."""

import random
import socket

LOOPBACK = "127.0.0.1"

# Below the range the kernel gives to outgoing connections (32768 up on Linux): a service that is killed and started
# again must find its port still free, and not under some client's connection.
_LOWEST, _HIGHEST = 15_000, 32_000


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there, judged without SO_REUSEPORT: sharing would hide the other server."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port() -> int:
    """One free port on loopback."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """So many different free ports on loopback."""
    found: set[int] = set()
    # Not seeded: two test runs side by side must not try the same ports in the same order.
    for port in random.SystemRandom().sample(range(_LOWEST, _HIGHEST), k=_HIGHEST - _LOWEST):
        if is_free(port):
            found.add(port)
        if len(found) == count:
            return sorted(found)
    raise OSError("no free port is left on this machine")

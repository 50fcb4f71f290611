"""Free ports: nobody listens on them, and they stay free."""

import socket

from parley_dev.ports import LOOPBACK, free_ports, is_free


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(is_free(port) for port in ports)


def test_free_ports_are_below_the_ephemeral_range() -> None:
    assert all(port < 32_768 for port in free_ports(50))


def test_a_port_with_so_reuseport_is_in_use() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind((LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)

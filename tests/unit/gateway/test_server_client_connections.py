"""Connections per address are limited, and clients that do not read are disconnected."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from parley.gateway.server.client_connections import ClientConnection, ClientConnections
from parley.gateway.server.client_ip import ClientIpResolver


class FakeTransport:
    def __init__(self) -> None:
        self.unread_bytes = 0
        self.is_aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unread_bytes

    def get_extra_info(self, name: str) -> None:
        return None

    def abort(self) -> None:
        self.is_aborted = True


class Clients:
    """Connections, and a clock that checks them every 2 s."""

    def __init__(self, max_per_address: int = 100, max_stalled_bytes: int = 10**9) -> None:
        self.now = 0.0
        proxies = ClientIpResolver([ip_network("10.0.0.0/8")])
        self.connections = ClientConnections(max_per_address, proxies, max_stalled_bytes, lambda: self.now)

    def open(self, address: str = "203.0.113.1") -> tuple[ClientConnection | None, FakeTransport]:
        transport = FakeTransport()
        as_transport: Any = transport
        return self.connections.open(as_transport, address), transport

    def wait(self, seconds: float) -> None:
        for _ in range(int(seconds / 2)):
            self.now += 2
            self.connections.disconnect_stalled()


def test_client_that_reads_nothing_is_disconnected_after_20_seconds() -> None:
    clients = Clients()
    _, stalled = clients.open()
    _, idle = clients.open()
    clients.wait(100)
    stalled.unread_bytes = 1
    clients.wait(20)
    before = stalled.is_aborted
    clients.wait(2)
    assert (before, stalled.is_aborted, idle.is_aborted) == (False, True, False)


def test_slow_client_that_goes_on_reading_stays() -> None:
    clients = Clients()
    _, transport = clients.open()
    transport.unread_bytes = 100
    for _ in range(20):
        transport.unread_bytes -= 1
        clients.wait(18)
    assert not transport.is_aborted


def test_client_that_has_read_what_was_replaced_by_more_stays() -> None:
    clients = Clients()
    connection, transport = clients.open()
    assert connection is not None
    transport.unread_bytes = 100
    for _ in range(20):
        connection.drained = True
        transport.unread_bytes += 1
        clients.wait(18)
    assert not transport.is_aborted


def test_longest_stalled_clients_of_an_address_with_too_much_unread_are_disconnected() -> None:
    clients = Clients(max_stalled_bytes=200)
    transports = []
    for address in ("203.0.113.1", "203.0.113.1", "203.0.113.1", "203.0.113.2"):
        _, transport = clients.open(address)
        transport.unread_bytes = 100
        transports.append(transport)
        clients.wait(2)
    clients.wait(2)
    assert [transport.is_aborted for transport in transports] == [True, False, False, False]


@pytest.mark.parametrize(
    ("addresses", "accepted"),
    [
        (["203.0.113.1"] * 3, [True, True, False]),
        (["203.0.113.1", "203.0.113.1", "203.0.113.2"], [True, True, True]),
        (["2001:db8::1", "2001:db8::2", "2001:db8::3"], [True, True, False]),
        (["10.1.2.3"] * 3, [True, True, True]),
    ],
)
def test_connections_of_an_address_are_limited_unless_it_is_a_trusted_proxy(
    addresses: list[str], accepted: list[bool]
) -> None:
    clients = Clients(max_per_address=2)
    assert [clients.open(address)[0] is not None for address in addresses] == accepted


def test_closed_connection_makes_room() -> None:
    clients = Clients(max_per_address=1)
    connection, _ = clients.open()
    assert connection is not None
    clients.connections.close(connection)
    assert clients.open()[0] is not None
    assert clients.open()[0] is None

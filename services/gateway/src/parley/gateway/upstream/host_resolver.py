"""Looks up the addresses behind a host name: in a hosts file, or else as the system does."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

AddressLookup = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the IP addresses of a host name. Raises OSError if there are none, or they cannot be looked up."""


class HostResolver:
    """An `AddressLookup`, with an optional file in the format of /etc/hosts that is read at each lookup."""

    def __init__(self, hosts_file: Path | None = None) -> None:
        self._hosts_file = hosts_file

    async def lookup(self, host: str) -> Sequence[str]:
        """Return the addresses of a host: those of the file if it names the host."""
        if _is_address(host):
            return (host,)
        if self._hosts_file is not None and (listed := _read_addresses(self._hosts_file, host)):
            return listed
        addresses = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        # One family: in a network with both, each replica has an address of either, and services listen on IPv4 alone
        # unless configured otherwise.
        ipv4 = [str(address[0]) for family, *_, address in addresses if family == socket.AF_INET]
        return list(dict.fromkeys(ipv4 or [str(address[0]) for *_, address in addresses]))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _read_addresses(hosts_file: Path, host: str) -> list[str]:
    """Return the addresses that the file lists for a host. Raises OSError."""
    addresses = []
    for line in hosts_file.read_text().splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if host in names:
            addresses.append(address)
    return addresses

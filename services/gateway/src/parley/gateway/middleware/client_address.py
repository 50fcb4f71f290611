"""The client's address, from the connection and the headers that trusted proxies wrote."""

from __future__ import annotations

from aiohttp import web

from parley.gateway.middleware.client_ip import Addresses


def client_address(addresses: Addresses, request: web.Request) -> str:
    """Where the request comes from."""
    return addresses.client(request.remote or "", request.headers.getall("X-Forwarded-For", ()))

"""aiohttp's resolver for addresses that users name: it returns only those that the SSRF guard has checked."""

from __future__ import annotations

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from parley.common.http.ssrf_guard import SsrfGuard


class GuardedResolver(AbstractResolver):
    """Resolves to addresses that the guard has checked; aiohttp connects to these without another lookup."""

    def __init__(self, guard: SsrfGuard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises EndpointRejected, OSError."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self._guard.resolve(host, port)
        ]

    async def close(self) -> None:
        """Do nothing: the guard has no connections."""

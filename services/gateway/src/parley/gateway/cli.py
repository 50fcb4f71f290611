"""The gateway's plugin of the `parley` command line: its settings, and whether the services behind it answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import aiohttp

from parley.common.cli import CommandError, CommandPlugin, HealthCheck
from parley.gateway.settings import GatewaySettings

_TIMEOUT = aiohttp.ClientTimeout(total=5)


def _build_check(service: str) -> Callable[[GatewaySettings], Awaitable[str]]:
    async def check(settings: GatewaySettings) -> str:
        """Check every address of the service. Raises CommandError."""
        urls: tuple[str, ...] = getattr(settings, f"{service}_urls")
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as http:
            unreachable = [url for url in urls if not await _answers_http(http, url)]
        if unreachable:
            raise CommandError(f"PARLEY_{service.upper()}_URLS: nothing answers at {', '.join(unreachable)}")
        return f"{len(urls)} address(es) answer"

    return check


async def _answers_http(http: aiohttp.ClientSession, url: str) -> bool:
    """Whether an HTTP server answers. Its status does not matter: the request has no identity and is refused."""
    try:
        async with http.get(url, allow_redirects=False):
            return True
    except (TimeoutError, aiohttp.ClientError):
        return False


PLUGIN = CommandPlugin(
    service="gateway",
    settings=GatewaySettings,
    checks=[HealthCheck(name, _build_check(name)) for name in ("chat", "presence", "notify", "translate")],
)

"""What `parley` offers where the gateway is installed: its settings, and whether the services answer it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import aiohttp

from parley.common.cli.main import Check, Offer, Refused
from parley.gateway.settings import GatewaySettings

_SECONDS = 5


def _answers(service: str) -> Callable[[GatewaySettings], Awaitable[str]]:
    async def check(settings: GatewaySettings) -> str:
        urls: tuple[str, ...] = getattr(settings, f"{service}_urls")
        variable = f"PARLEY_{service.upper()}_URLS"
        timeout = aiohttp.ClientTimeout(total=_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            silent = [url for url in urls if not await _speaks(http, url)]
        if silent:
            raise Refused(f"{variable}: nothing answers at {', '.join(silent)}")
        return f"{len(urls)} address(es) answer"

    return check


async def _speaks(http: aiohttp.ClientSession, url: str) -> bool:
    """Whether something there speaks HTTP; what it says does not matter, for it wants to be asked by the gateway."""
    try:
        async with http.get(url, allow_redirects=False):
            return True
    except (TimeoutError, aiohttp.ClientError):
        return False


OFFER = Offer(
    service="gateway",
    settings=GatewaySettings,
    checks=[Check(name, _answers(name)) for name in ("chat", "presence", "notify", "translate")],
)

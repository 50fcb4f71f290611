"""The gateway's plugin of the `parley` command line: its settings, and whether the services behind it answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from parley.common.cli import CommandError, CommandPlugin, HealthCheck
from parley.gateway.settings import GatewaySettings
from parley.gateway.timeouts import COMMAND_TIMEOUT_SECONDS
from parley.gateway.upstream.host_resolver import HostResolver
from parley.gateway.upstream.replica import Endpoint, Replica


def _build_check(service: str) -> Callable[[GatewaySettings], Awaitable[str]]:
    async def check(settings: GatewaySettings) -> str:
        """Check every address of the service. Raises CommandError."""
        resolver = HostResolver(settings.hosts_file)
        variable = f"PARLEY_{service.upper()}_URLS"
        replicas: dict[str, Replica] = {}
        for endpoint in map(Endpoint.from_url, settings.upstream_urls()[service]):
            try:
                addresses = await resolver.lookup(endpoint.host)
            except OSError as exc:
                raise CommandError(f"{variable}: {endpoint.host} has no address: {exc.strerror or exc}") from exc
            replicas |= {endpoint.format_address(ip): Replica(service, endpoint, ip) for ip in addresses}
        unreachable = [address for address, replica in replicas.items() if not await _answers_http(replica)]
        if unreachable:
            raise CommandError(f"{variable}: nothing answers at {', '.join(unreachable)}")
        return f"{len(replicas)} address(es) answer"

    return check


async def _answers_http(replica: Replica) -> bool:
    """Whether an HTTP server answers. Its status does not matter: the request has no identity and is refused."""
    try:
        connection = await replica.connect(COMMAND_TIMEOUT_SECONDS)
    except (TimeoutError, OSError):
        return False
    try:
        connection.send_request(b"GET / HTTP/1.1\r\n" + replica.host_header + b"\r\n")
        await connection.read_head(COMMAND_TIMEOUT_SECONDS)
    except (TimeoutError, OSError):
        return False
    finally:
        connection.close()
    return True


PLUGIN = CommandPlugin(
    service="gateway",
    settings=GatewaySettings,
    checks=[HealthCheck(name, _build_check(name)) for name in ("chat", "presence", "notify", "translate")],
)

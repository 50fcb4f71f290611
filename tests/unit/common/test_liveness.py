"""Liveness: a component that never works again in this process fails the probe, an unready one does not."""

from __future__ import annotations

from parley.common.runtime.service import Service
from parley.common.runtime.settings import ServiceSettings


class Connection:
    name = "database"

    def __init__(self, unready: str | None, stuck: str | None) -> None:
        self._unready, self._stuck = unready, stuck

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    def unready_reason(self) -> str | None:
        return self._unready

    def stuck_reason(self) -> str | None:
        return self._stuck


class Task:
    name = "task"

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    def unready_reason(self) -> str | None:
        return None


def build_service(connection: Connection, *, optional: bool = False) -> Service:
    settings = ServiceSettings(
        env="development", identity_secret="5f0b7f0e9c1d4a7b8e2f6a3c9d0e1f2a", amqp_url="amqp://unused"
    )
    service = Service("chat", settings)
    service.add(connection, optional=optional)
    service.add(Task())
    return service


def test_an_unavailable_database_does_not_fail_the_liveness_probe() -> None:
    service = build_service(Connection("does not answer", None))
    assert service.unready_reasons() == {"database": "does not answer"}
    assert not service.stuck_reasons()


def test_a_dependency_that_requests_do_without_makes_the_service_degraded_not_unready() -> None:
    service = build_service(Connection("does not answer", None), optional=True)
    assert service.unready_reasons() == {}
    assert service.degraded_reasons() == {"database": "does not answer"}


def test_a_database_client_that_hangs_fails_the_liveness_probe() -> None:
    service = build_service(Connection("does not answer", "no call has returned for 61 s"))
    assert service.stuck_reasons() == {"database": "no call has returned for 61 s"}

"""One stack for tests of external services: AI endpoints, LibreTranslate, a push provider and a trace collector.

All of these are fakes that run in the test process. The tests of this directory run on one worker.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parley_dev.stack import Stack
from support.api import ApiClient
from support.fcm import FcmServer
from support.infrastructure import Infrastructure
from support.libretranslate import FakeLibreTranslate
from support.openai_server import FakeOpenAIServer
from support.otlp_collector import OtlpCollector
from support.tenants import TenantFixture


@pytest.fixture(scope="package")
async def openai_server() -> AsyncIterator[FakeOpenAIServer]:
    """The AI endpoint of the installation."""
    async with FakeOpenAIServer() as server:
        yield server


@pytest.fixture(scope="package")
async def site_endpoints() -> AsyncIterator[tuple[FakeOpenAIServer, FakeOpenAIServer]]:
    """Two AI endpoints that sites may name."""
    async with FakeOpenAIServer() as first, FakeOpenAIServer(["Another", " model."]) as second:
        yield first, second


@pytest.fixture(scope="package")
async def libre() -> AsyncIterator[FakeLibreTranslate]:
    server = await FakeLibreTranslate().start()
    yield server
    await server.stop()


@pytest.fixture(scope="package")
async def collector() -> AsyncIterator[OtlpCollector]:
    async with OtlpCollector() as server:
        yield server


@pytest.fixture(scope="package")
async def fcm() -> AsyncIterator[FcmServer]:
    async with FcmServer() as server:
        yield server


@pytest.fixture(scope="package")
async def stack(
    infrastructure: Infrastructure,
    run_directory: Path,
    openai_server: FakeOpenAIServer,
    site_endpoints: tuple[FakeOpenAIServer, FakeOpenAIServer],
    libre: FakeLibreTranslate,
    collector: OtlpCollector,
    fcm: FcmServer,
) -> AsyncIterator[Stack]:
    hosts = (server.url.removeprefix("http://").removesuffix("/v1") for server in site_endpoints)
    env = {
        "*": {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-api-key=of-the-collector",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2",
        },
        "chat": {
            "PARLEY_OPENAI_URL": openai_server.url,
            "PARLEY_OPENAI_API_KEY": "sk-test",
            "PARLEY_OPENAI_SECONDS": "5",
            "PARLEY_AI_SESSION_SHARE": "1",
            "PARLEY_AI_ADDRESS_SHARE": "1",
            "PARLEY_AI_PRIVATE_HOSTS": ",".join(hosts),
        },
        "translate": {"PARLEY_LIBRETRANSLATE_URL": libre.url, "PARLEY_TRANSLATE_ENGINES": "libretranslate"},
        "notify": {
            "PARLEY_FCM_CREDENTIALS": json.dumps(fcm.service_account_key),
            "PARLEY_FCM_URL": f"{fcm.base_url}/v1/projects",
            "PARLEY_PUSH_DELAY_SECONDS": "0.3",
        },
    }
    async with infrastructure.stack(run_directory / "integrations", env=env) as stack:
        yield stack


@pytest.fixture(scope="package")
async def api(stack: Stack) -> AsyncIterator[ApiClient]:
    """A client of this stack's gateway."""
    async with ApiClient(stack.gateway_url) as client:
        yield client


@pytest.fixture
async def tenant(
    stack: Stack,
    api: ApiClient,
    mongodb_uri: str,
    openai_server: FakeOpenAIServer,
    site_endpoints: tuple[FakeOpenAIServer, FakeOpenAIServer],
) -> TenantFixture:
    """A tenant of the test's own. The AI endpoints start with their default replies."""
    for server in (openai_server, *site_endpoints):
        server.reset()
    return await TenantFixture.create(api, stack, mongodb_uri)

"""Fixtures of the browser tests: the web pages on the shared stack, Chromium, page objects."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from parley_dev.stack import Stack
from support.api import ApiClient
from support.browser import BrowserSessions, NewContext
from support.infrastructure import Infrastructure
from support.populated_tenant import PopulatedTenant, populate
from support.tcp_proxy import TcpProxy
from support.tenants import TenantFixture

_EXECUTABLES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""In order of the processor time that they take: the first has no windows, so it renders none."""

expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def artifacts() -> Path | None:
    """Return the directory for screenshots; None unless one is named, since nothing looks at them in a usual run."""
    name = os.environ.get("PARLEY_ARTIFACTS") or os.environ.get("PARLEY_PICTURES")
    if name is None:
        return None
    directory = Path(name)
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture(scope="session")
async def stack(infrastructure: Infrastructure) -> Stack:
    """Return the shared stack; its gateway serves the web pages when browser tests are part of the run."""
    stack = await infrastructure.shared_stack()
    if "PARLEY_WEB_DIR" not in stack.environment("gateway"):
        pytest.skip("npm is not installed: the web pages cannot be built")
    return stack


@pytest.fixture
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    """Create a tenant for this test whose site has one knowledge entry."""
    tenant = await TenantFixture.create(api, stack, mongodb_uri)
    entry = {"question": "What are your opening hours?", "answer": "We are open from 9 to 5, Monday to Friday."}
    (await tenant.owner.post(f"/sites/{tenant.site_id}/chatbot/knowledge", entry)).ok(201)
    return tenant


@pytest.fixture(scope="session")
async def populated_tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> PopulatedTenant:
    return await populate(await TenantFixture.create(api, stack, mongodb_uri))


@pytest.fixture
async def shop(populated_tenant: PopulatedTenant) -> PopulatedTenant:
    """A tenant with data, which tests share: they look at it, and add no more than a closed conversation."""
    await populated_tenant.send_heartbeats()
    return populated_tenant


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    executable = next(filter(None, map(shutil.which, _EXECUTABLES)), None)
    if executable is None:
        pytest.skip("Chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable,
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                # A microphone that beeps, and is allowed without asking.
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
            ],
        )
        yield browser
        await browser.close()


@pytest.fixture
async def browsers(chromium: Browser) -> AsyncIterator[NewContext]:
    """Return a function that creates isolated browser contexts."""
    contexts: list[BrowserContext] = []

    async def make(**options: Any) -> BrowserContext:
        context_options = {"viewport": {"width": 1360, "height": 820}, "locale": "en-GB", **options}
        context = await chromium.new_context(**context_options)
        contexts.append(context)
        return context

    yield make
    await asyncio.gather(*(context.close() for context in contexts))


@pytest.fixture
async def sessions(browsers: NewContext) -> AsyncIterator[BrowserSessions]:
    """Open panels and widgets; fail the test when a page logged an error."""
    sessions = BrowserSessions(browsers)
    yield sessions
    assert not sessions.errors()


@pytest.fixture
async def network(stack: Stack) -> AsyncIterator[TcpProxy]:
    """Start a proxy between browser and gateway whose connections can be cut."""
    host, port = stack.gateway_url.removeprefix("http://").split(":")
    proxy = TcpProxy(host, int(port))
    await proxy.start()
    yield proxy
    await proxy.stop()

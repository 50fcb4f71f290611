"""What browser tests may ask for: the built web pages on a stack of their own, Chromium, and people in front of it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from conftest import RELAXED, started_stack
from parley_dev.stack import Stack
from parley_dev.web import build_web
from support.api import ApiClient
from support.browser import BrowserSessions, NewContext
from support.tcp_proxy import TcpProxy
from support.tenants import TenantFixture

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
ARTIFACTS = ROOT / ".dev" / "artifacts" / "browser"

expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def web_dir() -> Path:
    """The built pages; built now if they are not there, or older than what they are made of."""
    built = build_web(WEB)
    if built is None:
        pytest.skip("npm is not installed: the web pages cannot be built")
    return built


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where screenshots are kept, for people to look at."""
    directory = Path(os.environ.get("PARLEY_ARTIFACTS", ARTIFACTS))
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture(scope="session")
async def stack(servers: tuple[str, str], run_directory: Path, web_dir: Path) -> AsyncIterator[Stack]:
    """All five services, with the web pages at the gateway."""
    env = {"gateway": {**RELAXED, "PARLEY_WEB_DIR": str(web_dir)}}
    async for started in started_stack(servers, run_directory / "browser-stack", 1, env):
        yield started


@pytest.fixture(scope="session")
async def api(stack: Stack) -> AsyncIterator[ApiClient]:
    async with ApiClient(stack.gateway_url) as client:
        yield client


@pytest.fixture
async def tenant(stack: Stack, api: ApiClient, servers: tuple[str, str]) -> TenantFixture:
    """A tenant of the test's own, whose site knows one answer."""
    tenant = await TenantFixture.create(api, stack, servers[0])
    entry = {"question": "What are your opening hours?", "answer": "We are open from 9 to 5, Monday to Friday."}
    (await tenant.owner.post(f"/sites/{tenant.site_id}/chatbot/knowledge", entry)).ok(201)
    return tenant


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("Chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"],
        )
        yield browser
        await browser.close()


@pytest.fixture
async def browsers(chromium: Browser) -> AsyncIterator[NewContext]:
    """Makes browsers that share nothing: as many people as a test needs."""
    contexts: list[BrowserContext] = []

    async def make(**options: Any) -> BrowserContext:
        wanted = {"viewport": {"width": 1360, "height": 820}, "locale": "en-GB", **options}
        context = await chromium.new_context(**wanted)
        contexts.append(context)
        return context

    yield make
    await asyncio.gather(*(context.close() for context in contexts))


@pytest.fixture
async def sessions(browsers: NewContext) -> AsyncIterator[BrowserSessions]:
    """Opens panels and widgets, and afterwards holds each page to having had no fault."""
    sessions = BrowserSessions(browsers)
    yield sessions
    assert not sessions.errors()


@pytest.fixture
async def network(stack: Stack) -> AsyncIterator[TcpProxy]:
    """A network between a browser and the gateway that can be cut."""
    host, port = stack.gateway_url.removeprefix("http://").split(":")
    proxy = TcpProxy(host, int(port))
    await proxy.start()
    yield proxy
    await proxy.stop()

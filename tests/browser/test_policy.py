"""The widget on a page of somebody else: under the strictest policy, and loading nothing that was not asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture


@asynccontextmanager
async def shop(body: str, policy: str) -> AsyncIterator[str]:
    """A page of a customer's own, at an origin that is not the gateway's. Gives its address."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=body, content_type="text/html", headers={"Content-Security-Policy": policy})

    app = web.Application()
    app.router.add_get("/", page)
    server = TestServer(app)
    await server.start_server()
    try:
        yield f"http://localhost:{server.port}/"
    finally:
        await server.close()


async def test_it_works_under_a_strict_policy_on_another_host(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    gateway = stack.gateway_url
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"domains": ["localhost"]})).ok()
    policy = f"default-src 'none'; script-src {gateway}; connect-src {gateway}; img-src 'self'; trusted-types 'none'"
    tag = f'<script async src="{gateway}/widget.js" data-site-key="{tenant.site_key}"></script>'
    body = f"<!doctype html><html lang=en><title>Shop</title><h1>Shop</h1>{tag}</html>"
    widget = await sessions.widget()
    asked: list[str] = []
    widget.page.on("request", lambda request: asked.append(request.url))
    async with shop(body, policy) as address:
        await widget.page.goto(address)
        opener = widget.page.get_by_role("button", name="Open chat")
        await expect(opener).to_be_visible()
        async with widget.page.expect_response("**/pending-proactive*"):
            pass
        presence = {"/widget.js", "/api/v1/chat/heartbeat", "/api/v1/chat/pending-proactive"}
        loaded = {url.split("?")[0].removeprefix(gateway) for url in asked if url.startswith(gateway)}
        assert loaded == presence, "until it is opened it loads nothing but presence"

        await opener.click()
        box = await widget.page.get_by_role("dialog").bounding_box()
        assert box is not None
        assert box["width"] > 300, "its styles hold under the policy"
        await widget.send_message("What are your opening hours?")
        await expect(widget.log).to_contain_text("We are open from 9 to 5, Monday to Friday.")
        await widget.page.keyboard.press("Escape")
        await expect(opener).to_be_focused()
        others = [url for url in asked if not url.startswith((gateway, address))]
        assert not others, "it loads nothing from any other host, ever"


async def test_the_panel_loads_nothing_from_another_host_and_breaks_no_policy(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    panel = await sessions.panel()
    asked: list[str] = []
    panel.page.on("request", lambda request: asked.append(request.url))
    await panel.log_in(stack.gateway_url, tenant.owner)
    for place in ("Visitors", "Archive", "Sites", "Team", "Ratings", "Audit"):
        await panel.page.get_by_role("navigation", name="Main").get_by_role("link", name=place).click()
        await expect(panel.page.get_by_role("heading", name=place, exact=True)).to_be_visible()
    assert all(url.startswith(stack.gateway_url) for url in asked)
    inline = panel.page.locator("[style]:not(textarea), style, script:not([src])")
    await expect(inline).to_have_count(0)
    assert not any("token=" in url for url in asked), "a token is in no address"

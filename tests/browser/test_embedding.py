"""The widget on a customer's page: it works under a strict Content Security Policy and loads nothing unasked."""

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
async def serve_page(body: str, policy: str) -> AsyncIterator[str]:
    """Serve a page at an origin other than the gateway's; yield its URL."""

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


async def test_widget_works_under_a_strict_policy_on_another_origin(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    gateway = stack.gateway_url
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"domains": ["localhost"]})).ok()
    policy = f"default-src 'none'; script-src {gateway}; connect-src {gateway}; img-src 'self'; trusted-types 'none'"
    tag = f'<script async src="{gateway}/widget.js" data-site-key="{tenant.site_key}" data-colour="#1f6f5c"></script>'
    body = f"<!doctype html><html lang=en><title>Shop</title><h1>Shop</h1>{tag}</html>"
    widget = await sessions.widget()
    asked: list[str] = []
    widget.page.on("request", lambda request: asked.append(request.url))
    async with serve_page(body, policy) as address:
        await widget.page.goto(address)
        opener = widget.page.get_by_role("button", name="Open chat")
        await expect(opener).to_be_visible()
        async with widget.page.expect_response("**/pending-proactive*"):
            pass
        presence = {"/widget.js", "/api/v1/chat/heartbeat", "/api/v1/chat/pending-proactive"}
        loaded = {url.split("?")[0].removeprefix(gateway) for url in asked if url.startswith(gateway)}
        assert loaded == presence, "before it is opened it sends only the heartbeat"

        await opener.click()
        box = await widget.page.get_by_role("dialog").bounding_box()
        assert box is not None
        assert box["width"] > 300, "the policy must not block its styles"
        await widget.send_message("What are your opening hours?")
        await expect(widget.log).to_contain_text("We are open from 9 to 5, Monday to Friday.")
        await widget.page.keyboard.press("Escape")
        await expect(opener).to_be_focused()
        others = [url for url in asked if not url.startswith((gateway, address))]
        assert not others, "it must not load anything from another host"


async def test_panel_loads_nothing_from_another_origin_and_has_no_inline_code(
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
    assert not any("token=" in url for url in asked), "a token must not be part of a URL"

"""The widget in Firefox and WebKit, where they are installed: by keyboard alone, on a page of another origin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parley_dev.stack import Stack
from support.shop import build_page, serve_pages
from support.tenants import TenantFixture
from support.webdriver import ENTER, ESCAPE, TAB, Firefox, WebDriver, WebKit, firefox_path, has_webkit

_CHAT = "document.querySelector('parley-chat').shadowRoot"
_BUTTON = f"{_CHAT}.querySelector('.launcher')"
_LOG = f"{_CHAT}.querySelector('[role=log]')"
_FOCUSED = f"{_CHAT}.activeElement"


@pytest.fixture(params=["firefox", "webkit"])
async def browser(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[WebDriver]:
    if request.param == "firefox":
        if firefox_path() is None:
            pytest.skip("Firefox is not installed")
        async with Firefox.start(tmp_path) as firefox:
            yield firefox
    else:
        if not has_webkit():
            pytest.skip("WebKitWebDriver is not installed, or no display")
        async with WebKit.start(tmp_path) as webkit:
            yield webkit


async def test_a_visitor_chats_by_keyboard(tenant: TenantFixture, stack: Stack, browser: WebDriver) -> None:
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"domains": ["localhost"]})).ok()
    tag = f'<script async src="{stack.gateway_url}/widget.js" data-site-key="{tenant.site_key}"></script>'
    async with serve_pages({"/": build_page(tag)}) as address:
        await browser.open(f"{address}/")
        await browser.wait_for(f"document.querySelector('parley-chat') && {_BUTTON}?.checkVisibility()")
        await browser.press(TAB)
        await browser.wait_for(f"{_FOCUSED} === {_BUTTON}")
        await browser.press(ENTER)
        await browser.wait_for(f"{_FOCUSED}?.tagName === 'TEXTAREA'")
        await browser.press(f"What are your opening hours?{ENTER}")
        await browser.wait_for(f"{_LOG}?.textContent.includes('We are open from 9 to 5')")

        # An operator answers on the live stream.
        (chat,) = (await tenant.owner.get("/operator/all-active-chats", status="ai,pending")).ok()["chats"]
        (await tenant.alex.post(f"/operator/accept/{chat['id']}")).ok()
        await tenant.alex.send_message(chat["id"], "Alex here, hello.")
        await browser.wait_for(f"{_LOG}.textContent.includes('Alex here, hello.')")

        await browser.reload()
        await browser.wait_for(
            f"document.querySelector('parley-chat') && {_LOG}?.textContent.includes('Alex here, hello.')"
        )
        colour = f"getComputedStyle({_CHAT}.querySelector('[role=dialog]')).backgroundColor"
        light = await browser.evaluate(colour)
        await browser.evaluate("parley('setTheme', 'dark')")
        await browser.wait_for(f"{colour} !== '{light}'")

        # Back to the button.
        await browser.wait_for(f"{_CHAT}.querySelector('textarea').focus() || {_FOCUSED}?.tagName === 'TEXTAREA'")
        await browser.press(ESCAPE)
        await browser.wait_for(f"{_FOCUSED} === {_BUTTON}")
        assert not await browser.evaluate(f"{_CHAT}.querySelector('[role=dialog]')?.checkVisibility() ?? false")

"""Every main screen: no serious accessibility finding, nothing wider than the window, and a picture to look at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Page, expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions, Panel, Widget
from support.shop import Shop, busy
from support.tenants import TenantFixture

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 800}, "has_touch": True}
DARK: dict[str, Any] = {"color_scheme": "dark"}
PLACES = ("Visitors", "Archive", "Sites", "Team", "Ratings", "Audit")


PICTURES = {"panel-chat-light": "panel", "panel-chat-dark": "panel-dark", "widget-operator-light": "widget"}
"""Those that the README shows; made anew, smaller, where PARLEY_PICTURES names a folder for them."""


@pytest.fixture
async def shop(tenant: TenantFixture) -> Shop:
    return await busy(tenant)


async def looked_at(shown: Panel | Widget, artifacts: Path, name: str) -> None:
    """Keep a picture, and hold the screen to what every screen must be."""
    await shown.page.wait_for_timeout(250)
    await shown.screenshot(artifacts, name)
    if (folder := os.environ.get("PARLEY_PICTURES")) and name in PICTURES:
        shrink(artifacts / f"{name}.png", Path(folder) / f"{PICTURES[name]}.png")
    assert await wide(shown.page) == 0, f"{name} scrolls sideways"
    assert not await shown.accessibility_violations(), name


def shrink(large: Path, small: Path) -> None:
    """Two thirds of the size: small enough for a repository."""
    small.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(large) as picture:
        size = (picture.width * 2 // 3, picture.height * 2 // 3)
        picture.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(small, optimize=True)


async def wide(page: Page) -> int:
    """By how many pixels the page, or what scrolls up and down in it, is wider than there is room."""
    wider: int = await page.evaluate(
        """() => {
          const scroll = [...document.querySelectorAll('main, aside, [role=tabpanel], [aria-label=Messages]')]
          const over = scroll.map((element) => element.scrollWidth - element.clientWidth)
          return Math.max(document.documentElement.scrollWidth - innerWidth, ...over)
        }"""
    )
    return max(0, wider)


async def test_login(stack: Stack, sessions: BrowserSessions, artifacts: Path) -> None:
    panel = await sessions.panel()
    await panel.page.goto(f"{stack.gateway_url}/panel")
    await looked_at(panel, artifacts, "panel-login")
    await panel.page.get_by_label("E-mail").fill("nobody@example.test")
    await panel.page.get_by_label("Password").fill("not the password")
    await panel.page.get_by_role("button", name="Log in").click()
    await expect(panel.page.get_by_role("alert")).to_be_visible()
    await looked_at(panel, artifacts, "panel-login-refused")


@pytest.mark.parametrize(("name", "options"), [("light", {}), ("dark", DARK)])
async def test_chats(
    name: str, options: dict[str, Any], shop: Shop, stack: Stack, sessions: BrowserSessions, artifacts: Path
) -> None:
    panel = await sessions.panel(**options)
    await panel.log_in(stack.gateway_url, shop.tenant.alex)
    await panel.select_list("Waiting")
    await expect(panel.page.get_by_role("tabpanel").get_by_role("link")).to_have_count(2)
    await looked_at(panel, artifacts, f"panel-queue-{name}")
    await panel.select_list("All")
    await panel.open(shop.talk)
    await expect(panel.messages.get_by_role("img")).to_be_visible()
    await looked_at(panel, artifacts, f"panel-chat-{name}")
    await panel.reply.fill("/")
    await looked_at(panel, artifacts, f"panel-canned-{name}")
    await panel.reply.fill("")
    await panel.open(shop.arabic)
    await expect(panel.messages).to_contain_text("Casablanca")
    await looked_at(panel, artifacts, f"panel-rtl-{name}")
    await panel.open(shop.waiting)
    await expect(panel.page.get_by_role("button", name="Accept")).to_be_visible()
    await looked_at(panel, artifacts, f"panel-long-name-{name}")
    await panel.page.get_by_role("button", name="Transfer").click()
    await expect(panel.page.get_by_role("dialog")).to_contain_text("Sam")
    await looked_at(panel, artifacts, f"panel-transfer-{name}")
    await panel.page.keyboard.press("Escape")
    await panel.page.keyboard.press("?")
    await looked_at(panel, artifacts, f"panel-keys-{name}")


async def test_chats_on_a_phone(shop: Shop, stack: Stack, sessions: BrowserSessions, artifacts: Path) -> None:
    panel = await sessions.panel(**PHONE)
    await panel.log_in(stack.gateway_url, shop.tenant.alex)
    await panel.select_list("All")
    await looked_at(panel, artifacts, "panel-phone-queue")
    await panel.page.evaluate("localStorage.setItem('parley.details', 'false')")
    await panel.page.reload()
    await panel.open(shop.talk)
    await looked_at(panel, artifacts, "panel-phone-chat")
    await panel.page.get_by_role("button", name="Details").click()
    await looked_at(panel, artifacts, "panel-phone-details")
    await panel.page.get_by_role("button", name="Hide details").click()
    await panel.page.get_by_role("button", name="Back to the queue").click()
    await expect(panel.page.get_by_role("tab", name="All")).to_be_visible()


@pytest.mark.parametrize(("name", "options"), [("light", {}), ("dark", DARK), ("phone", PHONE)])
async def test_the_administrators_part(
    name: str, options: dict[str, Any], shop: Shop, stack: Stack, sessions: BrowserSessions, artifacts: Path
) -> None:
    panel = await sessions.panel(**options)
    await panel.log_in(stack.gateway_url, shop.tenant.owner)
    main = panel.page.get_by_role("navigation", name="Main")
    for place in PLACES:
        await main.get_by_role("link", name=place).click()
        await expect(panel.page.get_by_role("heading", name=place, exact=True)).to_be_visible()
        await expect(panel.page.get_by_role("status", name="Loading")).to_have_count(0)
        await looked_at(panel, artifacts, f"panel-{place.lower()}-{name}")
    await main.get_by_role("link", name="Sites").click()
    for tab in ("Assistant", "Knowledge", "Settings"):
        await panel.page.get_by_role("navigation", name="Parts of the site").get_by_role("link", name=tab).click()
        await expect(panel.page.get_by_role("status", name="Loading")).to_have_count(0)
        await looked_at(panel, artifacts, f"panel-site-{tab.lower()}-{name}")
    await main.get_by_role("link", name="Team").click()
    await panel.page.get_by_role("button", name="Change Alex").click()
    await looked_at(panel, artifacts, f"panel-member-{name}")
    await panel.page.keyboard.press("Escape")
    await panel.page.get_by_role("button", name="menu").click()
    await looked_at(panel, artifacts, f"panel-menu-{name}")
    await panel.page.get_by_role("link", name="Settings").click()
    await looked_at(panel, artifacts, f"panel-own-settings-{name}")


async def test_an_empty_panel(tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path) -> None:
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.owner)
    await looked_at(panel, artifacts, "panel-empty")
    for place in ("Visitors", "Archive", "Ratings"):
        await panel.page.get_by_role("navigation", name="Main").get_by_role("link", name=place).click()
        await looked_at(panel, artifacts, f"panel-empty-{place.lower()}")


@pytest.mark.parametrize(
    ("name", "options", "background"),
    [("light", {}, "#ffffff"), ("dark", {}, "#14181d"), ("phone", PHONE, "#ffffff")],
)
async def test_the_widget(
    name: str,
    options: dict[str, Any],
    background: str,
    shop: Shop,
    stack: Stack,
    sessions: BrowserSessions,
    artifacts: Path,
) -> None:
    tenant = shop.tenant
    colours = {"colours": {"primary": "#2c6b4a", "background": background}}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", colours)).ok()
    widget = await sessions.widget(**options)
    await widget.page.goto(f"{stack.gateway_url}/demo?site_key={tenant.site_key}")
    await looked_at(widget, artifacts, f"widget-closed-{name}")
    await widget.page.get_by_role("button", name="Open chat").click()
    await expect(widget.log).to_contain_text("Ask me anything")
    await looked_at(widget, artifacts, f"widget-open-{name}")
    await widget.send_message("How do I send something back?")
    await expect(widget.log).to_contain_text("label")
    await looked_at(widget, artifacts, f"widget-ai-{name}")
    await widget.ask_for_person()
    await expect(widget.log).to_contain_text("Waiting for a person…")
    await looked_at(widget, artifacts, f"widget-waiting-{name}")
    rows = (await tenant.alex.get("/operator/all-active-chats", status="pending")).ok()["chats"]
    conversation = rows[-1]["id"]
    (await tenant.alex.post(f"/operator/accept/{conversation}")).ok()
    await tenant.alex.send_message(
        conversation, "Hi, this is Alex. I have sent you a label: https://shop.test/returns/1187"
    )
    await expect(widget.log).to_contain_text("this is Alex")
    (await tenant.alex.post("/operator/typing", {"conversation_id": conversation})).ok()
    await expect(widget.log).to_contain_text("Alex is typing…")
    await looked_at(widget, artifacts, f"widget-operator-{name}")
    (await tenant.alex.post(f"/operator/close/{conversation}")).ok()
    await widget.page.get_by_role("radio", name="4 of 5").check()
    await looked_at(widget, artifacts, f"widget-rating-{name}")


async def test_the_widget_in_a_language_written_from_right_to_left(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path
) -> None:
    widget = await sessions.widget(locale="ar")
    await widget.page.goto(f"{stack.gateway_url}/demo?site_key={tenant.site_key}")
    await widget.page.get_by_role("button", name="افتح المحادثة").click()
    await widget.page.get_by_role("textbox", name="اكتب رسالة…").fill("هل تشحنون إلى الدار البيضاء؟")
    await widget.page.keyboard.press("Enter")
    await expect(widget.page.get_by_role("button", name="التحدث مع شخص")).to_be_visible()
    await looked_at(widget, artifacts, "widget-rtl")


async def test_the_widget_when_nobody_is_there(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path
) -> None:
    widget = await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message("I need a person")
    await widget.ask_for_person()
    await expect(widget.page.get_by_role("textbox", name="Your e-mail")).to_be_visible()
    await looked_at(widget, artifacts, "widget-offline")
    await widget.page.get_by_role("textbox", name="Your e-mail").fill("ida@example.test")
    await widget.page.get_by_role("button", name="Leave e-mail").click()
    await expect(widget.log).to_contain_text("We will write to ida@example.test.")
    leads = (await tenant.owner.get(f"/sites/{tenant.site_id}/leads")).ok()["leads"]
    assert [lead["email"] for lead in leads] == ["ida@example.test"]

"""Every page: no serious accessibility violation, no horizontal scrolling, and a screenshot."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions, Panel, Widget
from support.populated_tenant import PopulatedTenant
from support.tenants import TenantFixture

PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 800}, "has_touch": True}
COLOUR_RULES = ("color-contrast", "link-in-text-block")
"""The rules of axe whose result depends on colours."""
PAGES = {
    "Visitors": "Visitors",
    "Archive": "Archive",
    "Search": "Search everything",
    "Sites": "Sites",
    "Team": "Team",
    "Ratings": "Ratings",
    "Reports": "Reports",
    "Audit": "Audit",
}
"""The headings of the pages, by the names in the sidebar."""


SQUEEZED = """() => [...document.querySelectorAll('.search input, .knowledge-list li > div')]
  .filter((element) => element.checkVisibility() && element.offsetWidth < 150)
  .map((element) => element.textContent || element.getAttribute('aria-label') || element.outerHTML)"""
"""The search fields and texts of lists that are narrower than a few words."""

README_SCREENSHOTS = {"panel-chat-light": "panel", "panel-chat-dark": "panel-dark", "widget-operator-light": "widget"}
"""The README's screenshots, by name; written at a smaller size when PARLEY_PICTURES names a folder."""


async def check_page(page: Panel | Widget, artifacts: Path | None, name: str) -> None:
    """Take a screenshot; assert that the page does not scroll sideways and is accessible."""
    await take_screenshot(page, artifacts, name)
    assert await page.horizontal_overflow() == 0, f"{name} scrolls sideways"
    assert not await page.accessibility_violations(), name


async def check_schemes(page: Panel, artifacts: Path | None, name: str) -> None:
    """Check the page in light and in dark colours: what is not a matter of colours, once."""
    await check_page(page, artifacts, f"{name}-light")
    await page.page.emulate_media(color_scheme="dark")
    await take_screenshot(page, artifacts, f"{name}-dark")
    assert not await page.accessibility_violations(rules=COLOUR_RULES), f"{name} in dark colours"
    await page.page.emulate_media(color_scheme="light")


async def check_phone(page: Panel, artifacts: Path | None, name: str) -> None:
    await check_page(page, artifacts, f"{name}-phone")
    assert await page.page.evaluate(SQUEEZED) == [], f"{name} squeezes texts beside buttons"


Check = Callable[[Panel, Path | None, str], Awaitable[None]]


async def take_screenshot(page: Panel | Widget, artifacts: Path | None, name: str) -> None:
    """Wait until the page is as it stays, and save a screenshot if there is a directory for it."""
    await page.wait_settled()
    await page.screenshot(artifacts, name)
    if artifacts is not None and (folder := os.environ.get("PARLEY_PICTURES")) and name in README_SCREENSHOTS:
        shrink(artifacts / f"{name}.png", Path(folder) / f"{README_SCREENSHOTS[name]}.png")


def shrink(source: Path, target: Path) -> None:
    """Write an image at two thirds of its size."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as picture:
        size = (picture.width * 2 // 3, picture.height * 2 // 3)
        picture.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(target, optimize=True)


async def test_login(stack: Stack, sessions: BrowserSessions, artifacts: Path | None) -> None:
    panel = await sessions.panel()
    await panel.page.goto(f"{stack.gateway_url}/panel")
    await check_page(panel, artifacts, "panel-login")
    await panel.page.get_by_label("E-mail").fill("nobody@example.test")
    await panel.page.get_by_label("Password").fill("not the password")
    await panel.page.get_by_role("button", name="Log in").click()
    await expect(panel.page.get_by_role("alert")).to_be_visible()
    await check_page(panel, artifacts, "panel-login-refused")


async def test_chats(shop: PopulatedTenant, stack: Stack, sessions: BrowserSessions, artifacts: Path | None) -> None:
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, shop.tenant.alex)
    await panel.select_list("Waiting")
    await expect(panel.page.get_by_role("tabpanel").get_by_role("link")).to_have_count(2)
    await check_schemes(panel, artifacts, "panel-queue")
    await panel.select_list("All")
    await panel.open(shop.long_conversation_id)
    await expect(panel.messages.get_by_role("img")).to_be_visible()
    await check_schemes(panel, artifacts, "panel-chat")
    await panel.reply.fill("/")
    await check_schemes(panel, artifacts, "panel-canned")
    await panel.reply.fill("")
    await panel.open(shop.arabic_conversation_id)
    await expect(panel.messages).to_contain_text("Casablanca")
    await check_schemes(panel, artifacts, "panel-rtl")
    await panel.open(shop.pending_conversation_id)
    await expect(panel.page.get_by_role("button", name="Accept")).to_be_visible()
    await check_schemes(panel, artifacts, "panel-long-name")
    await panel.page.get_by_role("button", name="Transfer").click()
    await expect(panel.page.get_by_role("dialog")).to_contain_text("Sam")
    await check_schemes(panel, artifacts, "panel-transfer")
    await panel.page.keyboard.press("Escape")
    await panel.page.keyboard.press("?")
    await check_schemes(panel, artifacts, "panel-keys")


async def test_chats_on_a_phone(
    shop: PopulatedTenant, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    panel = await sessions.panel(**PHONE)
    await panel.log_in(stack.gateway_url, shop.tenant.alex)
    await panel.select_list("All")
    await check_page(panel, artifacts, "panel-phone-queue")
    await panel.open(shop.long_conversation_id)
    # On a narrow screen the details would cover the chat: they are closed until asked for.
    await expect(panel.page.get_by_role("complementary", name="Visitor")).to_have_count(0)
    await check_page(panel, artifacts, "panel-phone-chat")
    await panel.page.get_by_role("button", name="Details").click()
    await check_page(panel, artifacts, "panel-phone-details")
    await panel.page.get_by_role("button", name="Hide details").click()
    await panel.page.get_by_role("button", name="Back to inbox").click()
    await expect(panel.page.get_by_role("tab", name="All")).to_be_visible()
    # Its header has the most buttons.
    await panel.open(shop.pending_conversation_id)
    await check_page(panel, artifacts, "panel-phone-waiting")


@pytest.mark.parametrize(("options", "check"), [({}, check_schemes), (PHONE, check_phone)], ids=["desktop", "phone"])
async def test_administration(
    options: dict[str, Any],
    check: Check,
    shop: PopulatedTenant,
    stack: Stack,
    sessions: BrowserSessions,
    artifacts: Path | None,
) -> None:
    panel = await sessions.panel(**options)
    await panel.log_in(stack.gateway_url, shop.tenant.owner)
    main = panel.page.get_by_role("navigation", name="Main")
    for page_name, heading in PAGES.items():
        await main.get_by_role("link", name=page_name).click()
        await expect(panel.page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        await expect(panel.page.get_by_role("status", name="Loading")).to_have_count(0)
        await check(panel, artifacts, f"panel-{page_name.lower()}")
    await main.get_by_role("link", name="Sites").click()
    for tab in ("Assistant", "Knowledge", "Routing", "Settings"):
        await panel.page.get_by_role("navigation", name="Site sections").get_by_role("link", name=tab).click()
        await expect(panel.page.get_by_role("status", name="Loading")).to_have_count(0)
        await check(panel, artifacts, f"panel-site-{tab.lower()}")
    await main.get_by_role("link", name="Team").click()
    await panel.page.get_by_role("button", name="Edit Alex").click()
    await check(panel, artifacts, "panel-member")
    await panel.page.keyboard.press("Escape")
    await panel.page.get_by_role("button", name="menu").click()
    await check(panel, artifacts, "panel-menu")
    await panel.page.get_by_role("link", name="Settings").click()
    await check(panel, artifacts, "panel-own-settings")


async def test_panel_without_data(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.owner)
    await check_page(panel, artifacts, "panel-empty")
    for page_name in ("Visitors", "Archive", "Ratings"):
        await panel.page.get_by_role("navigation", name="Main").get_by_role("link", name=page_name).click()
        await check_page(panel, artifacts, f"panel-empty-{page_name.lower()}")


@pytest.mark.parametrize(
    ("name", "options", "background"),
    [("light", {}, "#ffffff"), ("dark", {}, "#14181d"), ("phone", PHONE, "#ffffff")],
)
async def test_widget(
    name: str,
    options: dict[str, Any],
    background: str,
    shop: PopulatedTenant,
    stack: Stack,
    sessions: BrowserSessions,
    artifacts: Path | None,
) -> None:
    tenant = shop.tenant
    colours = {"colours": {"primary": "#2c6b4a", "background": background}}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", colours)).ok()
    widget = await sessions.widget(**options)
    await widget.page.goto(f"{stack.gateway_url}/demo?site_key={tenant.site_key}")
    await check_page(widget, artifacts, f"widget-closed-{name}")
    await widget.page.get_by_role("button", name="Open chat").click()
    await expect(widget.log).to_contain_text("Ask me anything")
    await check_page(widget, artifacts, f"widget-open-{name}")
    await widget.send_message("How do I send something back?")
    await expect(widget.log).to_contain_text("label")
    await check_page(widget, artifacts, f"widget-ai-{name}")
    await widget.ask_for_person()
    await expect(widget.log).to_contain_text("Waiting for a person…")
    await check_page(widget, artifacts, f"widget-waiting-{name}")
    rows = (await tenant.alex.get("/operator/all-active-chats", status="pending")).ok()["chats"]
    conversation = rows[-1]["id"]
    (await tenant.alex.post(f"/operator/accept/{conversation}")).ok()
    await tenant.alex.send_message(
        conversation, "Hi, this is Alex. I have sent you a label: https://shop.test/returns/1187"
    )
    await expect(widget.log).to_contain_text("this is Alex")
    (await tenant.alex.post("/operator/typing", {"conversation_id": conversation})).ok()
    await expect(widget.log).to_contain_text("Alex is typing…")
    await check_page(widget, artifacts, f"widget-operator-{name}")
    (await tenant.alex.post(f"/operator/close/{conversation}")).ok()
    await widget.page.get_by_role("radio", name="4 of 5").check()
    await check_page(widget, artifacts, f"widget-rating-{name}")


async def test_widget_in_a_right_to_left_language(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    widget = await sessions.widget(locale="ar")
    await widget.page.goto(f"{stack.gateway_url}/demo?site_key={tenant.site_key}")
    await widget.page.get_by_role("button", name="محادثة").click()
    await widget.page.get_by_role("textbox", name="اكتب رسالة…").fill("هل تشحنون إلى الدار البيضاء؟")
    await widget.page.keyboard.press("Enter")
    await expect(widget.page.get_by_role("button", name="التحدث مع شخص")).to_be_visible()
    await check_page(widget, artifacts, "widget-rtl")


async def test_widget_without_operators_online(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    widget = await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message("Where is my parcel?")
    await widget.ask_for_person()
    await expect(widget.page.get_by_role("textbox", name="Your e-mail")).to_be_visible()
    await check_page(widget, artifacts, "widget-offline")
    await widget.page.get_by_role("textbox", name="Your e-mail").fill("ida@example.test")
    await widget.page.get_by_role("button", name="Leave e-mail").click()
    await expect(widget.log).to_contain_text("We will write to ida@example.test.")
    leads = (await tenant.owner.get(f"/sites/{tenant.site_id}/leads")).ok()["leads"]
    assert [lead["email"] for lead in leads] == ["ida@example.test"]

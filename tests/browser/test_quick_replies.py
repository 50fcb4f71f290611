"""Quick replies: an operator writes them, and the visitor chooses one."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture


async def test_a_visitor_chooses_a_quick_reply(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    panel, widget = await sessions.panel(), await sessions.widget()
    await panel.log_in(stack.gateway_url, tenant.alex)
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message("Who invented zebras?")
    offer = widget.page.get_by_role("button", name="I want to talk to a person")
    await expect(offer).to_be_visible()
    await expect(widget.page.get_by_role("button", name="Talk to a person", exact=True)).to_have_count(0)
    await offer.click()
    await expect(widget.log).to_be_focused()
    await panel.select_list("Waiting")
    await panel.page.get_by_role("link", name=re.compile(r"^Visitor \w{4}")).click()
    await expect(panel.messages).to_contain_text("Visitor asked for a human")
    await panel.page.keyboard.press("a")
    await expect(panel.messages).to_contain_text("You joined")
    await expect(panel.reply).to_be_focused()

    await panel.page.get_by_role("button", name="Quick replies").click()
    await panel.page.get_by_role("textbox", name="Button 1: label").fill("Small")
    await panel.page.get_by_role("textbox", name="Button 1: sends or opens").fill("The small one, please")
    await panel.page.get_by_role("button", name="Add a button").click()
    await panel.page.get_by_role("textbox", name="Button 2: label").fill("Size chart")
    await panel.page.get_by_role("textbox", name="Button 2: sends or opens").fill(f"{stack.gateway_url}/demo")
    await panel.screenshot(artifacts, "quick-replies-composer")
    await panel.reply.fill("Which size?")
    await panel.reply.press("Enter")
    await expect(panel.messages.get_by_role("list", name="Quick replies").last).to_contain_text("Size chart")

    offered = widget.log.get_by_role("group", name="Suggested answers")
    link = offered.get_by_role("link", name="Size chart")
    await expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    await expect(widget.log.locator(".author").last).to_have_text("Alex")
    sound = widget.page.get_by_role("button", name="Sound of new messages")
    await sound.click()
    await expect(sound).to_have_attribute("aria-pressed", "false")
    await widget.screenshot(artifacts, "quick-replies")
    assert not await widget.accessibility_violations()
    await offered.get_by_role("button", name="Small").press("Enter")
    await expect(widget.log).to_contain_text("The small one, please")
    await expect(offered).to_have_count(0)
    await expect(panel.messages).to_contain_text("The small one, please")
    await panel.screenshot(artifacts, "quick-replies-panel")

"""Operators who work in the same chat see each other."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture


async def test_two_operators_see_each_other_view_and_write(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    _, conversation = await tenant.pending_conversation()
    alex, sam = await asyncio.gather(sessions.panel(), sessions.panel())
    await asyncio.gather(alex.log_in(stack.gateway_url, tenant.alex), sam.log_in(stack.gateway_url, tenant.sam))
    await alex.open(conversation)
    await expect(sam.page.get_by_role("link").get_by_text("Alex is viewing")).to_be_attached()
    await sam.open(conversation)
    header = sam.page.locator("header")
    await expect(header.get_by_text("Alex is viewing")).to_be_visible()
    await expect(alex.page.locator("header").get_by_text("Sam is viewing")).to_be_visible()
    await alex.reply.press_sequentially("Hel")
    await expect(header.get_by_text("Alex is writing")).to_be_visible()
    await sam.reply.press_sequentially("Hi")
    await expect(sam.page.get_by_text("Alex is writing here too.")).to_be_visible()
    await expect(alex.page.get_by_text("Sam is writing here too.")).to_be_visible()
    await alex.page.evaluate("location.hash = '#/settings'")
    await expect(header.get_by_text("Alex is")).to_have_count(0)


async def test_a_note_calls_an_operator_by_name(tenant: TenantFixture, stack: Stack, sessions: BrowserSessions) -> None:
    _, conversation = await tenant.assigned_conversation()
    alex, sam = await asyncio.gather(sessions.panel(), sessions.panel())
    await asyncio.gather(alex.log_in(stack.gateway_url, tenant.alex), sam.log_in(stack.gateway_url, tenant.sam))
    await alex.open(conversation)
    await alex.page.get_by_role("button", name="Note", exact=True).click()
    note = alex.page.get_by_role("combobox", name="Private note")
    await note.fill("@Sam, please look at this")
    await note.press("Enter")
    mentions = sam.page.get_by_role("navigation", name="Mentions")
    await mentions.get_by_role("link", name="please look").click()
    await expect(sam.messages).to_contain_text("please look at this")
    await expect(mentions).to_have_count(0)
    await sam.page.reload()
    await expect(sam.messages).to_contain_text("please look at this")
    await expect(mentions).to_have_count(0)

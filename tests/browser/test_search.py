"""An operator finds what was said in a closed chat, and the chat opens there."""

from __future__ import annotations

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture

MESSAGES = 55
"""More than the page of a chat that is loaded first."""


async def test_a_hit_opens_the_closed_chat_at_its_message(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    _, conversation_id = await tenant.pending_conversation("My Käsekuchen has not arrived")
    (await tenant.alex.post(f"/operator/accept/{conversation_id}")).ok()
    note = {"conversation_id": conversation_id, "content": "Refund agreed by telephone"}
    (await tenant.alex.post("/operator/note", note)).ok()
    for number in range(MESSAGES):
        await tenant.alex.send_message(conversation_id, f"Update {number}\nThe parcel is on its way.")
    (await tenant.alex.post(f"/operator/close/{conversation_id}")).ok()

    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.page.keyboard.press("g")
    await panel.page.keyboard.press("f")
    search = panel.page.get_by_role("searchbox", name="Search everything")
    await expect(search).to_be_focused()
    hits = panel.page.get_by_role("list", name="Results").get_by_role("link")

    await search.fill("kasekuchen")
    await expect(hits).to_have_count(1)
    await expect(hits.locator("mark")).to_have_text("Käsekuchen")
    assert not await panel.accessibility_violations()
    await panel.page.keyboard.press("ArrowDown")
    await expect(hits).to_be_focused()
    await panel.page.keyboard.press("Enter")
    await expect(panel.messages.get_by_text("My Käsekuchen has not arrived")).to_be_in_viewport()
    await expect(panel.messages.get_by_text(f"Update {MESSAGES - 1}", exact=False)).not_to_be_in_viewport()

    await panel.page.go_back()
    await expect(search).to_have_value("kasekuchen")
    await search.fill('"agreed by" refund')
    await expect(hits).to_have_count(1)
    await expect(hits).to_contain_text("Note by Alex")
    await panel.page.get_by_role("button", name="Notes").click()
    await expect(panel.page.get_by_text("Nothing found")).to_be_visible()

"""Assignment and teams in the browser: routing is set, a chat is assigned, transferred to a team, and taken by it."""

from __future__ import annotations

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture


async def test_a_chat_is_assigned_and_transferred_to_a_team(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"any_origin": True})).ok()
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.owner)
    page, main = panel.page, panel.page.get_by_role("navigation", name="Main")
    await main.get_by_role("link", name="Team").click()
    await page.get_by_role("button", name="Add team").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Team name").fill("Billing")
    await dialog.get_by_role("checkbox", name="Sam").check()
    assert not await panel.accessibility_violations()
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("region", name="Teams")).to_contain_text("1 member")
    await main.get_by_role("link", name="Sites").click()
    await page.get_by_role("navigation", name="Site sections").get_by_role("link", name="Routing").click()
    await page.get_by_label("Waiting chats").select_option("round_robin")
    await page.get_by_label("Chats per operator").fill("1")
    await page.get_by_role("button", name="Add step").click()
    assert not await panel.accessibility_violations()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.").first).to_be_visible()
    # The owner's open panel would make them a candidate.
    await page.context.close()

    alex = await sessions.panel()
    await alex.log_in(stack.gateway_url, tenant.alex)
    await expect(alex.connected).to_be_visible()
    (await tenant.owner.post("/operator/set-status", {"site_id": tenant.site_id, "online": False})).ok()
    widget = await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message("Is my invoice paid?")
    await widget.ask_for_person()
    await expect(widget.page.get_by_text("Alex", exact=True)).to_be_visible()
    await alex.select_list("Mine")
    await alex.page.get_by_role("link", name="Is my invoice paid?").click()
    await expect(alex.messages).to_contain_text("Assigned to you: next in turn")

    await alex.page.get_by_role("button", name="Transfer").click()
    await alex.page.get_by_role("dialog").get_by_role("button", name="Billing").click()
    await expect(widget.log).to_contain_text("You are number 1 in the queue.")
    await expect(alex.messages).to_contain_text("transferred this chat to the team Billing")
    (await tenant.sam.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()
    await expect(widget.page.get_by_text("Sam", exact=True)).to_be_visible()
    await expect(alex.messages).to_contain_text("Assigned to Sam: next in turn")

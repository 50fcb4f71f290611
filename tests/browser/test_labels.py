"""An operator sorts their inbox: labels, a filter that is saved as a view, a bulk action that is undone, a snooze."""

from __future__ import annotations

import re

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture


async def test_an_operator_labels_filters_and_snoozes_chats(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    ids = []
    for name in ("Ada", "Bert", "Cleo"):
        visitor, conversation_id = await tenant.pending_conversation()
        (await visitor.post("/contact", name=name)).ok()
        (await tenant.alex.post(f"/operator/accept/{conversation_id}")).ok()
        ids.append(conversation_id)
    (await tenant.owner.post("/labels", {"name": "Billing", "scope": "all"})).ok(201)
    panel = await sessions.panel()
    page = panel.page
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.select_list("Mine")
    rows = page.get_by_role("tabpanel").get_by_role("link")
    await expect(rows).to_have_count(3)

    await panel.open(ids[0])
    await page.keyboard.press("h")
    await page.get_by_role("checkbox", name="Billing").check()
    await expect(page.get_by_role("link", name=re.compile("Ada"))).to_contain_text("Billing")
    await page.keyboard.press("Escape")
    await expect(panel.messages).to_contain_text("changed the labels")

    await page.get_by_role("button", name="Filter", exact=True).click()
    await page.get_by_label("Label", exact=True).select_option("Billing")
    await expect(rows).to_have_count(1)
    await page.get_by_role("button", name="Save view").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("Invoices")
    await dialog.get_by_role("button", name="Save").click()
    view = page.get_by_role("navigation", name="Saved views").get_by_role("button", name=re.compile("Invoices"))
    await expect(view).to_contain_text("1")
    assert not await panel.accessibility_violations()
    await page.get_by_role("button", name="Clear filter").click()
    await expect(rows).to_have_count(3)

    await rows.nth(0).click(modifiers=["Shift"])
    await rows.nth(2).click(modifiers=["Shift"])
    selected = page.get_by_role("region", name="Selected chats")
    await expect(selected).to_contain_text("3 chats selected")
    await selected.get_by_role("button", name="Close", exact=True).click()
    await expect(rows).to_have_count(0)
    await expect(view).to_contain_text("0")
    await page.get_by_role("button", name="Undo").click()
    await expect(rows).to_have_count(3)
    await expect(panel.messages).to_contain_text("You undid the last change")

    await page.keyboard.press("z")
    await page.get_by_role("button", name=re.compile("^Tomorrow")).click()
    await expect(panel.page.get_by_text(re.compile("^Snoozed until"))).not_to_have_count(0)
    await expect(rows).to_have_count(2)
    await panel.select_list("Snoozed")
    await expect(rows).to_contain_text(["Ada"])
    await page.get_by_role("button", name="Show again now").click()
    await expect(rows).to_have_count(0)
    await expect(panel.messages).to_contain_text("The snooze ended")

"""The copilot in Chromium: a suggestion goes into the draft, a summary into a note, and nothing to the visitor."""

from __future__ import annotations

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture

REPLY = "Hello from the model."


async def test_the_copilot_writes_into_drafts_only(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", {"engine": "openai"})).ok()
    visitor, conversation_id = await tenant.assigned_conversation()
    before = (await visitor.get("/history")).ok()["messages"]
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.page.goto(f"{stack.gateway_url}/panel/#/chats/{conversation_id}")

    assistant = panel.page.get_by_role("button", name="AI assistant")
    await panel.reply.fill("Helo")
    await assistant.click()
    await panel.page.get_by_role("menuitem", name="Suggest a reply").press("Enter")
    card = panel.page.get_by_role("region", name="AI assistant")
    await expect(card).to_contain_text(REPLY)
    await expect(card).to_contain_text("The AI used no entry of the knowledge.")
    await card.get_by_role("button", name="Use this text").click()
    await expect(panel.reply).to_have_value(REPLY)
    await expect(panel.reply).to_be_focused()
    await panel.page.keyboard.press("Control+z")
    await expect(panel.reply).to_have_value("Helo")

    await assistant.click()
    await panel.page.get_by_role("menuitem", name="Summarize the chat").click()
    await card.get_by_role("button", name="Add to the note").click()
    await expect(panel.page.get_by_role("combobox", name="Private note")).to_have_value(REPLY)

    await panel.page.keyboard.press("Escape")
    await panel.page.get_by_role("button", name="Transfer").click()
    await panel.page.get_by_role("switch", name="Leave an AI summary as a note").click()
    await panel.page.get_by_role("button", name="Sam").click()
    await expect(panel.messages).to_contain_text("private note")
    await expect(panel.messages).to_contain_text(REPLY)
    assert (await visitor.get("/history")).ok()["messages"] == before, "nothing reached the visitor"

"""Gaps of the knowledge in Chromium: what visitors asked, and an operator's answer that becomes an entry."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from browser.test_screens import check_page, check_schemes
from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture
from support.wait import wait_until

QUESTION, ANSWER = "Do you ship to Austria?", "Yes, we deliver to Austria within three days."


async def test_an_operators_answer_to_an_unknown_question_becomes_an_entry(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    site = f"/sites/{tenant.site_id}"
    conversation_id = (await tenant.new_visitor().send_message(QUESTION))["conversation_id"]
    await tenant.alex.send_message(conversation_id, ANSWER)
    for text in ("Liefert ihr nach Österreich?", "How far is the moon?"):
        await tenant.new_visitor().send_message(text)

    async def are_grouped() -> bool:
        return len((await tenant.owner.get(f"{site}/knowledge-gaps")).ok()["gaps"]) == 2

    await wait_until(are_grouped, description="the questions are grouped")
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.owner)
    page = panel.page
    await page.goto(f"{stack.gateway_url}/panel#{site}/gaps")
    await expect(page.get_by_text("asked 2 times")).to_be_visible()
    await check_schemes(panel, artifacts, "knowledge-gaps")
    await page.get_by_role("button", name="Dismiss: How far is the moon?").click()
    await expect(page.get_by_text("How far is the moon?")).to_have_count(0)
    await page.get_by_role("button", name=f"Make entry: {QUESTION}").press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("textbox", name="Answer")).to_have_value(ANSWER)
    await expect(dialog.get_by_role("link", name="Liefert ihr nach Österreich?")).to_be_visible()
    await check_page(panel, artifacts, "knowledge-gap-dialog")
    await dialog.get_by_role("button", name="Add entry").click()
    await expect(page.get_by_text("Nothing here")).to_be_visible()
    entries = (await tenant.owner.get(f"{site}/chatbot/knowledge")).ok()["knowledge"]
    assert ANSWER in [entry["answer"] for entry in entries]
    await page.get_by_role("button", name="Answered").click()
    await expect(page.get_by_text(QUESTION, exact=True)).to_be_visible()
    await page.goto(f"{stack.gateway_url}/panel#{site}/knowledge")
    await page.get_by_role("button", name=f"Edit: {QUESTION}").click()
    await expect(dialog.get_by_role("textbox", name="Answer")).to_have_value(ANSWER)
    await dialog.get_by_role("textbox", name="Answer").fill("Within two days.")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Within two days.")).to_be_visible()


async def test_an_operator_corrects_an_answer_and_finds_the_other_affected_chats(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    site = f"/sites/{tenant.site_id}"
    entry = {"question": "How long can I return an item?", "answer": "Within 14 days."}
    (await tenant.owner.post(f"{site}/chatbot/knowledge", entry)).ok(201)
    visitors = [tenant.new_visitor() for _ in range(2)]
    affected, reported = [(await one.send_message(entry["question"]))["conversation_id"] for one in visitors]
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.owner)
    page, dialog = panel.page, panel.page.get_by_role("dialog")
    await page.goto(f"{stack.gateway_url}/panel#/chats/{reported}")
    await page.get_by_role("button", name="Wrong answer").press("Enter")
    await expect(dialog.get_by_text("Within 14 days.")).to_be_visible()
    await dialog.get_by_label("What is wrong").fill("It is longer.")
    await dialog.get_by_label("Right answer").fill("Within 30 days.")
    await check_schemes(panel, artifacts, "wrong-answer")
    await dialog.get_by_role("button", name="Save").click()
    link = dialog.get_by_role("region", name="Other chats with this answer").get_by_role("link")
    await expect(link).to_have_attribute("href", f"#/chats/{affected}/m2")
    await check_page(panel, artifacts, "affected-conversations")
    entries = (await tenant.owner.get(f"{site}/chatbot/knowledge")).ok()["knowledge"]
    assert [one["answer"] for one in entries if one["question"] == entry["question"]] == ["Within 30 days."]
    await page.goto(f"{stack.gateway_url}/panel#{site}/gaps")
    await expect(page.get_by_text("It is longer.")).to_be_visible()
    await check_page(panel, artifacts, "corrections")

"""Answer tests in Chromium: made from the knowledge, demanded before a change goes live, run and applied."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from browser.test_screens import check_page, check_schemes
from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture


async def test_a_change_of_the_ai_is_tested_and_then_applied(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    site = f"/sites/{tenant.site_id}"
    entry = {"question": "When are you open?", "answer": "We are open from 9:00 to 18:00."}
    (await tenant.owner.post(f"{site}/chatbot/knowledge", entry)).ok(201)
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.owner)
    page = panel.page
    await page.goto(f"{stack.gateway_url}/panel#{site}/tests")
    await page.get_by_role("button", name="From the knowledge").click()
    await expect(page.get_by_text("When are you open?", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Add test").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox", name="Question").fill("How far is the moon?")
    await check_page(panel, artifacts, "answer-test-dialog")
    await dialog.get_by_role("button", name="Save").click()
    await page.get_by_role("button", name="Run tests").click()
    await dialog.get_by_role("button", name="Run tests").click()
    await expect(dialog.get_by_role("status").first).to_contain_text("Not all tests passed", timeout=30_000)
    await expect(dialog).to_contain_text("Did not answer")
    await check_schemes(panel, artifacts, "answer-test-run")
    await dialog.get_by_role("button", name="Close").last.click()
    await page.get_by_role("button", name="Edit: How far is the moon?").click()
    await dialog.get_by_label("The assistant must").select_option("decline")
    await dialog.get_by_role("button", name="Save").click()
    await check_page(panel, artifacts, "answer-tests")

    (await tenant.owner.send("PUT", f"{site}/chatbot", {"require_answer_tests": True})).ok()
    await page.get_by_role("navigation", name="Site sections").get_by_role("link", name="Assistant").click()
    await page.get_by_label("Instructions").fill("Be brief.")
    await page.get_by_role("button", name="Save").click()
    await dialog.get_by_role("button", name="Run tests").click()
    await dialog.get_by_role("button", name="Apply these settings").click(timeout=30_000)
    await expect(dialog).to_have_count(0)
    stored = (await tenant.owner.get(f"{site}/chatbot")).ok()["chatbot"]
    assert stored["instructions"] == "Be brief."

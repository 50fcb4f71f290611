"""Reports in the panel: from a visitor's handoff to the figures, charts, tables and the exported file."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture
from support.wait import wait_until


async def test_a_manager_reads_and_exports_the_report_of_a_chat(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    visitor, conversation_id = await tenant.pending_conversation()
    message = {"conversation_id": conversation_id, "content": "Hello, how can I help?"}
    (await tenant.alex.post("/operator/message", message)).ok()
    (await tenant.alex.post(f"/operator/close/{conversation_id}", {})).ok()
    (await visitor.post("/rate", score=4)).ok()
    day = (await tenant.owner.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]["created_at"][:10]

    async def is_counted() -> bool:
        totals = (await tenant.owner.get("/reports", **{"from": day, "to": day})).ok()["totals"]
        return bool(totals["ratings"]["count"] and totals["first_reply"]["count"])

    await wait_until(is_counted, description="the chat is in the reports")
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.owner)
    page = panel.page
    await page.get_by_role("navigation", name="Main").get_by_role("link", name="Reports").click()
    figures = page.get_by_role("region", name="Key figures")
    await expect(figures.get_by_text("4.0")).to_be_visible()
    await expect(page.get_by_role("img", name="Chats: highest is")).to_be_visible()
    await expect(page.get_by_role("img", name="Chats by hour and weekday")).to_be_visible()
    await expect(page.get_by_role("row", name="Visitor asked for a person 1")).to_be_visible()
    await panel.screenshot(artifacts, "panel-reports")
    assert not await panel.accessibility_violations()

    await page.get_by_label("Group by").select_option("operator")
    await page.get_by_text("Table").first.click()
    await expect(page.get_by_role("row", name="Alex 1")).to_be_visible()
    await page.get_by_label("From", exact=True).fill("2020-01-01")
    await expect(page.get_by_role("alert")).to_have_text("Choose a period of 1 to 400 days.")
    await page.get_by_label("Period").select_option("week")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export CSV").click()
    file = await (await download.value).path()
    lines = Path(file).read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[:3] for line in lines] == [
        ["operator", "name", "chats"],
        [str(tenant.alex.id), "Alex", "1"],
    ]

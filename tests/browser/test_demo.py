"""The demo page: what a page can do with the widget, to try."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture


async def test_the_demo_page_lets_one_try_what_the_widget_can_do(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    path = f"/sites/{tenant.site_id}/identity-secrets"
    secret = (await tenant.owner.post(path, {"name": "Demo page"})).ok(201)["secret"]
    widget = await sessions.widget()
    page = widget.page
    demo = f"{stack.gateway_url}/demo?site_key={tenant.site_key}"
    await page.goto(f"{demo}&form_site_key=pk_form#identity_secret={secret}")
    await expect(page.get_by_role("button", name="Open chat")).to_be_visible()
    async with page.expect_response("**/chat/identify") as identified:
        await page.get_by_role("button", name="Identify").click()
    assert (await identified.value).ok
    await page.get_by_role("link", name="Ask a question").click()
    await widget.send_message("What are your opening hours?")
    await expect(widget.log).to_contain_text("We are open from 9 to 5")
    [chat] = (await tenant.alex.get("/operator/all-active-chats", status="ai")).ok()["chats"]
    assert chat["visitor"]["name"] == "Dana Demo"

    await page.get_by_label("Theme").select_option("dark")
    await page.get_by_label("Language").select_option("ar")
    await expect(page.get_by_role("textbox", name="اكتب رسالة")).to_be_visible()
    await page.get_by_text("What else to see").click()
    form_site = page.get_by_role("link", name="The same shop with a form")
    await expect(form_site).to_have_attribute("href", "/demo?site_key=pk_form")
    await page.get_by_text("What a page can call, and the events it receives").click()
    await expect(page.get_by_role("list", name="Events")).to_contain_text("message")
    await widget.wait_settled()
    await widget.screenshot(artifacts, "demo-arabic-dark")
    await page.get_by_label("Language").select_option("fr")
    await page.get_by_role("button", name='parley("close")').click()
    assert not await widget.accessibility_violations()
    await page.set_viewport_size({"width": 390, "height": 780})
    assert await widget.horizontal_overflow() == 0
    await page.get_by_role("heading", name="Try the widget").scroll_into_view_if_needed()
    await widget.screenshot(artifacts, "demo-phone")
    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="The chat alone").click()
    await expect((await opened.value).get_by_role("textbox")).to_be_visible()

"""Tools in Chromium: a manager adds and tries one, the visitor agrees to a call, the operator sees it."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from playwright.async_api import expect

from browser.test_screens import check_page
from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.mcp_server import run_shop_server
from support.tenants import TenantFixture
from support.website import run_website


async def test_a_tool_is_added_tried_and_called_after_the_visitors_consent(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", {"engine": "openai"})).ok()
    cancelled: list[str] = []

    async def cancel(request: web.Request) -> web.Response:
        cancelled.append(request.path)
        return web.json_response({"cancelled": True})

    async with run_website() as system:
        system.handlers["/orders/A-1"] = system.handlers["/orders/A-2"] = cancel
        panel = await sessions.panel()
        await panel.log_in(stack.gateway_url, tenant.owner)
        page = panel.page
        await page.goto(f"{stack.gateway_url}/panel#/sites/{tenant.site_id}/tools")
        await page.get_by_role("button", name="Add tool").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Title").fill("Cancel an order")
        await dialog.get_by_label("Name for the AI").fill("cancel_order")
        await dialog.get_by_label("Description").fill("Cancels an order of the visitor.")
        await dialog.get_by_label("Method").select_option("POST")
        await dialog.get_by_label("Address").fill(f"{system.url}/orders/{{order}}")
        await dialog.get_by_role("switch", name="Only for visitors").click()
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog).to_contain_text("the placeholder order must be a required parameter")
        await check_page(panel, artifacts, "tool-dialog")
        await dialog.get_by_label("Address").fill(f"{system.url}/orders/{{order_id}}")
        await dialog.get_by_role("button", name="Save").click()
        notice = page.get_by_role("status").filter(has_text="it signs the requests")
        first = await notice.locator("code").inner_text()
        await page.get_by_role("button", name="New secret: Cancel an order").click()
        await dialog.get_by_role("button", name="Replace").click()
        await expect(notice.locator("code")).not_to_have_text(first)
        await page.get_by_role("button", name="Try: Cancel an order").click()
        await dialog.get_by_label("Arguments").fill('{"order_id": "A-2"}')
        await dialog.get_by_role("button", name="Call").click()
        await expect(dialog).to_contain_text('{"cancelled": true}')
        await check_page(panel, artifacts, "tool-try")
        await page.keyboard.press("Escape")
        await check_page(panel, artifacts, "tools")

        widget = await sessions.widget()
        await widget.open(stack.gateway_url, tenant.site_key)
        await widget.send_message('CALL cancel_order {"order_id": "A-1"}')
        await expect(widget.log).to_contain_text("order id: A-1")
        await check_page(widget, artifacts, "widget-consent")
        assert cancelled == ["/orders/A-2"], "nothing is called before the visitor agrees"
        await widget.page.get_by_role("button", name="Yes", exact=True).click()
        await expect(widget.log).to_contain_text("Done: Cancel an order.")
        assert cancelled == ["/orders/A-2", "/orders/A-1"]
        await expect(widget.page.get_by_role("button", name="Yes", exact=True)).to_be_hidden()

        history = (await tenant.owner.get(f"/sites/{tenant.site_id}/conversations")).ok()["conversations"]
        await page.goto(f"{stack.gateway_url}/panel/#/chats/{history[0]['id']}")
        await page.get_by_text("Tools called for this reply").last.click()
        await expect(panel.messages).to_contain_text('{"cancelled": true}')
        await expect(panel.messages).to_contain_text("The visitor agreed to the action that the AI proposed")
        await check_page(panel, artifacts, "tool-calls")


async def test_tools_of_an_mcp_server_are_allowed_and_one_is_called(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", {"engine": "openai"})).ok()
    async with run_shop_server() as server:
        panel = await sessions.panel()
        await panel.log_in(stack.gateway_url, tenant.owner)
        page = panel.page
        await page.goto(f"{stack.gateway_url}/panel#/sites/{tenant.site_id}/tools")
        await page.get_by_role("button", name="Add MCP server").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name for the AI").fill("shop")
        await dialog.get_by_label("Address").fill(server.url)
        await check_page(panel, artifacts, "mcp-server-dialog")
        await dialog.get_by_role("button", name="Save").click()
        await dialog.get_by_role("button", name="Try: Look up an order").click()
        trial = page.get_by_role("dialog", name="Try it")
        await trial.get_by_label("Arguments").fill('{"order_id": "A-1"}')
        await trial.get_by_role("button", name="Call").click()
        await expect(trial).to_contain_text('"status": "shipped"')
        await check_page(panel, artifacts, "mcp-try")
        await page.keyboard.press("Escape")
        for tool in ("Look up an order", "cancel_order"):
            await dialog.get_by_role("checkbox", name=tool).check()
        await dialog.get_by_role("switch", name="Only reads").first.click()
        for switch in await dialog.get_by_role("switch", name="Only for identified visitors").all():
            await switch.click()
        await check_page(panel, artifacts, "mcp-tools")
        await dialog.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("cancel_order · asks the visitor first")).to_be_visible()

        widget = await sessions.widget()
        await widget.open(stack.gateway_url, tenant.site_key)
        await widget.send_message('CALL shop-cancel_order {"order_id": "A-1"}')
        await expect(widget.log).to_contain_text("Order Id: A-1")
        assert not server.cancelled
        await widget.page.get_by_role("button", name="Yes", exact=True).click()
        await expect(widget.log).to_contain_text("Done: cancel_order.")
        assert server.cancelled == ["A-1"]

        server.add_status("Does something else now.")
        await page.get_by_role("button", name="Choose tools: shop").click()
        await expect(dialog).to_contain_text("has changed since it was allowed")
        await page.keyboard.press("Escape")
        await expect(page.get_by_text("Look up an order · has changed, off")).to_be_visible()
        await check_page(panel, artifacts, "mcp-servers")

        history = (await tenant.owner.get(f"/sites/{tenant.site_id}/conversations")).ok()["conversations"]
        await page.goto(f"{stack.gateway_url}/panel/#/chats/{history[0]['id']}")
        await page.get_by_text("Tools called for this reply").last.click()
        await expect(panel.messages).to_contain_text("cancelled")

        await page.goto(f"{stack.gateway_url}/panel#/sites/{tenant.site_id}/tools")
        await page.get_by_role("switch", name="In use").click()
        await expect(page.get_by_text("Saved.")).to_be_visible()
        await page.get_by_role("button", name="Delete: shop").click()
        await dialog.get_by_role("button", name="Delete").click()
        await expect(page.get_by_text("MCP server deleted.")).to_be_visible()
        await expect(page.get_by_role("button", name="Delete: shop")).to_be_hidden()

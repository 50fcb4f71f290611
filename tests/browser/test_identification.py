"""A shop that identifies its customers: one history on two devices, the panel's badge, a logout, a revoked secret."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions, Widget
from support.identity import SiteServer, sign_token
from support.shop import build_page, serve_pages
from support.tenants import TenantFixture

STUB = "window.parley = window.parley || function () { (parley.q = parley.q || []).push(arguments); };"


@pytest.fixture
async def customers_site(tenant: TenantFixture) -> TenantFixture:
    """A tenant whose site may be used from every origin."""
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"domains": [], "any_origin": True})).ok()
    return tenant


def _page(stack: Stack, site_key: str, token: str | None) -> str:
    call = f'parley("identify", "{token}");' if token else ""
    tag = f'<script async src="{stack.gateway_url}/widget.js" data-site-key="{site_key}"></script>'
    return build_page(f"<script>{STUB}{call}</script>{tag}")


async def _open(widget: Widget, address: str) -> None:
    await widget.page.goto(address)
    await widget.page.get_by_role("button", name="Open chat").click()
    await expect(widget.write).to_be_visible()


async def test_a_customer_has_one_history_on_two_devices_until_they_log_out(
    customers_site: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    tenant = customers_site
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.owner)
    await panel.page.goto(f"{stack.gateway_url}/panel#/sites/{tenant.site_id}/identity")
    await panel.page.get_by_label("Name of the secret").fill("Shop server")
    await panel.page.get_by_role("button", name="Create secret").click()
    await expect(panel.page.get_by_text("it is not shown again")).to_be_visible()
    secret = await panel.page.locator(".notice pre").inner_text()
    claims = {"sub": "customer-42", "name": "Jane Doe", "email": "jane@shop.test", "attributes": {"plan": "gold"}}
    token = sign_token(secret.strip(), claims)
    pages = {
        "/": _page(stack, tenant.site_key, None),
        "/account": _page(stack, tenant.site_key, token),
        "/refused": _page(stack, tenant.site_key, sign_token("w" * 40, claims)),
    }
    laptop, phone = await sessions.widget(), await sessions.widget()
    async with serve_pages(pages) as address:
        # Anonymous at first, then logged in on the same page.
        await _open(laptop, f"{address}/")
        await laptop.send_message("Where is my order?")
        await expect(laptop.log).to_contain_text("Where is my order?")
        second_tab = Widget(await laptop.page.context.new_page())
        await second_tab.page.goto(f"{address}/")
        await laptop.page.evaluate("(token) => parley('identify', token)", token)
        await expect(laptop.log).to_contain_text("Where is my order?")
        await _open(phone, f"{address}/account")
        await expect(phone.log).to_contain_text("Where is my order?")
        await phone.send_message("On my way home")
        await expect(laptop.log).to_contain_text("On my way home")
        await expect(second_tab.log).to_contain_text("On my way home")
        chats = (await tenant.owner.get("/operator/all-active-chats", status="ai,pending")).ok()["chats"]
        assert len(chats) == 1

        await panel.page.goto(f"{stack.gateway_url}/panel#/inbox/{chats[0]['id']}")
        details = panel.page.get_by_role("complementary", name="Visitor")
        await expect(details.get_by_text("Verified", exact=True)).to_be_visible()
        await expect(details.get_by_text("customer-42")).to_be_visible()
        await expect(details.get_by_text("gold")).to_be_visible()

        # Again on the next page: the session stays as it is.
        sent: list[str] = []
        phone.page.on("request", lambda request: sent.append(request.url))
        await phone.page.reload()
        await expect(phone.log).to_contain_text("On my way home")
        assert len([url for url in sent if url.endswith("/chat/identify")]) == 1

        # A refused token is reported to the developer, and the visitor stays anonymous.
        stranger = await sessions.widget()
        async with stranger.page.expect_console_message(lambda one: "identity token was refused" in one.text):
            await _open(stranger, f"{address}/refused")
        await expect(stranger.log).not_to_contain_text("Where is my order?")

        # A logout ends it on this device, in all tabs.
        await laptop.page.evaluate("parley('reset')")
        await laptop.page.get_by_role("button", name="Open chat").click()
        await expect(laptop.write).to_be_visible()
        await expect(laptop.log).not_to_contain_text("Where is my order?")
        await expect(second_tab.log).to_have_count(0)
        await phone.send_message("Still me")
        await expect(phone.log).to_contain_text("Still me")
        await expect(laptop.log).not_to_contain_text("Still me")
        assert (await tenant.owner.get(f"/operator/conversation/{chats[0]['id']}")).ok()["conversation"]["messages"]

        # The shop revokes its secret: its customers are anonymous until they are identified again.
        secrets = (await tenant.owner.get(f"/sites/{tenant.site_id}/identity-secrets")).ok()["identity_secrets"]
        path = f"/sites/{tenant.site_id}/identity-secrets/{secrets[0]['id']}"
        (await tenant.owner.send("DELETE", path)).ok()
        renewed = (await SiteServer.create(tenant.owner, tenant.site_id)).sign("customer-42")
        await phone.page.evaluate("(token) => parley('identify', token)", renewed)
        await phone.page.get_by_role("button", name="Open chat").click()
        await expect(phone.log).to_contain_text("Still me")

"""The first run: from an empty installation to the first chat that is accepted."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.api import ApiClient
from support.browser import BrowserSessions
from support.tenants import PASSWORD, TenantFixture


async def test_owner_of_an_empty_installation_is_led_to_the_first_chat(
    stack: Stack, api: ApiClient, mongodb_uri: str, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    _, owner = await TenantFixture.create_owner(api, stack, mongodb_uri)
    panel, widget = await sessions.panel(), await sessions.widget()
    page = panel.page
    email = (await owner.get("/auth/me")).ok()["user"]["email"]
    await page.goto(f"{stack.gateway_url}/panel")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", name="Set up Parley")).to_be_visible()
    # It can be left, and is taken up again from the sidebar.
    await page.get_by_role("button", name="Continue later").click()
    await page.get_by_role("navigation", name="Main").get_by_role("link", name="Set up").click()

    await page.get_by_label("Name of the site").fill("Corner shop")
    await page.get_by_label("Address").fill("https://shop.test/start")
    await page.get_by_role("button", name="Add site", exact=True).click()
    await page.get_by_role("button", name="Check that it is on my page").click()
    await expect(page.get_by_text("Not seen yet.")).to_be_visible()
    site = (await owner.get("/sites")).ok()["sites"][0]
    assert site["domains"] == ["shop.test"]
    (await api.visitor(site["site_key"]).post("/heartbeat", page="https://shop.test/cart")).ok()

    # The visitor's arrival is the proof: nobody has to check again.
    await page.get_by_label("Name", exact=True).fill("Sam")
    await page.get_by_label("E-mail").fill("sam@shop.test")
    await panel.screenshot(artifacts, "panel-setup")
    assert not await panel.accessibility_violations()
    await page.get_by_role("button", name="Invite", exact=True).click()
    await expect(page.get_by_text("Send this link to your teammate.")).to_be_visible()
    await page.get_by_role("button", name="Continue", exact=True).click()

    await page.get_by_label("Question").fill("Do you deliver abroad?")
    await page.get_by_label("Answer").fill("Yes, to all of Europe.")
    await page.get_by_role("button", name="Save and test").click()
    await expect(page.get_by_text("Yes, to all of Europe.")).to_be_visible()
    await page.get_by_role("button", name="Continue", exact=True).click()

    await widget.open(stack.gateway_url, site["site_key"])
    await widget.send_message("Hello?")
    await widget.ask_for_person()
    await page.get_by_role("button", name="Accept").click()
    await expect(panel.messages).to_contain_text("You joined")
    await expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Set up")).to_have_count(0)

"""Triggers: written in the panel, tried on a page, shown to a visitor of a strict page, answered, counted."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions, Panel
from support.shop import build_page, serve_pages
from support.tenants import TenantFixture

MESSAGE = "Questions about our **plans**? Just ask."
TEASER = "Questions about our plans? Just ask."
REPLIES = {"Opening hours": "What are your opening hours?", "Prices": "https://shop.test/prices"}
KEEPS_OUT_OF_THE_WAY = "() => document.activeElement === document.body"


async def test_a_trigger_is_written_tried_shown_and_answered(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions, artifacts: Path | None
) -> None:
    gateway = stack.gateway_url
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"domains": ["localhost"]})).ok()
    policy = (
        f"default-src 'none'; script-src 'nonce-shop1'; connect-src {gateway}; img-src data:; trusted-types 'none'; "
        "require-trusted-types-for 'script'"
    )
    tag = f'<script async nonce=shop1 src="{gateway}/widget.js" data-site-key="{tenant.site_key}"></script>'
    pages = {"/": build_page(tag), "/pricing": build_page(tag, "<h1>Pricing</h1>")}
    panel = await sessions.panel()
    await panel.log_in(gateway, tenant.owner)
    await panel.page.goto(f"{gateway}/panel#/sites/{tenant.site_id}/triggers")
    async with serve_pages(pages, policy) as address:
        await _write(panel, artifacts)
        await _try_on_a_page(panel, address, artifacts)
        await _turn_on(panel)

        visitor = await sessions.widget()
        asked: list[str] = []
        visitor.page.on("request", lambda request: asked.append(request.url.partition("?")[0]))
        await visitor.page.goto(f"{address}/")
        async with visitor.page.expect_response("**/chat/triggers?*"):
            pass
        teaser = visitor.page.get_by_role("button", name=TEASER)
        await expect(teaser).to_have_count(0)
        await visitor.page.goto(f"{address}/pricing")
        await expect(teaser).to_be_visible()
        assert await visitor.page.evaluate(KEEPS_OUT_OF_THE_WAY)
        assert asked.count(f"{gateway}/api/v1/chat/triggers") == 1
        assert not [url for url in asked if "/widget/chat-" in url]
        assert not await visitor.accessibility_violations()
        await visitor.screenshot(artifacts, "trigger")
        await visitor.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        await visitor.page.evaluate("() => { parley('setTheme', 'dark'); parley('setLanguage', 'ar'); }")
        await visitor.screenshot(artifacts, "trigger-dark-arabic")
        await visitor.page.evaluate("() => parley('setLanguage', 'en')")
        # On the next page it is still there; hidden by the page, it is not.
        await visitor.page.reload()
        await expect(teaser).to_be_visible()
        await visitor.page.evaluate("() => parley('hide')")
        await expect(teaser).to_be_hidden()
        await visitor.page.evaluate("() => parley('show')")
        await teaser.click()
        await expect(visitor.log).to_contain_text(TEASER)
        await expect(teaser).to_have_count(0)
        offered = visitor.log.get_by_role("group", name="Suggested answers")
        await expect(offered.get_by_role("link", name="Prices")).to_be_visible()
        assert not await visitor.accessibility_violations()
        await visitor.screenshot(artifacts, "trigger-opened")
        await offered.get_by_role("button", name="Opening hours").press("Enter")
        await expect(visitor.log).to_contain_text("What are your opening hours?")
        await expect(visitor.log).to_contain_text("We are open from 9 to 5")
        await expect(offered).to_have_count(0)
        await expect(visitor.log.get_by_text(TEASER)).to_have_count(1)
        await visitor.page.reload()
        await expect(visitor.log).to_contain_text("We are open from 9 to 5")
        await expect(visitor.log.get_by_text(TEASER)).to_have_count(1)

        # A quick reply next to the button opens the chat, and is sent.
        chooser = await sessions.widget()
        await chooser.page.goto(f"{address}/pricing")
        await expect(chooser.page.get_by_role("group", name=TEASER).get_by_role("link", name="Prices")).to_be_visible()
        await chooser.page.get_by_role("button", name="Opening hours").click()
        await expect(chooser.log).to_contain_text("What are your opening hours?")
        await expect(chooser.log).to_contain_text("We are open from 9 to 5")
        await chooser.screenshot(artifacts, "trigger-chosen")

        other = await sessions.widget()
        await other.page.goto(f"{address}/pricing")
        await expect(other.page.get_by_role("button", name=TEASER)).to_be_visible()
        await other.page.get_by_role("button", name="Dismiss").focus()
        await other.page.keyboard.press("Escape")
        await expect(other.page.get_by_role("button", name=TEASER)).to_have_count(0)
        await expect(other.page.get_by_role("button", name="Open chat")).to_be_focused()

    chats = (await tenant.owner.get("/operator/all-active-chats", status="ai")).ok()["chats"]
    assert len(chats) == 2
    for chat in chats:
        shown = (await tenant.owner.get(f"/operator/conversation/{chat['id']}")).ok()["conversation"]["messages"]
        replies = [(message["role"], message["reply_to"]) for message in shown]
        assert replies == [("ai", None), ("visitor", 1), ("ai", 2)]
    await panel.page.reload()
    await expect(panel.page.locator(".trigger-counts")).to_have_text("Shown3Opened2 (67%)Answered2 (67%)")
    assert not await panel.accessibility_violations()
    await panel.screenshot(artifacts, "panel-triggers")


async def _write(panel: Panel, artifacts: Path | None) -> None:
    page = panel.page
    await page.get_by_role("button", name="Add trigger").first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name (only for the team)").fill("Pricing")
    await dialog.get_by_label("Message").fill(MESSAGE)
    for number, (label, effect) in enumerate(REPLIES.items(), 1):
        await dialog.get_by_role("button", name="Add a button").click()
        await dialog.get_by_role("textbox", name=f"Button {number}: label").fill(label)
        await dialog.get_by_role("textbox", name=f"Button {number}: sends or opens").fill(effect)
    await dialog.get_by_role("textbox", name="On these pages One pattern").fill("/pricing*")
    await expect(dialog.get_by_text("Not shown on this page.")).to_be_visible()
    await dialog.get_by_label("Test an address").fill("https://shop.test/pricing/teams")
    await expect(dialog.get_by_text("Shown on this page.", exact=True)).to_be_visible()
    await dialog.get_by_label("Seconds on the page").fill("1")
    assert not await panel.accessibility_violations()
    await panel.screenshot(artifacts, "panel-trigger-dialog")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("after 1 s")).to_be_visible()
    await expect(page.get_by_role("main").get_by_text(TEASER)).to_be_visible()
    await expect(page.get_by_role("list", name="Quick replies")).to_contain_text("Opening hours")


async def _try_on_a_page(panel: Panel, address: str, artifacts: Path | None) -> None:
    """It is off: only who has the link sees it, and nothing is counted."""
    await panel.page.get_by_role("button", name="Try Pricing on a page").click()
    dialog = panel.page.get_by_role("dialog")
    await dialog.get_by_label("Page of your site").fill(f"{address}/pricing?size=m")
    async with panel.page.context.expect_page() as opened:
        await dialog.get_by_role("link", name="Open the page").click()
    preview = await opened.value
    teaser = preview.get_by_role("button", name=TEASER)
    await expect(teaser).to_be_visible()
    await teaser.click()
    await expect(preview.get_by_role("log")).to_contain_text(TEASER)
    await expect(preview.get_by_role("button", name="Opening hours")).to_be_visible()
    await preview.close()
    await panel.screenshot(artifacts, "panel-trigger-preview")
    await dialog.get_by_role("button", name="Cancel").click()


async def _turn_on(panel: Panel) -> None:
    async with panel.page.expect_response(lambda response: response.request.method == "PUT") as saved:
        await panel.page.get_by_role("switch", name="Show Pricing to visitors").check()
    assert (await saved.value).status == 200

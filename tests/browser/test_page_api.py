"""What a customer's page calls and listens to, on another origin and under a strict policy; the chat inside an app."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from playwright.async_api import Route, expect

from parley_dev.stack import Stack
from support.browser import ALL_IMPACTS, BrowserSessions, Widget
from support.shop import build_page, serve_pages
from support.tenants import TenantFixture
from support.wait import wait_until

EVENTS = ("ready", "open", "close", "message", "unread", "handoff", "accepted", "closed", "rating")
STUB = """<script nonce=shop1>
window.parley = window.parley || function(){(parley.q = parley.q || []).push(arguments)}
window.received = []; window.failed = false
for (const name of EVENTS) parley("on", name, (detail) => received.push([name, detail]))
parley("on", "open", () => { if (!window.failed) { failed = true; throw new Error("the page's own") } })
parley("setLanguage", "de")
parley("prefill", "About order 17")
parley("hide")
</script>"""


LISTENER = """<script>
window.parley = window.parley || function(){(parley.q = parley.q || []).push(arguments)}
window.received = []
for (const name of EVENTS) parley("on", name, (detail) => received.push([name, detail]))
</script>"""


async def call(widget: Widget, *command: str) -> None:
    await widget.page.evaluate("(command) => parley(...command)", list(command))


async def expect_event(widget: Widget, event: str, /, **detail: Any) -> None:
    """Wait for an event with these fields; forget it, and those that came before it."""
    find = """([name, fields]) => {
        const has = (detail) => Object.keys(fields).every((key) => fields[key] === detail[key]);
        const index = received.findIndex(([one, detail]) => one === name && has(detail));
        if (index >= 0) received.splice(0, index + 1);
        return index >= 0;
    }"""
    await wait_until(lambda: widget.page.evaluate(find, [event, detail]), description=f"{event} {detail}")


async def expect_accessible(widget: Widget) -> None:
    await widget.wait_settled()
    assert not await widget.accessibility_violations("parley-chat", impacts=ALL_IMPACTS)


async def test_page_drives_the_widget_and_hears_what_its_visitor_sees(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"domains": ["localhost"]})).ok()
    gateway = stack.gateway_url
    policy = (
        f"default-src 'none'; script-src 'nonce-shop1'; connect-src {gateway}; img-src data:; trusted-types 'none'; "
        "require-trusted-types-for 'script'"
    )
    attributes = f'data-position=left data-site-key="{tenant.site_key}"'
    tag = f'<script async nonce=shop1 src="{gateway}/widget.js" {attributes}></script>'
    pages = {"/": build_page(STUB.replace("EVENTS", str(list(EVENTS))) + tag)}
    widget = await sessions.widget(locale="en-US")
    warnings: list[str] = []
    widget.page.on("console", lambda message: warnings.append(message.text) if message.type == "warning" else None)
    async with serve_pages(pages, policy) as address:
        await widget.page.goto(f"{address}/")
        await expect_event(widget, "ready", version=await widget.page.evaluate("Parley.version"))
        launcher = widget.page.locator("parley-chat .launcher")
        await expect(launcher).to_be_hidden()

        # The calls from before the script had run.
        await call(widget, "toggle")
        await expect_event(widget, "open")
        assert widget.errors.pop() == "uncaught: the page's own"
        write = widget.page.get_by_role("textbox", name="Nachricht schreiben …")
        await expect(write).to_have_value("About order 17")
        await expect_accessible(widget)
        await call(widget, "toggle")
        await expect_event(widget, "close")
        await call(widget, "show")
        await expect(launcher).to_have_accessible_name("Chat öffnen")
        await expect_accessible(widget)

        box = await launcher.bounding_box()
        assert box is not None
        assert box["x"] == 20
        await call(widget, "setLanguage", "en")
        await call(widget, "setTheme", "dark")
        await call(widget, "open")
        await expect(widget.write).to_have_value("About order 17")
        await expect(widget.page.get_by_role("dialog")).to_have_css("background-color", "rgb(22, 32, 30)")
        await call(widget, "send", "What are your opening hours?")
        await expect_event(widget, "message", role="visitor", text="What are your opening hours?", name=None)
        await expect(widget.log).to_contain_text("We are open from 9 to 5")
        await expect_event(widget, "message", role="ai")
        await expect_accessible(widget)
        await call(widget, "setTheme", "auto")
        await expect(widget.page.get_by_role("dialog")).to_have_css("background-color", "rgb(255, 255, 255)")
        await widget.page.emulate_media(color_scheme="dark")
        await expect(widget.page.get_by_role("dialog")).to_have_css("background-color", "rgb(22, 32, 30)")
        await call(widget, "setTheme", "light")
        await expect(widget.page.get_by_role("dialog")).to_have_css("background-color", "rgb(255, 255, 255)")

        await widget.ask_for_person()
        await expect_event(widget, "handoff")
        await expect_accessible(widget)
        conversation = (await tenant.alex.get("/operator/all-active-chats")).ok()["chats"][0]["id"]
        (await tenant.alex.post(f"/operator/accept/{conversation}")).ok()
        await expect_event(widget, "accepted", operator="Alex")
        await call(widget, "close")
        await tenant.alex.send_message(conversation, "Hello")
        await expect_event(widget, "unread", count=1)
        await expect(widget.page.get_by_role("button", name="Hello")).to_be_visible()
        await expect_accessible(widget)
        await widget.page.get_by_role("button", name="Dismiss").click()
        await expect(widget.page.get_by_role("button", name="Hello")).to_have_count(0)
        await expect(launcher).to_have_accessible_name("Open chat, 1 new message")
        await call(widget, "open")
        await expect(widget.log.get_by_text("New", exact=True)).to_be_visible()
        (await tenant.alex.post(f"/operator/close/{conversation}")).ok()
        await expect_event(widget, "closed")
        await widget.page.get_by_role("radio", name="4 of 5").check()
        await expect_accessible(widget)
        await widget.page.get_by_role("button", name="Send rating").click()
        await expect_event(widget, "rating", score=4, comment="")

        async with widget.page.expect_download() as download:
            await widget.page.get_by_role("button", name="Download this chat").click()
        text = Path(await (await download.value).path()).read_text()
        assert re.search(r"UTC  You\nWhat are your opening hours\?", text)
        assert re.search(r"UTC  Alex\nHello\n", text)

        # Neither a typing error nor a call at the wrong time breaks anything.
        await call(widget, "dance")
        await call(widget, "on", "sneeze")
        assert [text.partition(" “")[0] for text in warnings] == ["Parley: unknown command", "Parley: cannot listen to"]
        await call(widget, "off", "open")
        await call(widget, "reset")
        await expect_event(widget, "close")
        await call(widget, "open")
        await expect(widget.log).not_to_contain_text("Hello")

        await call(widget, "shutdown")
        await expect(widget.page.locator("parley-chat")).to_have_count(0)
        await call(widget, "open")
        await widget.page.evaluate("parley('on', 'ready', (detail) => received.push(['ready', detail]))")
        async with widget.page.expect_request("**/chat/heartbeat"):
            await call(widget, "boot")
        await expect_event(widget, "ready")
        await expect(widget.page.locator("parley-chat")).to_have_count(1)


async def test_page_hears_of_a_message_that_is_left_and_what_becomes_of_it(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"domains": ["localhost"]})).ok()
    offline = {"enabled": True, "replaces_chat": True, "confirmation": "We will be back."}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/forms", {"offline": offline})).ok()
    tag = f'<script async src="{stack.gateway_url}/widget.js" data-site-key="{tenant.site_key}"></script>'
    widget = await sessions.widget()
    page = widget.page
    async with serve_pages({"/": build_page(LISTENER.replace("EVENTS", str(list(EVENTS))) + tag)}) as address:
        await page.goto(address)
        await expect_event(widget, "ready")
        await call(widget, "open")
        await page.get_by_label("Your e-mail").fill("jane@shop.test")
        await page.get_by_label("Your message").fill("Please call me")
        await page.get_by_role("button", name="Send").click()
        await expect(widget.log).to_contain_text("We will be back.")
        waiting = await tenant.alex.get("/operator/active-chats", site_id=tenant.site_id, status="pending")
        [chat] = waiting.ok()["chats"]
        (await tenant.alex.post(f"/operator/accept/{chat['id']}")).ok()
        await expect(widget.page.get_by_role("heading", name="Alex")).to_be_visible()
        await tenant.alex.send_message(chat["id"], "When?")
        await expect(widget.log).to_contain_text("When?")
        (await tenant.alex.post(f"/operator/close/{chat['id']}")).ok()
        await page.get_by_role("radio", name="2 of 5").check()
        await page.get_by_label("Tell us more").fill("Too late")
        await page.get_by_role("button", name="Send rating").click()
        await expect(widget.log).to_contain_text("Thank you for your rating")
        heard = await page.evaluate("received.map(([name, detail]) => [name, detail.role ?? detail.score ?? null])")
        assert sorted(heard[:4], key=str) == sorted(
            [["open", None], ["handoff", None], ["message", "visitor"], ["message", "system"]], key=str
        )
        assert heard[4:] == [["accepted", None], ["message", "operator"], ["closed", None], ["rating", 2]]
        # The history of an earlier page is no news.
        await page.reload()
        await expect_event(widget, "ready")
        await expect(widget.log).to_contain_text("When?")
        assert [name for name, _ in await page.evaluate("received")] == ["open"]


async def test_chat_fills_the_page_of_an_app(tenant: TenantFixture, stack: Stack, sessions: BrowserSessions) -> None:
    """The chat does not wait for the heartbeat, whose answer says in which colour the button appears."""
    widget = await sessions.widget(viewport={"width": 1024, "height": 768})
    opened = asyncio.Event()

    async def delay_until_opened(route: Route) -> None:
        await opened.wait()
        await route.continue_()

    await widget.page.route("**/chat/heartbeat", delay_until_opened)
    bridge = "window.posted = []; window.ParleyApp = { postMessage: (text) => posted.push(JSON.parse(text).event) }"
    await widget.page.add_init_script(bridge)
    await widget.page.goto(f"{stack.gateway_url}/widget/app.html?site_key={tenant.site_key}&language=de&theme=dark")
    dialog = widget.page.get_by_role("dialog")
    await expect(dialog).to_have_css("background-color", "rgb(22, 32, 30)")
    await widget.wait_settled()
    assert await dialog.bounding_box() == {"x": 0, "y": 0, "width": 1024, "height": 768}
    await expect(widget.page.get_by_role("textbox", name="Nachricht schreiben …")).to_be_focused()
    opened.set()
    assert await widget.page.evaluate("posted") == ["ready", "open"]
    assert not await widget.accessibility_violations()

"""The widget on customers' pages: what it loads and when, strict policies, pages that change under it, loaders."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json

import pytest
from playwright.async_api import Route, expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions, Widget
from support.shop import build_page, serve_pages
from support.tenants import TenantFixture

SITE_COLOUR = "#7a1fa2"
LAYOUT_SHIFT = """new Promise((done) => {
    new PerformanceObserver((list) => done(list.getEntries().length)).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => done(0), 300);
})"""
COUNT_SHIFTS = """window.shifts = []
new PerformanceObserver((list) => shifts.push(...list.getEntries().map((entry) => entry.value)))
    .observe({ type: "layout-shift", buffered: true })"""
LOADER = """
  (function () {
    var s = document.createElement("script");
    s.async = true;
    s.src = "URL";
    document.head.appendChild(s);
  })();
"""
REPLACE_BODY = """(n) => {
    const body = document.createElement("body");
    body.innerHTML = `<p>page ${n}</p>`;
    document.body.replaceWith(body);
    history.pushState(null, "", `/p${n}`);
}"""


@pytest.fixture
async def open_site(tenant: TenantFixture) -> TenantFixture:
    """A tenant whose site may be used from every origin."""
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"domains": [], "any_origin": True})).ok()
    return tenant


def script_tag(stack: Stack, site_key: str, attributes: str = "async") -> str:
    return f'<script {attributes} src="{stack.gateway_url}/widget.js" data-site-key="{site_key}"></script>'


async def test_widget_works_under_a_strict_policy_on_another_origin(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    gateway = stack.gateway_url
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"domains": ["localhost"]})).ok()
    colours = {"colours": {"primary": SITE_COLOUR, "background": "#ffffff"}}
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}/chatbot", colours)).ok()
    policy = (
        f"default-src 'none'; script-src 'nonce-shop1'; connect-src {gateway}; img-src data:; trusted-types 'none'; "
        "require-trusted-types-for 'script'"
    )
    tag = script_tag(stack, tenant.site_key, "async nonce=shop1")
    widget = await sessions.widget()
    asked: list[str] = []
    widget.page.on("request", lambda request: asked.append(request.url))
    async with serve_pages({"/": build_page(tag)}, policy) as address:
        await widget.page.goto(f"{address}/")
        launcher = widget.page.get_by_role("button", name="Open chat")
        await expect(launcher).to_have_css("background-color", "rgb(122, 31, 162)")
        async with widget.page.expect_response("**/pending-proactive*"):
            pass
        api = "/api/v1/chat"
        presence = {"/widget.js", f"{api}/heartbeat", f"{api}/events", f"{api}/pending-proactive"}
        loaded = {url.split("?")[0].removeprefix(gateway) for url in asked if url.startswith(gateway)}
        assert loaded == presence, "before it is opened it sends the heartbeat, and waits for an operator's message"

        async with widget.page.expect_response("**/widget/chat-*.js") as chat:
            await launcher.click()
        assert "immutable" in (await chat.value).headers["cache-control"]
        await expect(widget.write).to_be_focused()
        box = await widget.page.get_by_role("dialog").bounding_box()
        assert box is not None
        assert box["width"] > 300, "the policy must not block its styles"
        assert await widget.page.evaluate(LAYOUT_SHIFT) == 0
        await widget.send_message("What are your opening hours?")
        await expect(widget.log).to_contain_text("We are open from 9 to 5, Monday to Friday.")
        await widget.page.keyboard.press("Escape")
        await expect(launcher).to_be_focused()
        others = [url for url in asked if not url.startswith((gateway, address, "data:"))]
        assert not others, "it must not load anything from another host"


async def test_widget_shifts_nothing_under_a_policy_that_allows_scripts_by_their_hash(
    open_site: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    gateway = stack.gateway_url
    loader = LOADER.replace("URL", f"{gateway}/widget.js?site_key={open_site.site_key}")
    digest = base64.b64encode(hashlib.sha256(loader.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}' 'strict-dynamic'; connect-src {gateway}; img-src data:; "
        "base-uri 'none'"
    )
    body = "".join(f"<h2>Tea {number}</h2><p>{'Grassy and bright. ' * 30}</p>" for number in range(20))
    widget = await sessions.widget()
    await widget.page.add_init_script(COUNT_SHIFTS)
    async with serve_pages({"/": build_page(f"<script>{loader}</script>", body)}, policy) as address:
        await widget.page.goto(f"{address}/")
        launcher = widget.page.get_by_role("button", name="Open chat")
        await launcher.click()
        await expect(widget.write).to_be_focused()
        await widget.wait_settled()
        assert await widget.page.evaluate("shifts") == []
        await widget.send_message("What are your opening hours?")
        await expect(widget.log).to_contain_text("We are open from 9 to 5")
        # Messages that make room for others are no matter of the page.
        await widget.wait_settled()
        await widget.page.evaluate("shifts.length = 0")
        [chat] = (await open_site.alex.get("/operator/all-active-chats", status="ai")).ok()["chats"]
        await widget.page.keyboard.press("Escape")
        await expect(launcher).to_be_focused()
        (await open_site.alex.post(f"/operator/accept/{chat['id']}")).ok()
        await open_site.alex.send_message(chat["id"], "May I help?")
        await expect(widget.page.get_by_role("button", name="May I help?")).to_be_visible()
        await widget.page.get_by_role("button", name="Dismiss").click()
        await widget.page.evaluate("scrollTo(0, 400)")
        await widget.wait_settled()
        assert await widget.page.evaluate("shifts") == []


async def test_chat_window_that_cannot_be_loaded_is_tried_again(
    open_site: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    widget = await sessions.widget(locale="de-DE")
    refused: list[str] = []

    async def refuse(route: Route) -> None:
        # What a server of another version answers, then a network that is gone.
        refused.append(route.request.url)
        if len(refused) > 2:
            await route.continue_()
        elif len(refused) == 1:
            await route.fulfill(status=404)
        else:
            await route.abort()

    await widget.page.route("**/widget/chat*", refuse)
    async with serve_pages({"/": build_page(script_tag(stack, open_site.site_key))}) as address:
        await widget.page.goto(f"{address}/")
        # Its name and the notice are in the visitor's language, before anything is loaded.
        await widget.page.get_by_role("button", name="Chat öffnen").click()
        notice = widget.page.get_by_role("status")
        await expect(notice).to_have_text("Der Chat konnte nicht geladen werden. Neuer Versuch …")
        await expect(widget.page.get_by_role("dialog")).to_be_visible()
        await expect(widget.page.get_by_role("button", name="Chat schließen").first).to_be_visible()
        await expect(widget.page.get_by_text("nicht geladen")).to_have_count(0)
    assert refused[1].partition("?")[0].endswith("/widget/chat.js"), "the current version, when the first is gone"
    # The browser reports the module that it could not load.
    widget.errors.clear()


async def test_widget_stays_on_a_page_that_replaces_its_body(
    open_site: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    widget = await sessions.widget()
    tag = script_tag(stack, open_site.site_key)
    async with serve_pages({"/": build_page(tag)}) as address:
        await widget.page.goto(f"{address}/")
        await widget.page.get_by_role("button", name="Open chat").click()
        await widget.write.fill("Half a sentence")
        for turn in range(3):
            async with widget.page.expect_request("**/chat/heartbeat") as heartbeat:
                await widget.page.evaluate(REPLACE_BODY, turn)
                await expect(widget.write).to_have_value("Half a sentence")
            assert f"{address}/p{turn}" in ((await heartbeat.value).post_data or "")
        # As Turbo does it with a tag in the body: the script runs again.
        again = """(source) => {
            const script = document.createElement("script");
            script.src = source;
            const ran = new Promise((done) => script.addEventListener("load", () => done()));
            document.body.replaceChildren(script);
            return ran;
        }"""
        await widget.page.evaluate(again, f"{stack.gateway_url}/widget.js?site_key={open_site.site_key}")
        await expect(widget.write).to_have_value("Half a sentence")
        await expect(widget.page.locator("parley-chat")).to_have_count(1)


async def test_every_way_to_include_the_script_gives_one_widget_or_a_word(
    open_site: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    gateway, key = stack.gateway_url, open_site.site_key
    insert = "const s = document.createElement('script'); s.src = '{}'; {} document.head.append(s);"
    source = f"{gateway}/widget.js"
    inline = f"fetch('{source}').then((r) => r.text()).then((t) => {{ \
const s = document.createElement('script'); s.textContent = t; document.head.append(s); }});"
    ways = {
        "attribute": (script_tag(stack, key), 1, ""),
        "address": (f"<script>{insert.format(f'{source}?site_key={key}', '')}</script>", 1, ""),
        "global": (f"<script>Parley = {{ siteKey: '{key}' }}; {insert.format(source, '')}</script>", 1, ""),
        "inserted": (f"<script>{insert.format(source, f's.dataset.siteKey = {key!r};')}</script>", 1, ""),
        "module": (script_tag(stack, key, "type=module"), 1, ""),
        "inline": (f"<script>Parley = {{ siteKey: '{key}', origin: '{gateway}' }}; {inline}</script>", 1, ""),
        "twice": (script_tag(stack, key) * 2, 1, ""),
        "another": (script_tag(stack, key, "") + script_tag(stack, "pk_other", ""), 1, "Parley: already on this page"),
        "no-key": (f"<script src='{source}'></script>", 0, "Parley: no site key (data-site-key), no chat"),
        "no-server": (f"<script>Parley = {{ siteKey: '{key}' }}; {inline}</script>", 0, "Parley: no server"),
    }
    widget = await sessions.widget()
    said: list[str] = []
    widget.page.on("console", lambda message: said.append(message.text))
    async with serve_pages({f"/{name}": build_page(head) for name, (head, _, _) in ways.items()}) as address:
        for name, (_, count, warning) in ways.items():
            said.clear()
            await widget.page.goto(f"{address}/{name}")
            await expect(widget.page.locator("parley-chat")).to_have_count(count)
            if count:
                await expect(widget.page.get_by_role("button", name="Open chat")).to_be_visible()
            else:
                await widget.page.wait_for_load_state("networkidle")
            assert [text.startswith(warning) for text in said] == [True] * bool(warning), (name, said)


@pytest.mark.parametrize("obstacle", ["quota", "denied", "sandboxed"])
async def test_widget_works_without_storage(
    open_site: TenantFixture, stack: Stack, sessions: BrowserSessions, obstacle: str
) -> None:
    tag = script_tag(stack, open_site.site_key)
    full = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }"
    denied = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    frame = "<iframe src=/frame sandbox='allow-scripts allow-forms' width=900 height=700></iframe>"
    pages = {
        "/quota": build_page(f"<script>{full}</script>{tag}"),
        "/denied": build_page(f"<script>{denied}</script>{tag}"),
        "/sandboxed": build_page(body=frame),
        "/frame": build_page(tag),
    }
    widget = await sessions.widget()
    sent: list[str] = []
    widget.page.on("request", lambda request: sent.append(request.post_data or ""))
    async with serve_pages(pages) as address:
        await widget.page.goto(f"{address}/{obstacle}")
        frame_or_page = widget.page.frame_locator("iframe") if obstacle == "sandboxed" else widget.page
        await frame_or_page.get_by_role("button", name="Open chat").click()
        write = frame_or_page.get_by_role("textbox", name="Write a message…")
        await write.fill("What are your opening hours?")
        await write.press("Enter")
        await expect(frame_or_page.get_by_role("log")).to_contain_text("We are open from 9 to 5, Monday to Friday.")
        await expect(frame_or_page.get_by_role("log")).not_to_contain_text("Not sent")
    found = {json.loads(body)["session_id"] for body in sent if body}
    assert len(found) == 1, "one session as long as the page lives"


async def test_next_person_on_a_shared_computer_does_not_see_the_chat(
    open_site: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    widget = await sessions.widget()
    async with serve_pages({"/": build_page(script_tag(stack, open_site.site_key))}) as address:
        await widget.page.goto(f"{address}/")
        other = Widget(await widget.page.context.new_page())
        await other.page.goto(f"{address}/")
        await widget.page.evaluate("Parley.open()")
        for end in ("call", "button"):
            await widget.send_message(f"The secret before the {end}")
            await expect(widget.log.get_by_text("Sent")).to_be_visible()
            await widget.write.fill("and an unfinished one")
            if end == "call":
                await widget.page.evaluate("Parley.endSession()")
            else:
                await widget.page.get_by_role("button", name="End chat on this device").click()
                await widget.page.get_by_role("button", name="End chat", exact=True).click()
            await expect(widget.page.get_by_role("dialog")).to_have_count(0)
            for page in (widget, other):
                await page.page.bring_to_front()
                await page.page.get_by_role("button", name="Open chat").click()
                await expect(page.write).to_have_value("")
                await expect(page.log).not_to_contain_text("secret")
            await other.page.reload()
            await expect(other.write).to_be_visible()
            await expect(other.log).not_to_contain_text("secret")
            await other.page.get_by_role("button", name="Close chat").first.click()
        stored = await widget.page.evaluate("JSON.stringify(Object.entries(localStorage))")
        assert "secret" not in stored


async def test_fields_are_large_on_touch_screens_and_nothing_is_printed(
    open_site: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    widget = await sessions.widget(viewport={"width": 1024, "height": 768}, has_touch=True, is_mobile=True)
    async with serve_pages({"/": build_page(script_tag(stack, open_site.site_key))}) as address:
        await widget.page.goto(f"{address}/")
        await widget.page.get_by_role("button", name="Open chat").tap()
        await widget.send_message("I want to talk to a person")
        email = widget.page.get_by_role("textbox", name="Your e-mail")
        for field in (widget.write, email):
            await expect(field).to_have_css("font-size", "16px")
        await widget.page.emulate_media(media="print")
        await expect(widget.page.locator("parley-chat")).to_be_hidden()


async def test_one_who_waits_sees_whether_somebody_is_there(
    open_site: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    tenant = open_site
    (await tenant.alex.post("/operator/heartbeat", {"site_ids": [tenant.site_id]})).ok()
    widget = await sessions.widget()
    await widget.page.clock.install()
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message("Is anybody there?")
    await widget.ask_for_person()
    leave_email = widget.page.get_by_role("button", name="Leave e-mail")
    for online in (True, False, True):
        body = {"site_id": tenant.site_id, "online": online}
        (await tenant.alex.post("/operator/set-status", body)).ok()
        async with asyncio.timeout(20):
            while await leave_email.count() == online:
                async with widget.page.expect_response("**/chat/config*"):
                    await widget.page.clock.fast_forward(10_000)
        await expect(leave_email).to_have_count(0 if online else 1)


async def test_ten_tabs_share_one_line(open_site: TenantFixture, stack: Stack, sessions: BrowserSessions) -> None:
    """A browser opens six connections to a server over HTTP/1.1; a stream of each tab would take them all."""
    first = await sessions.widget()
    async with serve_pages({"/": build_page(script_tag(stack, open_site.site_key))}) as address:
        await first.page.goto(f"{address}/")
        await first.page.get_by_role("button", name="Open chat").click()
        await first.send_message("Message of tab 1")
        await expect(first.log.get_by_text("Sent")).to_be_visible()
        tabs = [first]
        for number in range(2, 11):
            tab = Widget(await first.page.context.new_page())
            tabs.append(tab)
            await tab.page.goto(f"{address}/")
            await expect(tab.log).to_contain_text(f"Message of tab {number - 1}")
            await tab.send_message(f"Message of tab {number}")
            await expect(tab.log).to_contain_text(f"Message of tab {number}")
        for tab in tabs:
            await expect(tab.log).to_contain_text("Message of tab 10", timeout=2000)
            await expect(tab.log).not_to_contain_text("Sending…")
            await expect(tab.page.get_by_text("Connection lost")).to_have_count(0)


async def test_eighth_tab_of_the_panel_is_connected(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    panel = await sessions.panel()
    await panel.log_in(stack.gateway_url, tenant.alex)
    for _ in range(7):
        tab = await panel.page.context.new_page()
        await tab.goto(f"{stack.gateway_url}/panel")
        await expect(tab.get_by_title("Connected", exact=True)).to_be_visible(timeout=5000)


async def test_panel_loads_nothing_from_another_origin_and_has_no_inline_code(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    panel = await sessions.panel()
    asked: list[str] = []
    panel.page.on("request", lambda request: asked.append(request.url))
    await panel.log_in(stack.gateway_url, tenant.owner)
    for place in ("Visitors", "Archive", "Sites", "Team", "Ratings", "Audit"):
        await panel.page.get_by_role("navigation", name="Main").get_by_role("link", name=place).click()
        await expect(panel.page.get_by_role("heading", name=place, exact=True)).to_be_visible()
    assert all(url.startswith(stack.gateway_url) for url in asked)
    inline = panel.page.locator("[style]:not(textarea), style, script:not([src])")
    await expect(inline).to_have_count(0)
    assert not any("token=" in url for url in asked), "a token must not be part of a URL"

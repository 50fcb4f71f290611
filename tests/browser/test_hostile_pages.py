"""Pages that attack the widget they embed, or the chat of another origin."""

from __future__ import annotations

import html
import json

from playwright.async_api import expect

from browser.test_markup import CANARIES
from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.shop import build_page, serve_pages
from support.tenants import TenantFixture
from support.wait import wait_until

INJECTED = """() => {
  const isForeign = (element) => element.matches("iframe, script, h1, img, object") ||
    [...element.attributes].some(({ name, value }) => name.startsWith("on") || /^\\s*(javascript|data):/i.test(value))
  const elements = [...document.querySelector("parley-chat").shadowRoot.querySelectorAll("*")].filter(isForeign)
  return [...("__canary" in window ? [__canary] : []), ...elements.map((element) => element.outerHTML)]
}"""
ATTACK = """<script>
window.parley = window.parley || function(){(parley.q = parley.q || []).push(arguments)}
parley.q = [null, 7, {}, ["nothing"]]
for (const text of CANARIES) {
  for (const command of ["setLanguage", "setTheme", "identify", "off", text]) parley(command, text)
  parley("on", text, text)
  parley("prefill", text)
}
</script>"""
# Each listener undoes what it hears of, and goes on doing so.
FIGHT = """() => {
  parley("on", "open", () => parley("close"))
  parley("on", "close", () => parley("open"))
  parley("open")
  parley("off", "open")
  parley("off", "close")
}"""
READ_OTHER = """async (url) => {
  const opened = open(url), frame = document.createElement("iframe")
  frame.src = url
  await new Promise((loaded) => { frame.onload = loaded; document.body.append(frame) })
  const read = (other) => { try { return Object.keys(other.localStorage) } catch (error) { return error.name } }
  // Until it has left the empty page that it begins with, which is of this origin.
  while (Array.isArray(read(opened))) await new Promise((later) => setTimeout(later, 50))
  for (const other of [opened, frame.contentWindow])
    for (const message of ["open", ["send", "From elsewhere"], { event: "send", detail: "From elsewhere" }])
      other.postMessage(message, "*")
  return [read(opened), read(frame.contentWindow)]
}"""
SESSIONS = "Object.entries(localStorage).filter(([key]) => key.endsWith(':session')).map(([, value]) => value)"


async def test_what_a_page_passes_is_never_markup(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"domains": [], "any_origin": True})).ok()
    attributes = " ".join(
        f'data-{name}="{html.escape(text)}"'
        for name, text in {"site-key": tenant.site_key, "colour": "red}*{color:red", "position": CANARIES[3]}.items()
    )
    attack = ATTACK.replace("CANARIES", json.dumps(CANARIES).replace("</", "<\\/"))
    tag = f'<script async src="{stack.gateway_url}/widget.js" {attributes}></script>'
    widget = await sessions.widget()
    async with serve_pages({"/": build_page(attack + tag)}) as address:
        await widget.page.goto(f"{address}/")
        launcher = widget.page.get_by_role("button", name="Open chat")
        await expect(launcher).to_have_css("background-color", "rgb(37, 99, 235)")
        await widget.page.evaluate(FIGHT)
        widget.errors.clear()
        await widget.page.evaluate("parley('open')")
        await expect(widget.write).to_have_value(CANARIES[-1])
        assert await widget.page.evaluate(INJECTED) == []


async def test_another_origin_reaches_no_session_and_drives_no_chat(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    (await tenant.owner.send("PUT", f"/sites/{tenant.site_id}", {"domains": ["localhost"]})).ok()
    tag = f'<script async src="{stack.gateway_url}/widget.js" data-site-key="{tenant.site_key}"></script>'
    widget = await sessions.widget()
    app = f"{stack.gateway_url}/widget/app.html?site_key={tenant.site_key}"
    async with serve_pages({"/": build_page(tag)}) as shop:
        await widget.page.goto(app)
        await expect(widget.write).to_be_visible()
        [app_session] = await widget.page.evaluate(SESSIONS)
        await widget.page.goto(f"{shop}/")
        await widget.page.get_by_role("button", name="Open chat").click()
        await widget.send_message("What are your opening hours?")
        await expect(widget.log).to_contain_text("We are open from 9 to 5")
        [session] = await widget.page.evaluate(SESSIONS)

        # The same page on an origin that the site does not allow, with the same site key.
        async with widget.page.expect_event("requestfailed", lambda request: "heartbeat" in request.url):
            await widget.page.goto(f"{shop.replace('localhost', '127.0.0.1')}/")
        [own] = await widget.page.evaluate(SESSIONS)
        assert len({app_session, session, own}) == 3
        async with widget.page.context.expect_page() as opened:
            read = await widget.page.evaluate(READ_OTHER, app)
        assert read == ["SecurityError", "SecurityError"]
        other = await opened.value
        await expect(other.get_by_role("textbox")).to_be_visible()
        await expect(other.get_by_role("log")).not_to_contain_text("From elsewhere")
        [frame] = widget.page.frames[1:]
        await wait_until(lambda: frame.url.startswith("chrome-error:"))
        # What the browser says of the frame and of the refused requests.
        widget.errors.clear()

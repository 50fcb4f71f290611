"""Images: chosen, pasted or dropped, seen on the other side, and nothing but images."""

from __future__ import annotations

from base64 import b64encode

from playwright.async_api import Locator, expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.shop import picture
from support.tenants import TenantFixture

_BRING = """async (element, [kind, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))
  const carried = new DataTransfer()
  carried.items.add(new File([bytes], 'picture.png', { type: 'image/png' }))
  const event = kind === 'paste'
    ? new ClipboardEvent('paste', { clipboardData: carried, bubbles: true, cancelable: true, composed: true })
    : new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true, composed: true })
  element.dispatchEvent(event)
}"""


async def bring(where: Locator, kind: str) -> None:
    """Paste or drop a picture."""
    await where.evaluate(_BRING, [kind, b64encode(picture().getvalue()).decode()])


async def loaded(image: Locator) -> bool:
    await expect(image).to_be_visible()
    width: int = await image.evaluate("(image) => image.decode().then(() => image.naturalWidth)")
    return width > 0


async def test_an_operator_pastes_and_drops_pictures_that_the_visitor_sees(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    panel, widget = await sessions.panel(), await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message("What does it look like?")
    await widget.ask_for_person()
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.select_list("Waiting")
    await panel.page.get_by_role("tabpanel").get_by_role("link").click()
    await panel.page.keyboard.press("a")
    for number, kind in enumerate(("paste", "drop"), 1):
        await bring(panel.reply, kind)
        await expect(panel.page.get_by_role("button", name="Remove image")).to_be_visible()
        await panel.send_message(f"Like this ({kind})")
        await expect(widget.log.get_by_role("img")).to_have_count(number)
        assert await loaded(widget.log.get_by_role("img").last)
    assert await loaded(panel.messages.get_by_role("img").last)


async def test_a_visitor_chooses_and_pastes_pictures_that_the_operator_sees(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    panel, widget = await sessions.panel(), await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message("I need a person")
    await widget.ask_for_person()
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.select_list("Waiting")
    await panel.page.get_by_role("tabpanel").get_by_role("link").click()
    chosen = {"name": "picture.png", "mimeType": "image/png", "buffer": picture().getvalue()}
    await widget.page.locator("input[type=file]").set_input_files(chosen)  # type: ignore[arg-type]
    await expect(panel.messages.get_by_role("img")).to_have_count(1)
    await bring(widget.write, "paste")
    await expect(panel.messages.get_by_role("img")).to_have_count(2)
    assert await loaded(panel.messages.get_by_role("img").last)


async def test_what_only_calls_itself_a_picture_is_refused_in_words(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    widget = await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    false = {"name": "picture.png", "mimeType": "image/png", "buffer": b"<svg onload=alert(1)></svg>"}
    await widget.page.locator("input[type=file]").set_input_files(false)  # type: ignore[arg-type]
    await expect(widget.page.get_by_role("alert")).to_be_visible()
    await expect(widget.log.get_by_role("img")).to_have_count(0)

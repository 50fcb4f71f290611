"""Images: selected, pasted or dropped by one side and displayed to the other."""

from __future__ import annotations

from base64 import b64encode

from playwright.async_api import Locator, expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.populated_tenant import make_tracking_image
from support.tenants import TenantFixture

_DISPATCH_FILE = """async (element, [kind, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))
  const transfer = new DataTransfer()
  transfer.items.add(new File([bytes], 'picture.png', { type: 'image/png' }))
  const event = kind === 'paste'
    ? new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true, composed: true })
    : new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true, composed: true })
  element.dispatchEvent(event)
}"""


async def attach_image(target: Locator, kind: str) -> None:
    """Paste or drop an image; `kind` is "paste" or "drop"."""
    await target.evaluate(_DISPATCH_FILE, [kind, b64encode(make_tracking_image().getvalue()).decode()])


async def is_loaded(image: Locator) -> bool:
    await expect(image).to_be_visible()
    width: int = await image.evaluate("(image) => image.decode().then(() => image.naturalWidth)")
    return width > 0


async def test_images_pasted_and_dropped_by_an_operator_are_shown_to_the_visitor(
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
        await attach_image(panel.reply, kind)
        await expect(panel.page.get_by_role("button", name="Remove image")).to_be_visible()
        await panel.send_message(f"Like this ({kind})")
        await expect(widget.log.get_by_role("img")).to_have_count(number)
        assert await is_loaded(widget.log.get_by_role("img").last)
    assert await is_loaded(panel.messages.get_by_role("img").last)


async def test_images_selected_and_pasted_by_a_visitor_are_shown_to_the_operator(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    panel, widget = await sessions.panel(), await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    await widget.send_message("Where is my parcel?")
    await widget.ask_for_person()
    await panel.log_in(stack.gateway_url, tenant.alex)
    await panel.select_list("Waiting")
    await panel.page.get_by_role("tabpanel").get_by_role("link").click()
    image_file = {"name": "picture.png", "mimeType": "image/png", "buffer": make_tracking_image().getvalue()}
    await widget.page.locator("input[type=file]").set_input_files(image_file)  # type: ignore[arg-type]
    await expect(panel.messages.get_by_role("img")).to_have_count(1)
    await attach_image(widget.write, "paste")
    await expect(panel.messages.get_by_role("img")).to_have_count(2)
    assert await is_loaded(panel.messages.get_by_role("img").last)


async def test_file_that_is_not_an_image_is_refused(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    widget = await sessions.widget()
    await widget.open(stack.gateway_url, tenant.site_key)
    fake_image = {"name": "picture.png", "mimeType": "image/png", "buffer": b"<svg onload=alert(1)></svg>"}
    await widget.page.locator("input[type=file]").set_input_files(fake_image)  # type: ignore[arg-type]
    await expect(widget.page.get_by_role("alert")).to_be_visible()
    await expect(widget.log.get_by_role("img")).to_have_count(0)

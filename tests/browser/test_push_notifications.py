"""The panel as an installed app: push notifications by Web Push, and a page without a network."""

from __future__ import annotations

import json

from playwright.async_api import Page, expect

from parley_dev.stack import Stack
from support.browser import BrowserSessions
from support.tenants import TenantFixture
from support.wait import wait_until
from support.web_push import Browser, WebPushServer, wait_for_web_push

_FAKE_PUSH_SERVICE = """
(subscription) => {
  // A Chromium without windows shows no notifications.
  Object.defineProperty(Notification, "permission", { get: () => "granted" });
  Notification.requestPermission = async () => "granted";
  let current = null;
  PushManager.prototype.getSubscription = async () => current;
  PushManager.prototype.subscribe = async (options) => {
    window.subscribedWith = options;
    current = {
      ...subscription,
      options: { applicationServerKey: options.applicationServerKey.buffer },
      toJSON: () => subscription,
      unsubscribe: async () => { current = null; return true; },
    };
    return current;
  };
}
"""

_FAKE_NOTIFICATIONS = """
() => {
  self.shown = [];
  ServiceWorkerRegistration.prototype.showNotification = async (title, options) => {
    const close = () => { self.shown = self.shown.filter((one) => one.tag !== options.tag); };
    close();
    self.shown.push({ title, tag: options.tag, close });
  };
  ServiceWorkerRegistration.prototype.getNotifications = async ({ tag }) =>
    self.shown.filter((one) => one.tag === tag);
}
"""


class BrowserPush:
    """Delivers what the push service received to the service worker, which Chromium without a network cannot."""

    def __init__(self, page: Page, server: WebPushServer, browser: Browser) -> None:
        self._page = page
        self._server = server
        self._browser = browser
        self._registrations: list[str] = []

    async def start(self) -> None:
        self._session = await self._page.context.new_cdp_session(self._page)
        self._session.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda event: self._registrations.extend(one["registrationId"] for one in event["registrations"]),
        )
        await self._session.send("ServiceWorker.enable")

    async def deliver(self, content: dict[str, object]) -> None:
        await wait_until(lambda: bool(self._registrations))
        origin = "/".join(self._page.url.split("/")[:3])
        message = {"origin": origin, "registrationId": self._registrations[-1], "data": json.dumps(content)}
        await self._session.send("ServiceWorker.deliverPushMessage", message)

    async def fake_notifications(self) -> None:
        await wait_until(lambda: bool(self._page.context.service_workers))
        await self._page.context.service_workers[0].evaluate(_FAKE_NOTIFICATIONS)

    async def shown(self) -> list[str]:
        """The titles of the notifications that are shown."""
        titles: list[str] = await self._page.context.service_workers[0].evaluate("self.shown.map((one) => one.title)")
        return titles


async def test_a_test_push_arrives_and_is_closed_and_the_panel_has_a_page_without_network(
    tenant: TenantFixture, stack: Stack, sessions: BrowserSessions
) -> None:
    subject = stack.environment("notify")["PARLEY_VAPID_SUBJECT"]
    async with WebPushServer(stack.secrets.vapid, subject) as server:
        browser = server.open_browser()
        panel = await sessions.panel()
        page = panel.page
        await page.add_init_script(f"({_FAKE_PUSH_SERVICE})({json.dumps(browser.subscription)})")
        push = BrowserPush(page, server, browser)
        await push.start()
        await panel.log_in(stack.gateway_url, tenant.alex)
        await page.goto(f"{stack.gateway_url}/panel/#/settings")
        await page.get_by_role("button", name="Turn on in this browser").click()
        await expect(page.get_by_text("Push notifications are on in this browser.")).to_be_visible()
        device = page.get_by_role("list", name="Your devices").get_by_role("listitem")
        await expect(device).to_contain_text("This browser")
        await push.fake_notifications()
        assert await page.evaluate("window.subscribedWith.userVisibleOnly")

        await device.get_by_role("button", name="Send a test").click()
        message = await wait_for_web_push(server, browser)
        await push.deliver(message.content)
        await expect(page.get_by_text("The test has arrived in this browser.")).to_be_visible()
        await expect(device).to_contain_text("accepted by the push service")
        assert await push.shown() == ["Live chat"]
        await push.deliver({"tag": message.content["tag"], "data": {"type": "close"}})

        async def is_closed() -> bool:
            return await push.shown() == []

        await wait_until(is_closed)

        await page.context.set_offline(True)
        await page.reload()
        await expect(page.get_by_role("heading", name="No connection")).to_be_visible()
        stored = await page.evaluate(
            "async () => (await Promise.all((await caches.keys()).map(async (name) =>"
            " (await (await caches.open(name)).keys()).map((one) => new URL(one.url).pathname)))).flat()"
        )
        assert sorted(stored) == ["/panel/icon.svg", "/panel/offline.html", "/panel/offline.js"], "nothing of the API"
        await page.context.set_offline(False)
        await expect(page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()

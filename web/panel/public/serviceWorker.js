/**
 * The panel's service worker: shows push notifications, and a page when there is no network. It stores that page only;
 * requests to the API and everything else go to the network as without it.
 */
const CACHE = "parley-offline-1";
const OFFLINE_PAGE = "offline.html";

self.addEventListener("install", (event) => {
  const store = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll([OFFLINE_PAGE, "offline.js", "icon.svg"]);
    await self.skipWaiting();
  };
  event.waitUntil(store());
});

self.addEventListener("activate", (event) => {
  const removeOld = async () => {
    for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(removeOld());
});

self.addEventListener("fetch", (event) => {
  const path = new URL(event.request.url).pathname;
  if (event.request.mode === "navigate") event.respondWith(openPage(event.request));
  else if (path.endsWith("/offline.js"))
    event.respondWith(fetch(event.request).catch(() => fromCache("offline.js")));
});

async function openPage(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const page = await fromCache(OFFLINE_PAGE);
    if (!page) throw error;
    return page;
  }
}

async function fromCache(path) {
  const cache = await caches.open(CACHE);
  return cache.match(path);
}

self.addEventListener("push", (event) => event.waitUntil(receive(event.data ? event.data.json() : {})));

/** A message shows a notification, which replaces the one with the same tag, or closes it. */
async function receive({ title = "Parley", body = "", tag = "", data = {} }) {
  if (data.type === "close") {
    for (const one of await self.registration.getNotifications({ tag })) one.close();
  } else {
    const icons = { icon: "icon-192.png", badge: "badge-96.png" };
    await self.registration.showNotification(title, { body, tag, data, renotify: true, ...icons });
  }
  for (const client of await self.clients.matchAll({ includeUncontrolled: true }))
    client.postMessage({ type: "push", kind: data.type });
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openChat(event.notification.data?.conversation_id));
});

async function openChat(conversation) {
  const hash = conversation ? `#/chats/${conversation}` : "";
  const [client] = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (!client) return self.clients.openWindow(`./${hash}`);
  client.postMessage({ type: "open", hash });
  return client.focus();
}

const RENEWAL_TEXTS = {
  en: "Open Parley to keep receiving notifications on this device.",
  de: "Öffnen Sie Parley, um auf diesem Gerät weiter Benachrichtigungen zu erhalten.",
  es: "Abra Parley para seguir recibiendo notificaciones en este dispositivo.",
  fr: "Ouvrez Parley pour continuer à recevoir des notifications sur cet appareil.",
  pt: "Abra o Parley para continuar recebendo notificações neste dispositivo.",
  ar: "افتح Parley لمواصلة تلقي الإشعارات على هذا الجهاز.",
  ja: "この端末で通知を受け取り続けるには、Parley を開いてください。",
};

/**
 * The browser replaced the subscription. An open panel registers the new one. Without one nobody is logged in here, so
 * the operator is asked to open it; until then, no push would arrive.
 */
self.addEventListener("pushsubscriptionchange", (event) => {
  const renew = async () => {
    const options = event.oldSubscription?.options;
    if (!event.newSubscription && options) await self.registration.pushManager.subscribe(options);
    const clients = await self.clients.matchAll({ includeUncontrolled: true });
    for (const client of clients) client.postMessage({ type: "subscription" });
    if (clients.length > 0) return;
    const languages = self.navigator.languages.map((tag) => tag.split("-")[0]);
    const body = RENEWAL_TEXTS[languages.find((one) => RENEWAL_TEXTS[one]) ?? "en"];
    await self.registration.showNotification("Parley", { body, tag: "subscription", icon: "icon-192.png" });
  };
  event.waitUntil(renew());
});

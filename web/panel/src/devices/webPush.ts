/** Push notifications to this browser: the service worker, its subscription, and what is wrong with it. */
import { effect, signal } from "@preact/signals";
import { api } from "../api/client";
import { navigate, route } from "../navigation/route";
import { me } from "../session/session";
import { persistedSignal } from "../settings/preferences";

const ARRIVAL_TIMEOUT_MS = 15_000;

/** The operator who turned push on in this browser; 0 if nobody did. Another one who logs in here gets none. */
const pushOwner = persistedSignal("pushOwner", 0);

/** This browser's device at the server; empty while it is not registered. */
export const ownDeviceId = signal("");

/** What keeps pushes from this browser, the first thing to repair; "ready" if nothing does. */
export type PushState =
  | "insecure"
  | "iosNotInstalled"
  | "unsupported"
  | "serverOff"
  | "blocked"
  | "noServiceWorker"
  | "off"
  | "ready";

const isIos = () =>
  /iPad|iPhone|iPod/.test(navigator.userAgent) ||
  (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);

const isInstalled = () => matchMedia("(display-mode: standalone)").matches;

let registering: Promise<ServiceWorkerRegistration | undefined> | undefined;

/** Registers the service worker once. Undefined where the browser has none or refuses it. */
function registerServiceWorker(): Promise<ServiceWorkerRegistration | undefined> {
  registering ??= (async () => {
    if (!("serviceWorker" in navigator)) return undefined;
    try {
      return await navigator.serviceWorker.register(`${import.meta.env.BASE_URL}serviceWorker.js`);
    } catch {
      registering = undefined;
      return undefined;
    }
  })();
  return registering;
}

/** What runs from login to logout: the operator's subscription is kept registered. Returns how to stop. */
export function startWebPush(): () => void {
  if (!("serviceWorker" in navigator)) return () => undefined;
  const onMessage = (event: MessageEvent<{ type?: string; hash?: string }>) => {
    if (event.data.type === "subscription") void renew();
    if (event.data.type === "open") {
      const id = /^#\/chats\/(\d+)$/.exec(event.data.hash ?? "")?.[1];
      if (id) navigate("chats", id);
    }
  };
  navigator.serviceWorker.addEventListener("message", onMessage);
  void registerServiceWorker().then(renew);
  // The server closes what is read elsewhere; not in Safari, and later than this.
  const stopClosing = effect(() => {
    const current = route.value;
    if (current.page === "chats" && current.conversation !== undefined)
      void closeNotification(current.conversation);
  });
  return () => {
    navigator.serviceWorker.removeEventListener("message", onMessage);
    stopClosing();
    ownDeviceId.value = "";
  };
}

async function closeNotification(conversation: number): Promise<void> {
  const registration = await registerServiceWorker();
  const shown = await registration?.getNotifications({ tag: `conversation-${conversation}` });
  for (const notification of shown ?? []) notification.close();
}

/** Registers this browser again: the login, the subscription or the server's key may be new. */
async function renew(): Promise<void> {
  if (pushOwner.value !== me.value?.id || Notification.permission !== "granted") return;
  try {
    await subscribe();
  } catch {
    // The settings say what is wrong.
  }
}

/** Asks for the permission and subscribes. Returns what is still wrong. Throws ApiError. */
export async function turnOn(): Promise<PushState> {
  const state = await diagnose();
  if (state !== "off" && state !== "ready") return state;
  if ((await Notification.requestPermission()) !== "granted") return "blocked";
  await subscribe();
  pushOwner.value = me.value?.id ?? 0;
  return "ready";
}

export async function turnOff(): Promise<void> {
  pushOwner.value = 0;
  const subscription = await (await registerServiceWorker())?.pushManager.getSubscription();
  ownDeviceId.value = "";
  if (!subscription) return;
  // First: without a connection to the server, no push arrives any more either.
  await subscription.unsubscribe();
  await api.delete("/operator/push-subscription", { body: { endpoint: subscription.endpoint } });
}

export async function diagnose(): Promise<PushState> {
  if (!window.isSecureContext) return "insecure";
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window))
    return isIos() && !isInstalled() ? "iosNotInstalled" : "unsupported";
  if (!(await fetchKey())) return "serverOff";
  if (Notification.permission === "denied") return "blocked";
  const registration = await registerServiceWorker();
  if (!registration) return "noServiceWorker";
  const subscription = await registration.pushManager.getSubscription();
  const isOn = subscription && pushOwner.value === me.value?.id && Notification.permission === "granted";
  return isOn ? "ready" : "off";
}

async function fetchKey(): Promise<string | null> {
  return (await api.get("/operator/push-subscription/key")).public_key;
}

async function subscribe(): Promise<void> {
  const registration = await registerServiceWorker();
  const key = await fetchKey();
  if (!registration || !key) return;
  const applicationServerKey = decodeBase64Url(key);
  let subscription = await registration.pushManager.getSubscription();
  if (subscription && !isSame(subscription.options.applicationServerKey, applicationServerKey)) {
    await subscription.unsubscribe();
    subscription = null;
  }
  subscription ??= await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
  const { endpoint, keys } = subscription.toJSON();
  if (!endpoint || !keys?.["p256dh"] || !keys["auth"]) return;
  const body = { endpoint, keys: { p256dh: keys["p256dh"], auth: keys["auth"] }, name: browserName() };
  ownDeviceId.value = (await api.post("/operator/push-subscription", { body })).device_id;
}

/** Whether a push reaches this browser within a few seconds; call it before the push is sent. */
export function waitForArrival(): Promise<boolean> {
  return new Promise((resolve) => {
    const onMessage = (event: MessageEvent<{ type?: string; kind?: string }>) => {
      if (event.data.type === "push" && event.data.kind === "test") end(true);
    };
    const timer = setTimeout(() => end(false), ARRIVAL_TIMEOUT_MS);
    const end = (hasArrived: boolean) => {
      clearTimeout(timer);
      navigator.serviceWorker.removeEventListener("message", onMessage);
      resolve(hasArrived);
    };
    navigator.serviceWorker.addEventListener("message", onMessage);
  });
}

function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function isSame(first: ArrayBuffer | null, second: Uint8Array): boolean {
  if (!first) return false;
  const bytes = new Uint8Array(first);
  return bytes.length === second.length && bytes.every((byte, index) => byte === second[index]);
}

const BROWSERS: [RegExp, string][] = [
  [/Edg\//, "Edge"],
  [/Firefox\//, "Firefox"],
  [/Chrome\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPod/, "iPhone"],
  [/iPad/, "iPad"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/Linux|CrOS/, "Linux"],
];

/** A name to recognize this browser by in the list of devices, like "Chrome, Android". */
function browserName(): string {
  const find = (names: [RegExp, string][]) =>
    names.find(([pattern]) => pattern.test(navigator.userAgent))?.[1];
  return [find(BROWSERS), find(SYSTEMS)].filter(Boolean).join(", ");
}

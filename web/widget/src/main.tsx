/**
 * Entry point of the widget. It lives in a shadow root with constructed style sheets, so that neither the page's
 * styles nor a strict Content Security Policy affect it. Until it is opened it sends only its heartbeat.
 */
import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { onStored } from "../../shared/storage";
import { clearStorage, type EmbedConfig, readEmbedConfig, storageKey } from "./embedConfig";
import { keepAttached } from "./host";
import { loadStrings } from "./i18n/i18n";
import { loadText } from "./loadText";
import { cleanUrl } from "./pageUrl";
import { colourVariables } from "./styles/colours";
import { launcherStyles } from "./styles/styles";
import { Widget } from "./widget";
import { WidgetStore } from "./widgetStore";

const HEARTBEAT_INTERVAL_MS = 25_000;
const URL_CHECK_INTERVAL_MS = 2000;
const MAX_WAIT_FOR_COLOUR_MS = 2000;
/** How often an operator's first message is asked for, while the visitor is there. */
const PROACTIVE_INTERVAL_MS = 5000;
const IDLE_MS = 120_000;
/** The site key of the widget that runs on this page. */
const RUNNING = Symbol.for("parley.widget");

async function start(): Promise<void> {
  const globals = window as unknown as Record<string | symbol, unknown>;
  let embed: EmbedConfig;
  try {
    embed = readEmbedConfig();
  } catch (error) {
    warn(`${(error as Error).message}, no chat`);
    return;
  }
  const running = globals[RUNNING];
  if (running) {
    // A page that runs its scripts again after each navigation is not worth a word.
    if (running !== embed.siteKey) warn("already on this page");
    return;
  }
  globals[RUNNING] = embed.siteKey;
  await loadStrings(embed.origin);

  const host = document.createElement("parley-chat");
  const root = host.attachShadow({ mode: "open" });
  const baseSheet = new CSSStyleSheet();
  const colourSheet = new CSSStyleSheet();
  const windowSheet = new CSSStyleSheet();
  baseSheet.replaceSync(launcherStyles);
  root.adoptedStyleSheets = [baseSheet, windowSheet, colourSheet];

  const endSession = () => {
    clearStorage(embed.siteKey);
    restart();
  };
  const current = signal(new WidgetStore(embed, endSession));
  const restart = () => {
    current.value.close();
    embed = readEmbedConfig({ siteKey: embed.siteKey, origin: embed.origin, colour: embed.colour });
    current.value = new WidgetStore(embed, endSession);
  };
  effect(() => {
    const store = current.value;
    const colours = store.config.value?.colours ?? (embed.colour ? { primary: embed.colour } : {});
    colourSheet.replaceSync(colourVariables(colours));
  });
  // The button appears in its own colour. A page that names it, and a later visit, need not wait.
  const isReady = signal(Boolean(embed.colour || current.value.config.value));
  const setReady = () => {
    isReady.value = true;
  };
  effect(() => {
    host.hidden = !isReady.value;
  });
  if (!isReady.value) {
    setTimeout(setReady, MAX_WAIT_FOR_COLOUR_MS);
    void current.value.loadConfig().then(setReady);
  }
  // The window appears with its styles.
  const hasStyles = signal(false);
  effect(() => {
    if (!current.value.open.value || hasStyles.value) return;
    void loadText(`${embed.origin}/widget/window.css`).then((css) => {
      if (css) windowSheet.replaceSync(css);
      hasStyles.value = css !== "";
    });
  });
  keepAttached(host);
  effect(() =>
    render(<Widget key={current.value.id} store={current.value} hasStyles={hasStyles.value} />, root),
  );

  // Another tab has ended the session.
  onStored((name, value) => {
    if (name === storageKey(embed.siteKey, "session") && value !== embed.sessionId) restart();
  });
  startHeartbeat(() => current.value);
  document.addEventListener("visibilitychange", () => current.value.markRead());
  // A page opens the widget with a link: <a href="#parley">.
  addEventListener("hashchange", () => location.hash === "#parley" && current.value.show());
  publishApi(globals, {
    open: () => current.value.show(),
    close: () => current.value.hide(),
    endSession,
  });
  if (current.value.isOpenStored) current.value.show();
}

/** What pages may call. A page's own configuration object, if there is one, keeps its fields. */
function publishApi(globals: Record<string | symbol, unknown>, api: Record<string, () => void>): void {
  const existing = globals["Parley"];
  if (typeof existing === "object" && existing !== null) Object.assign(existing, api);
  else globals["Parley"] = api;
}

/** Reports the visitor's page to operators, also when the page changes its URL without loading. */
function startHeartbeat(currentStore: () => WidgetStore): void {
  let reportedUrl = "";
  const send = async () => {
    const store = currentStore();
    reportedUrl = location.href;
    const config = store.config.value;
    const isTracked = config?.page_tracking ?? true;
    await store.sendHeartbeat({
      // Sandboxed pages have no origin; what the site does not track is not sent.
      page: isTracked ? cleanUrl(reportedUrl, config?.page_parameters ?? []).slice(0, 2048) : location.origin,
      title: isTracked ? document.title.slice(0, 300) : "",
      referrer: isTracked ? cleanUrl(document.referrer, []) : "",
    });
  };
  let lastActivity = Date.now();
  for (const type of ["pointermove", "keydown", "scroll"]) {
    addEventListener(type, () => (lastActivity = Date.now()), { passive: true, capture: true });
  }
  const checkProactive = () => {
    const isPresent = document.visibilityState === "visible" && Date.now() - lastActivity < IDLE_MS;
    if (isPresent) void currentStore().checkProactive();
  };
  setInterval(checkProactive, PROACTIVE_INTERVAL_MS);
  void send();
  setInterval(send, HEARTBEAT_INTERVAL_MS);
  setInterval(() => location.href !== reportedUrl && send(), URL_CHECK_INTERVAL_MS);
}

function warn(text: string): void {
  // biome-ignore lint/suspicious/noConsole: the console is the only place where the site owner sees it.
  console.warn(`Parley: ${text}`);
}

if (document.body) void start();
else document.addEventListener("DOMContentLoaded", () => void start());

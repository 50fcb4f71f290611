/**
 * Entry point of the widget. It lives in a shadow root with constructed style sheets, so that neither the page's
 * styles nor a strict Content Security Policy affect it. Until it is opened it sends only its heartbeat.
 */
import { effect } from "@preact/signals";
import { render } from "preact";
import { readEmbedConfig } from "./embedConfig";
import { colourVariables } from "./styles/colours";
import { styles } from "./styles/styles";
import { Widget } from "./widget";
import { WidgetStore } from "./widgetStore";

const HEARTBEAT_INTERVAL_MS = 25_000;
const URL_CHECK_INTERVAL_MS = 2000;

function start(): void {
  const embed = readEmbedConfig();
  if (!embed || document.querySelector("parley-chat")) return;
  const host = document.createElement("parley-chat");
  const root = host.attachShadow({ mode: "open" });
  const baseSheet = new CSSStyleSheet();
  const colourSheet = new CSSStyleSheet();
  baseSheet.replaceSync(styles);
  root.adoptedStyleSheets = [baseSheet, colourSheet];
  const store = new WidgetStore(embed);
  effect(() =>
    colourSheet.replaceSync(colourVariables(store.config.value?.colours ?? { primary: embed.colour })),
  );
  document.body.append(host);
  render(<Widget store={store} />, root);
  startHeartbeat(store);
  document.addEventListener("visibilitychange", () => store.markRead());
  // A page opens the widget with a link: <a href="#parley">.
  addEventListener("hashchange", () => location.hash === "#parley" && store.show());
  if (store.isOpenStored) store.show();
}

/** Reports the visitor's page to operators, also when the page changes its URL without loading. */
function startHeartbeat(store: WidgetStore): void {
  let reportedUrl = "";
  const send = async () => {
    reportedUrl = location.href;
    await store.sendHeartbeat({
      page: reportedUrl.slice(0, 2048),
      title: document.title.slice(0, 300),
      referrer: document.referrer,
    });
    if (document.visibilityState === "visible") await store.checkProactive();
  };
  void send();
  setInterval(send, HEARTBEAT_INTERVAL_MS);
  setInterval(() => location.href !== reportedUrl && send(), URL_CHECK_INTERVAL_MS);
}

if (document.body) start();
else document.addEventListener("DOMContentLoaded", start);

/**
 * The visitor's widget. It lives in a shadow root with constructed style sheets, so that neither the page's styles
 * nor a strict content security policy get in its way, and it loads nothing until opened, save its presence.
 */
import { effect } from "@preact/signals";
import { render } from "preact";
import { findPlace, recall } from "./place";
import { Store } from "./store";
import { colours, styles } from "./styles";
import { Widget } from "./view";

const BEAT_MS = 25_000;
const MOVED_MS = 2000;

function start(): void {
  const place = findPlace();
  if (!place || document.querySelector("parley-chat")) return;
  const host = document.createElement("parley-chat");
  const root = host.attachShadow({ mode: "open" });
  const own = new CSSStyleSheet();
  const tint = new CSSStyleSheet();
  own.replaceSync(styles);
  root.adoptedStyleSheets = [own, tint];
  const store = new Store(place);
  effect(() => tint.replaceSync(colours(store.config.value?.colours ?? { primary: place.colour })));
  document.body.append(host);
  render(<Widget store={store} />, root);
  present(store);
  document.addEventListener("visibilitychange", () => store.markRead());
  // A page may open it from a link or a button of its own: <a href="#parley">.
  addEventListener("hashchange", () => location.hash === "#parley" && store.show());
  if (recall(`parley:${place.siteKey}:open`) === "1") store.show();
}

/** Lets operators see which page the visitor is on; pages that change without loading are noticed, too. */
function present(store: Store): void {
  let page = "";
  const beat = () => {
    page = location.href;
    const where = {
      page: page.slice(0, 2048),
      title: document.title.slice(0, 300),
      referrer: document.referrer,
    };
    void store.beat(where).then(() => {
      if (document.visibilityState === "visible") void store.checkProactive();
    });
  };
  beat();
  setInterval(beat, BEAT_MS);
  setInterval(() => location.href !== page && beat(), MOVED_MS);
}

if (document.body) start();
else document.addEventListener("DOMContentLoaded", start);

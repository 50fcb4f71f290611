/**
 * The chat alone, for the WebView of an app: `/widget/app.html?site_key=…`. It opens at once and fills the page.
 * Optional parameters: `language`, `theme`. The app receives each event as a JSON text, `{"event": "unread", "detail": …}`.
 */
import { EVENTS, load, type ParleyEvent, type ParleyTheme } from "@parley/widget";

/** The functions by which a page talks to the app around it. */
interface AppBridges {
  ReactNativeWebView?: { postMessage(text: string): void };
  /** Android: the object that `addJavascriptInterface` was given. */
  ParleyApp?: { postMessage(text: string): void };
  webkit?: { messageHandlers?: { parley?: { postMessage(text: string): void } } };
}

/** More specific than the styles of the chat window, which come later. */
const FULL_PAGE = `.root .window{inset:0;width:auto;height:100dvh;border-radius:0}
.root.open>.launcher{display:none}
.root .composer-field{margin-block-end:calc(8px + env(safe-area-inset-bottom))}
.root .header{padding-block-start:calc(14px + env(safe-area-inset-top))}`;

const parameters = new URLSearchParams(location.search);
const language = parameters.get("language");
const theme = parameters.get("theme");
const parley = load({ siteKey: parameters.get("site_key") ?? "", origin: location.origin });
if (language) parley.setLanguage(language);
if (theme) parley.setTheme(theme as ParleyTheme);
for (const event of EVENTS) parley.on(event, (detail) => tellApp(event, detail));
parley.on("ready", fillPage);
parley.open();

function tellApp(event: ParleyEvent, detail: object): void {
  const { ReactNativeWebView, ParleyApp, webkit } = window as unknown as AppBridges;
  const bridge = ReactNativeWebView ?? ParleyApp ?? webkit?.messageHandlers?.parley;
  bridge?.postMessage(JSON.stringify({ event, detail }));
}

function fillPage(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(FULL_PAGE);
  document.querySelector("parley-chat")?.shadowRoot?.adoptedStyleSheets.push(sheet);
}

/** Adds the widget to the demo page, for the site in the URL or the one entered in the form. */
import { load, type ParleyApi, type ParleyEvent, parley } from "@parley/widget";

/** What the page's buttons call. */
const CALLS: [command: keyof ParleyApi, ...args: string[]][] = [
  ["open"],
  ["close"],
  ["toggle"],
  ["hide"],
  ["show"],
  ["prefill", "Is the Sencha in stock?"],
  ["send", "What are your opening hours?"],
  ["setLanguage", "de"],
  ["setLanguage", "en"],
  ["setTheme", "dark"],
  ["setTheme", "light"],
  ["setTheme", "auto"],
  ["reset"],
  ["off", "message"],
  ["shutdown"],
  ["boot"],
];
const EVENTS: readonly ParleyEvent[] = [
  "ready",
  "open",
  "close",
  "message",
  "unread",
  "handoff",
  "accepted",
  "closed",
  "rating",
];

const form = document.querySelector<HTMLFormElement>("#site-form");
const siteKey = new URLSearchParams(location.search).get("site_key");

if (siteKey) {
  load({ siteKey, origin: location.origin });
  showCalls();
  listen();
} else if (form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const entered = String(new FormData(form).get("site_key") ?? "").trim();
    if (entered) location.search = new URLSearchParams({ site_key: entered }).toString();
  });
}

function showCalls(): void {
  const buttons = CALLS.map(([command, ...args]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `parley(${[command, ...args].map((text) => JSON.stringify(text)).join(", ")})`;
    button.addEventListener("click", () => {
      (parley[command] as (...args: string[]) => void)(...args);
      // Listeners end with the widget.
      if (command === "shutdown") listen();
    });
    return button;
  });
  document.querySelector(".commands")?.append(...buttons);
  document.querySelector("#try")?.removeAttribute("hidden");
}

function listen(): void {
  const list = document.querySelector(".events");
  for (const event of EVENTS) {
    parley.on(event, (detail) => {
      const item = document.createElement("li");
      item.textContent = `${event} ${JSON.stringify(detail)}`;
      list?.prepend(item);
    });
  }
}

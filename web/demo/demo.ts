/** Adds the widget to the demo page, for the site in the URL or the one entered in the form. */
import { EVENTS, load, type ParleyApi, type ParleyTheme, parley } from "@parley/widget";
import { showIdentification } from "./identify";

/** The widget's languages. The build sets them. */
declare const LANGUAGES: string;

/** What the page's buttons call. */
const CALLS: [command: keyof ParleyApi, ...args: string[]][] = [
  ["open"],
  ["close"],
  ["toggle"],
  ["hide"],
  ["show"],
  ["prefill", "Is the Sencha in stock?"],
  ["send", "What are your opening hours?"],
  ["reset"],
  ["off", "message"],
  ["shutdown"],
  ["boot"],
];

const form = document.querySelector<HTMLFormElement>("#site-form");
const parameters = new URLSearchParams(location.search);
const siteKey = parameters.get("site_key");
const formSiteKey = parameters.get("form_site_key");
const secret = new URLSearchParams(location.hash.slice(1)).get("identity_secret");

if (siteKey) {
  load({ siteKey, origin: location.origin });
  showChoices();
  showCalls();
  listen();
  if (secret) showIdentification(siteKey, secret);
  if (formSiteKey) showFormSite(formSiteKey);
  const app = document.querySelector<HTMLAnchorElement>("#app-link");
  if (app) app.href = `/widget/app.html?${new URLSearchParams({ site_key: siteKey })}`;
} else if (form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const entered = String(new FormData(form).get("site_key") ?? "").trim();
    if (entered) location.search = new URLSearchParams({ site_key: entered }).toString();
  });
}

/** A site that asks before the chat, as `make run` seeds it. */
function showFormSite(formSiteKey: string): void {
  document.querySelector("#form-site")?.removeAttribute("hidden");
  const link = document.querySelector<HTMLAnchorElement>("#form-site a");
  if (link) link.href = `/demo?${new URLSearchParams({ site_key: formSiteKey })}`;
}

/** Language and theme, as a visitor may have them. */
function showChoices(): void {
  const language = document.querySelector<HTMLSelectElement>("#language");
  const theme = document.querySelector<HTMLSelectElement>("#theme");
  const options = LANGUAGES.split(" ").map((tag) => {
    const name = new Intl.DisplayNames(tag, { type: "language" }).of(tag) ?? tag;
    const option = new Option(name, tag);
    option.lang = tag;
    return option;
  });
  language?.append(...options);
  language?.addEventListener("change", () => parley.setLanguage(language.value || navigator.language));
  theme?.addEventListener("change", () => parley.setTheme(theme.value as ParleyTheme));
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

/** What is on the page before the chat window is loaded: the button, in plain DOM because it has to be small. */
import { direction } from "../i18n/language";
import { BUTTON_PATHS } from "../iconPaths";
import type { ButtonState } from "./chatInterface";
import type { SiteSettings } from "./presence";

const SVG = "http://www.w3.org/2000/svg";
const ICON_SIZE = 26;
/** Until the first heartbeat of the browser's first page was answered. */
const FIRST_TEXTS = { open_chat: "Chat", load_failed: "The chat could not be loaded. Trying again…" };

export class LauncherButton {
  /** Everything that the widget shows. */
  readonly root = document.createElement("div");
  /** Where the chat window is rendered: before the button, as in the order of the tab key. */
  readonly chat = document.createElement("div");
  readonly #notice = document.createElement("p");
  readonly #button = document.createElement("button");
  readonly #icon: SVGPathElement;
  readonly #count = document.createElement("span");
  #texts = FIRST_TEXTS;
  #state: ButtonState = { isOpen: false, unread: 0 };
  #isHidden = false;

  constructor(tag: string, onClick: () => void) {
    this.#notice.className = "load-notice";
    this.#notice.setAttribute("role", "status");
    this.#notice.lang = "en";
    this.#notice.dir = "auto";
    this.#button.type = "button";
    this.#button.className = "launcher";
    this.#button.addEventListener("click", onClick);
    this.#count.className = "unread-count";
    this.#count.setAttribute("aria-hidden", "true");
    const [icon, path] = createIcon();
    this.#icon = path;
    this.#button.append(icon, this.#count);
    this.root.append(this.chat, this.#notice, this.#button);
    this.setLanguage(tag);
    this.update(this.#state);
  }

  setLanguage(tag: string): void {
    this.root.lang = tag;
    this.root.dir = direction(tag.toLowerCase().replace(/-.*/, ""));
  }

  /** What the button says until the chat is loaded. */
  setTexts(texts: SiteSettings["texts"]): void {
    if (!texts) return;
    this.#texts = texts;
    this.#notice.lang = this.#button.lang = texts.language;
    this.update(this.#state);
  }

  /** Hides the button and the teaser. The window stays, for pages with a button of their own. */
  setHidden(isHidden: boolean): void {
    this.#isHidden = isHidden;
    this.update(this.#state);
  }

  update(state: ButtonState): void {
    const { isOpen, unread, label } = state;
    // A keyboard user who closes the window continues at the button.
    if (this.#state.isOpen && !isOpen) this.#button.focus();
    this.#state = state;
    const hasNews = !isOpen && unread > 0;
    this.root.className = `root${isOpen ? " open" : ""}${this.#isHidden ? " bare" : ""}`;
    this.#button.setAttribute("aria-expanded", String(isOpen));
    this.#button.setAttribute("aria-label", label || this.#texts.open_chat);
    this.#icon.setAttribute("d", isOpen ? BUTTON_PATHS.down : BUTTON_PATHS.chat);
    this.#count.textContent = hasNews ? String(unread) : "";
    this.#count.hidden = !hasNews;
  }

  /** Shows that the chat window is being loaded, and whether that has failed. */
  setLoading(isLoading: boolean, hasFailed = false): void {
    this.#button.setAttribute("aria-busy", String(isLoading));
    this.#notice.textContent = hasFailed ? this.#texts.load_failed : "";
  }
}

/** The icon's element, and its path. */
function createIcon(): [SVGSVGElement, SVGPathElement] {
  const icon = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  const attributes = {
    class: "icon",
    width: ICON_SIZE,
    height: ICON_SIZE,
    viewBox: "0 0 24 24",
    fill: "none",
    stroke: "currentColor",
    "stroke-width": 1.8,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
    "aria-hidden": true,
  };
  for (const [name, value] of Object.entries(attributes)) icon.setAttribute(name, String(value));
  icon.append(path);
  return [icon, path];
}

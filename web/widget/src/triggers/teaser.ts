/** The message next to the button, in plain DOM: the chat window is not loaded yet. */
import type { QuickReply } from "../../../shared/apiTypes";
import { toSafeUrl } from "../../../shared/linkify";
import { loadStrings, strings } from "../i18n/i18n";
import { PATHS } from "../iconPaths";
import { withoutMarks } from "../messages/plainText";

const MAX_CHARACTERS = 160;
/** The chat shows the others. */
const MAX_REPLIES = 4;
const TEXT_ID = "trigger-text";
const SVG = "http://www.w3.org/2000/svg";

export interface TeaserContent {
  message: string;
  quick_replies?: readonly QuickReply[];
}

interface TeaserOptions {
  /** What the widget shows, with the button as the last element. */
  root: HTMLElement;
  origin: string;
  onOpen(): void;
  /** The visitor has chosen a quick reply with this text. */
  onChoose(text: string): void;
  onDismiss(): void;
}

export class Teaser {
  /** There before the message, so that screen readers announce it. */
  readonly #region = document.createElement("div");
  #isShown = false;

  constructor(private readonly options: TeaserOptions) {
    this.#region.setAttribute("role", "status");
    options.root.lastElementChild?.before(this.#region);
  }

  get isShown(): boolean {
    return this.#isShown;
  }

  async show({ message, quick_replies }: TeaserContent, language: string): Promise<void> {
    this.#isShown = true;
    await loadStrings(this.options.origin, language);
    // Removed, or shown again in another language, meanwhile.
    if (!this.#isShown || this.#region.firstChild) return;
    const teaser = document.createElement("div");
    teaser.className = "teaser trigger";
    const text = createButton("teaser-text", this.options.onOpen);
    text.dir = "auto";
    text.id = TEXT_ID;
    text.textContent = withoutMarks(message).slice(0, MAX_CHARACTERS);
    const close = createButton("teaser-close", () => this.#dismiss());
    close.setAttribute("aria-label", strings.dismiss);
    close.append(createIcon());
    teaser.append(text, ...this.#createReplies(quick_replies ?? []), close);
    this.#region.replaceChildren(teaser);
  }

  hide(): void {
    this.#isShown = false;
    this.#region.replaceChildren();
  }

  /** The Escape key dismisses it, also without its focus. */
  onKey({ key, defaultPrevented }: KeyboardEvent): void {
    if (key === "Escape" && this.#isShown && !defaultPrevented) this.#dismiss();
  }

  remove(): void {
    this.#region.remove();
  }

  #createReplies(replies: readonly QuickReply[]): HTMLElement[] {
    if (!replies.length) return [];
    const group = document.createElement("div");
    group.className = "teaser-replies";
    group.setAttribute("role", "group");
    group.setAttribute("aria-labelledby", TEXT_ID);
    for (const { label, value, url } of replies.slice(0, MAX_REPLIES)) {
      const reply = url ? createLink(url) : createButton("", () => this.options.onChoose(value ?? label));
      reply.dir = "auto";
      reply.textContent = label;
      group.append(reply);
    }
    return [group];
  }

  #dismiss(): void {
    const hadFocus = this.#region.contains((this.#region.getRootNode() as ShadowRoot).activeElement);
    this.hide();
    this.options.onDismiss();
    if (hadFocus) (this.options.root.lastElementChild as HTMLElement).focus();
  }
}

function createLink(url: string): HTMLAnchorElement {
  const link = document.createElement("a");
  const address = toSafeUrl(url);
  if (address) link.href = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  return link;
}

function createButton(className: string, onClick: () => void): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = className;
  button.addEventListener("click", onClick);
  return button;
}

function createIcon(): SVGSVGElement {
  const icon = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  const attributes = { width: 14, height: 14, viewBox: "0 0 24 24", fill: "none", stroke: "currentColor" };
  for (const [name, value] of Object.entries({ ...attributes, "stroke-width": 1.8, "aria-hidden": true }))
    icon.setAttribute(name, String(value));
  path.setAttribute("d", PATHS.close);
  icon.append(path);
  return icon;
}

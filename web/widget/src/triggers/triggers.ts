/**
 * Shows the messages of the site's triggers. The launcher loads it on sites that have live ones, and for a preview. It
 * checks what happens on the page; the server decides about the rest when it is asked for the message.
 */
import type { RequestBody, ResponseBody } from "../../../shared/apiTypes";
import { jsonRequest, REQUEST_TIMEOUT_MS, readBody, send } from "../../../shared/http";
import { readJson, readText, writeJson } from "../../../shared/storage";
import { SESSION_HEADER, storageKey } from "../embedConfig";
import { PREVIEW_PARAMETER, type TriggerHost } from "../launcher/chatInterface";
import { readSite } from "../launcher/presence";
import { triggerStyles } from "../styles/triggerStyles";
import { meetsPage, meetsVisit, type PageActivity, type Rule } from "./rules";
import { readTrigger, writeTrigger } from "./shownTrigger";
import { Teaser, type TeaserContent } from "./teaser";
import { currentVisit, type Visit, writeVisit } from "./visit";

const CHECK_INTERVAL_MS = 1000;
/** The server may allow later what it refuses now: it opens, or an operator comes online. */
const RETRY_MS = 60_000;

type ShowPath = "/chat/triggers/show" | "/chat/triggers/opened";

export function start(host: TriggerHost, stopped: AbortSignal): void {
  const triggers = new Triggers(host);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(triggerStyles);
  host.root.adoptedStyleSheets.push(sheet);
  const timer = setInterval(() => void triggers.check(), CHECK_INTERVAL_MS);
  const options = { signal: stopped };
  document.addEventListener("mouseout", (event) => triggers.onPointer(event), options);
  document.addEventListener("keydown", (event) => triggers.onKey(event), options);
  const observer = new MutationObserver(() => triggers.onOpened());
  observer.observe(triggers.element, { attributeFilter: ["class"] });
  stopped.addEventListener("abort", () => {
    clearInterval(timer);
    observer.disconnect();
    triggers.remove();
  });
}

class Triggers {
  /** Has the classes `open` and `bare`: the window is open, the page has hidden the button. */
  readonly element: HTMLElement;
  readonly #teaser: Teaser;
  readonly #previewToken = new URLSearchParams(location.search).get(PREVIEW_PARAMETER);
  #page: PageActivity = { url: "", seconds: 0, scrollPercent: 0, isLeaving: false };
  #rules: readonly Rule[] = [];
  #version: string | null = null;
  #isBusy = false;
  /** After a request that failed. */
  #retryAt = 0;

  constructor(private readonly host: TriggerHost) {
    this.element = host.element.parentElement as HTMLElement;
    this.#teaser = new Teaser({
      root: this.element,
      origin: host.embed.origin,
      onOpen: () => host.open(),
      onChoose: (text) => this.#choose(text),
      onDismiss: () => this.#finish(),
    });
  }

  /** Called each second. */
  async check(): Promise<void> {
    if (this.#page.url !== location.href)
      this.#page = { url: location.href, seconds: 0, scrollPercent: 0, isLeaving: false };
    if (document.visibilityState !== "visible") return;
    this.#page.seconds += CHECK_INTERVAL_MS / 1000;
    this.#page.scrollPercent = Math.max(this.#page.scrollPercent, scrollPercent());
    await this.#evaluate();
  }

  onPointer({ relatedTarget, clientY }: MouseEvent): void {
    if (relatedTarget || clientY > 0 || !this.#page.url) return;
    this.#page.isLeaving = true;
    void this.#evaluate();
    this.#page.isLeaving = false;
  }

  onKey(event: KeyboardEvent): void {
    this.#teaser.onKey(event);
  }

  /** The window may have been opened. */
  onOpened(): void {
    if (!this.element.classList.contains("open")) return;
    const shown = readTrigger(this.#siteKey);
    if (shown && !shown.opened) {
      writeTrigger(this.#siteKey, { ...shown, opened: true });
      this.#updateVisit({ isDone: true });
      if (shown.id) this.#post("/chat/triggers/opened", { trigger_id: shown.id }).catch(() => undefined);
    }
    this.#teaser.hide();
  }

  remove(): void {
    this.#teaser.remove();
  }

  get #siteKey(): string {
    return this.host.embed.siteKey;
  }

  async #evaluate(): Promise<void> {
    const shown = readTrigger(this.#siteKey);
    const mayShow = !this.#isInterrupting();
    const isPending = mayShow && shown !== null && !shown.opened && !currentVisit(this.#siteKey).isDone;
    if (!isPending) this.#teaser.hide();
    else if (!this.#teaser.isShown) await this.#teaser.show(shown, this.host.embed.language);
    if (!mayShow || isPending || this.#isBusy) return;
    this.#isBusy = true;
    try {
      await (this.#previewToken ? this.#preview(this.#previewToken) : this.#show());
    } catch {
      // Not for the next page: the visitor may have left this one before the answer came.
      this.#retryAt = Date.now() + RETRY_MS;
    } finally {
      this.#isBusy = false;
    }
  }

  /** Whether a message would be in the way of what the visitor does, or of what the page wants. */
  #isInterrupting(): boolean {
    const { classList } = this.element;
    const isTalking = !this.#previewToken && readText(storageKey(this.#siteKey, "known")) === "1";
    const hasMessage = this.host.element.querySelector(".teaser") !== null;
    return classList.contains("open") || classList.contains("bare") || isTalking || hasMessage;
  }

  /** Shows the first trigger that may be shown. */
  async #show(): Promise<void> {
    const visit = currentVisit(this.#siteKey);
    if (visit.isDone || Date.now() < Math.max(visit.retryAt, this.#retryAt)) return;
    // As it is now: the pointer leaves the page in this moment.
    const page = { ...this.#page };
    await this.#loadRules();
    const { language: lang, sessionId } = this.host.embed;
    const met = this.#rules.filter((rule) => meetsPage(rule, page) && meetsVisit(rule, visit, lang));
    if (!met.length) return;
    const ids = met.map((rule) => rule.id);
    const { trigger } = await this.#post("/chat/triggers/show", { trigger_ids: ids, lang });
    if (sessionId !== this.host.embed.sessionId) return;
    if (!trigger) {
      this.#updateVisit({ retryAt: Date.now() + RETRY_MS });
      return;
    }
    const at = Date.now();
    writeTrigger(this.#siteKey, { ...trigger, at });
    this.#updateVisit({ shown: { ...visit.shown, [trigger.id]: at } });
    await this.#present(trigger);
  }

  /** Shows a trigger that may not be live yet, each time that the page meets its conditions. */
  async #preview(preview: string): Promise<void> {
    const page = { ...this.#page };
    if (this.#version !== preview) {
      this.#version = preview;
      writeTrigger(this.#siteKey, null);
      this.#updateVisit({ isDone: false });
      this.#rules = await this.#fetchRules({ preview });
    }
    const [rule] = this.#rules;
    if (!rule?.message || !meetsPage(rule, page)) return;
    this.#rules = [];
    const { message, quick_replies } = rule;
    writeTrigger(this.#siteKey, { id: null, message, quick_replies, at: Date.now() });
    await this.#present({ message, quick_replies });
  }

  async #present(content: TeaserContent): Promise<void> {
    // The visitor may have opened the window meanwhile: it has the message the next time.
    if (!this.#isInterrupting()) await this.#teaser.show(content, this.host.embed.language);
  }

  /** The chat opens, and sends what was chosen. */
  #choose(text: string): void {
    const shown = readTrigger(this.#siteKey);
    if (shown) writeTrigger(this.#siteKey, { ...shown, chosen: { text, at: Date.now() } });
    this.host.open();
  }

  /** No more in this visit. */
  #finish(): void {
    writeTrigger(this.#siteKey, null);
    this.#updateVisit({ isDone: true });
  }

  #updateVisit(changes: Partial<Visit>): void {
    writeVisit(this.#siteKey, { ...currentVisit(this.#siteKey), ...changes, at: Date.now() });
  }

  /** Loads the site's rules if they are others than the browser knows: the heartbeat has their version. */
  async #loadRules(): Promise<void> {
    const { triggers: version = "" } = readSite(this.#siteKey);
    if (version === this.#version) return;
    const key = storageKey(this.#siteKey, "triggers");
    const known = readJson<{ version: string; rules: Rule[] } | null>(key, null);
    if (!version) this.#rules = [];
    else if (known?.version === version) this.#rules = known.rules;
    else {
      this.#rules = await this.#fetchRules({});
      writeJson(key, { version, rules: this.#rules });
    }
    this.#version = version;
  }

  async #fetchRules(query: Record<string, string>): Promise<Rule[]> {
    const { origin, sessionId } = this.host.embed;
    const parameters = new URLSearchParams({ site_key: this.#siteKey, ...query });
    const url = `${origin}/api/v1/chat/triggers?${parameters}`;
    const response = await send(url, { headers: { [SESSION_HEADER]: sessionId } }, REQUEST_TIMEOUT_MS);
    return (await readBody<ResponseBody<"get", "/chat/triggers">>(response)).triggers;
  }

  async #post<P extends ShowPath>(
    path: P,
    body: Omit<RequestBody<"post", P>, "site_key" | "session_id">,
  ): Promise<ResponseBody<"post", P>> {
    const { origin, sessionId } = this.host.embed;
    const init = jsonRequest("POST", { site_key: this.#siteKey, session_id: sessionId, ...body });
    return readBody(await send(`${origin}/api/v1${path}`, init, REQUEST_TIMEOUT_MS));
  }
}

/** How far the page was scrolled. One that fits the window was seen whole. */
function scrollPercent(): number {
  const { scrollTop, scrollHeight, clientHeight } = document.scrollingElement ?? document.documentElement;
  const range = scrollHeight - clientHeight;
  return range > 0 ? (100 * scrollTop) / range : 100;
}

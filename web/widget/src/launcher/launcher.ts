/**
 * The launcher: the button on the page, and what has to run before somebody opens the chat. It loads the chat window
 * when it is opened, when an operator writes first, and on pages of a visitor whose conversation goes on.
 */
import type { ParleyEvent, ParleyEvents, ParleyTheme } from "../../../packages/widget/parley";
import type { Message } from "../../../shared/apiTypes";
import type { ApiError } from "../../../shared/http";
import { backoffDelay } from "../../../shared/retry";
import { listKeys, onStored, readText, writeText } from "../../../shared/storage";
import { clearStorage, type EmbedConfig, readEmbedConfig, storageKey } from "../embedConfig";
import { toTag } from "../i18n/language";
import { colourVariables } from "../styles/colours";
import { launcherStyles } from "../styles/styles";
import { LauncherButton } from "./button";
import {
  type ButtonState,
  type Chat,
  type ChatCommand,
  type Colours,
  type Command,
  PREVIEW_PARAMETER,
  type TriggerHost,
  type TriggersModule,
} from "./chatInterface";
import { loadChat } from "./chatLoader";
import { watchFirstMessage } from "./firstMessage";
import { keepAttached } from "./host";
import type { PageEvents } from "./pageEvents";
import { post } from "./post";
import { readSite, type SiteSettings, startPresence } from "./presence";
import { warn } from "./warn";

const MAX_WAIT_FOR_COLOUR_MS = 2000;
const OPENING_LINK = "#parley";

/** The file name of the part that shows triggers. The build sets it. */
declare const TRIGGERS_FILE: string;

export class WidgetLauncher implements TriggerHost {
  readonly root: ShadowRoot;
  readonly element: HTMLElement;
  readonly #host = document.createElement("parley-chat");
  readonly #button: LauncherButton;
  /** Ends what runs for the widget. */
  readonly #stop = new AbortController();
  readonly #colourSheet = new CSSStyleSheet();
  #chat: Chat | undefined;
  #isLoading = false;
  #hasTriggers = false;
  /** Whether the window is open, or will be as soon as it is loaded. */
  #isWanted = false;
  #state: ButtonState = { isOpen: false, unread: 0 };
  #proactive: readonly Message[] = [];
  /** For the chat window, until it is loaded. */
  #commands: Command[] = [];
  #colours: Colours = {};
  #theme: ParleyTheme | undefined;
  /** Who the page says that the visitor is; empty after a logout. Answers to earlier tokens do not count. */
  #token = "";

  constructor(
    public embed: EmbedConfig,
    private readonly events: PageEvents,
  ) {
    const { signal } = this.#stop;
    this.#button = new LauncherButton(embed.language, () => this.toggle());
    this.root = this.#host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(launcherStyles);
    this.root.adoptedStyleSheets = [sheet, this.#colourSheet];
    this.root.append(this.#button.root);
    this.element = this.#button.chat;
    this.#host.toggleAttribute("left", embed.position === "left");
    this.#appear();
    keepAttached(this.#host, signal);
    onStored((name, value) => this.#onStored(name, value), signal);
    startPresence({
      embed: () => this.embed,
      stopped: signal,
      onSite: (site) => this.#onSite(site),
      onEnded: this.#replaceSession,
    });
    watchFirstMessage({
      embed: () => this.embed,
      stopped: signal,
      hasChat: () => this.#chat !== undefined || this.#isLoading,
      onMessages: (messages) => {
        this.#proactive = messages;
        void this.#load();
      },
    });
    addEventListener("hashchange", () => this.#followLink(), { signal });
    if (embed.launcher) this.#useLauncher(embed.launcher, signal);
    this.#followLink();
    this.#resume();
  }

  /** Shows what the visitor had open on the page before, or loads the chat for one who is in a conversation. */
  #resume(): void {
    if (readText(this.#key("open")) === "1") this.open();
    else if (this.#hasConversation() || this.#commands.some(([name]) => name !== "prefill"))
      void this.#load();
  }

  open(): void {
    this.#isWanted = true;
    if (this.#chat) this.#chat.show();
    else void this.#load();
  }

  close(): void {
    this.#isWanted = false;
    this.#chat?.hide();
    writeText(this.#key("open"), null);
    this.#button.setLoading(false);
  }

  toggle(): void {
    if (this.#isWanted) this.close();
    else this.open();
  }

  setHidden(isHidden: boolean): void {
    if (isHidden) this.close();
    this.#button.setHidden(isHidden);
  }

  setLanguage(tag: unknown): void {
    this.embed.language = toTag(tag);
    this.#button.setLanguage(this.embed.language);
    this.#chat?.run?.("setLanguage", this.embed.language);
  }

  setTheme(theme: ParleyTheme): void {
    this.#theme = theme;
    this.#applyColours();
  }

  /** Passes a command on to the chat window. One that is to be sent is not left until the visitor opens it. */
  tellChat(command: ChatCommand, argument: unknown): void {
    const text = String(argument ?? "");
    if (this.#chat) this.#chat.run?.(command, text);
    else this.#commands.push([command, text]);
    if (command === "send") void this.#load();
  }

  shutdown(): void {
    this.#isWanted = false;
    this.#stop.abort();
    this.#chat?.close();
  }

  /** The server refuses the session from now on. */
  readonly endSession = (): void => {
    post(this.embed, "/chat/end-session", {}).catch(() => {});
    this.#token = "";
    this.#replaceSession();
  };

  /** Continues with another session: the one that another tab may have stored already, or a new one. */
  readonly #replaceSession = (): void => {
    if (readText(this.#key("session")) === this.embed.sessionId) clearStorage(this.embed.siteKey);
    this.#restart();
  };

  /** Continues as the person whom a token of the site's server names. */
  async identify(token: string, attempt = 1): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#token = token;
    const { siteKey, sessionId } = this.embed;
    try {
      const answer = await post(this.embed, "/chat/identify", { token });
      // It stays, or was ended meanwhile.
      if (!answer.session_id || sessionId !== this.embed.sessionId || token !== this.#token) return;
      // What is stored belongs to another person.
      if (!answer.joined) clearStorage(siteKey);
      // A message that is on its way has a conversation soon. Without one there may be a history all the same: another
      // device may just be joining it.
      writeText(this.#key("known"), answer.conversation_id || this.#hasConversation() ? "1" : "0");
      writeText(this.#key("session"), answer.session_id);
      // Also if it was opened while it is being loaded.
      if (this.#isWanted) writeText(this.#key("open"), "1");
      this.#restart(answer.joined);
    } catch (error) {
      const { status, message, retryAfterSeconds } = error as ApiError;
      if (token !== this.#token) return;
      // The session has ended: the token says the same of a new one.
      if (status === 401 && sessionId === this.embed.sessionId) this.#replaceSession();
      // What the server refuses, it refuses again.
      if (status > 401 && status < 429) warn(message);
      else
        setTimeout(
          () => token === this.#token && this.identify(token, attempt + 1),
          1000 * retryAfterSeconds + backoffDelay(attempt),
        );
    }
  }

  // --- For the chat window

  update(state: ButtonState): void {
    // While it is being loaded, it does not know yet that it is wanted.
    if (this.#chat) this.#isWanted = state.isOpen;
    this.#button.update(state);
    const { isOpen, unread } = this.#state;
    this.#state = state;
    // An opened chat does not wait for its colour: a hidden element cannot get the focus.
    if (state.isOpen) this.#host.hidden = false;
    if (state.isOpen !== isOpen) this.emit(state.isOpen ? "open" : "close", {});
    if (state.unread !== unread) this.emit("unread", { count: state.unread });
  }

  setColours(colours: Colours): void {
    this.#colours = colours;
    this.#applyColours();
  }

  emit<E extends ParleyEvent>(name: E, detail: ParleyEvents[E]): void {
    this.events.emit(name, detail);
  }

  // --- Loading

  async #load(): Promise<void> {
    if (this.#chat || this.#isLoading) {
      if (this.#isLoading) this.#button.setLoading(this.#isWanted);
      return;
    }
    this.#isLoading = true;
    this.#button.setLoading(this.#isWanted);
    const { sessionId } = this.embed;
    const { mount } = await loadChat(this.embed.origin, () =>
      this.#button.setLoading(this.#isWanted, this.#isWanted),
    );
    const chat = await mount(this);
    this.#isLoading = false;
    this.#button.setLoading(false);
    // The session was ended meanwhile, or the widget removed.
    if (sessionId !== this.embed.sessionId || this.#stop.signal.aborted) {
      chat.close();
      if (this.#isWanted) void this.#load();
      else if (!this.#stop.signal.aborted) this.#resume();
      return;
    }
    this.#chat = chat;
    // It may have changed meanwhile.
    chat.run?.("setLanguage", this.embed.language);
    chat.receive(this.#proactive);
    for (const command of this.#commands) chat.run?.(...command);
    this.#commands = [];
    if (this.#isWanted) chat.show();
  }

  /** Once: without it, the page only lacks what the site says by itself. */
  async #loadTriggers(): Promise<void> {
    if (this.#hasTriggers) return;
    this.#hasTriggers = true;
    const url = `${this.embed.origin}/widget/${TRIGGERS_FILE}`;
    const part = (await import(/* @vite-ignore */ url).catch(() => null)) as TriggersModule | null;
    if (!this.#stop.signal.aborted) part?.start(this, this.#stop.signal);
  }

  /** Whether the visitor is in a conversation, or wrote something that has not been sent. */
  #hasConversation(): boolean {
    return readText(this.#key("known")) === "1" || listKeys(this.#key("outbox")).length > 0;
  }

  #onStored(name: string, value: string | null): void {
    // Another tab has ended the session, or identified the visitor.
    if (name === this.#key("session") && value !== this.embed.sessionId)
      this.#restart(value?.startsWith("identified-"));
    // The visitor has begun to write in another tab.
    if (name === this.#key("known") && value === "1") void this.#load();
  }

  /** Continues with another session. One of the same person takes over what is unfinished. */
  #restart(isSamePerson = false): void {
    const { language, sessionId } = this.embed;
    this.#isWanted = false;
    this.#button.setLoading(false);
    this.#commands = isSamePerson ? [...this.#commands, ...(this.#chat?.unfinished?.() ?? [])] : [];
    this.#chat?.close();
    this.#chat = undefined;
    this.update({ isOpen: false, unread: 0 });
    this.#proactive = [];
    this.embed = {
      ...readEmbedConfig(this.embed),
      language,
      ...(isSamePerson && { previousSessionId: sessionId }),
    };
    this.#resume();
  }

  /** Elements of the page open the chat in place of the button, also those that come later. */
  #useLauncher(selector: string, signal: AbortSignal): void {
    try {
      document.querySelector(selector);
    } catch {
      warn("launcher is no selector");
      return;
    }
    this.#button.setHidden(true);
    const onClick = ({ target }: Event) => (target as Element).closest?.(selector) && this.toggle();
    document.addEventListener("click", onClick, { signal });
  }

  #followLink(): void {
    if (location.hash === OPENING_LINK) this.open();
  }

  // --- What the site has set

  /** The button appears in its own colour. A page that names it, and a later visit, need not wait. */
  #appear(): void {
    const site = readSite(this.embed.siteKey);
    const colour = site.colour || this.embed.colour;
    this.#button.setTexts(site.texts);
    this.setColours({ primary: colour });
    this.#host.hidden = !colour;
    if (!colour) setTimeout(() => (this.#host.hidden = false), MAX_WAIT_FOR_COLOUR_MS);
  }

  #onSite({ colour, triggers, texts }: SiteSettings): void {
    this.#button.setTexts(texts);
    if (triggers || location.search.includes(PREVIEW_PARAMETER)) void this.#loadTriggers();
    // The chat window knows all colours.
    if (colour && !this.#chat) this.setColours({ primary: colour });
    this.#host.hidden = false;
  }

  #applyColours(): void {
    this.#colourSheet.replaceSync(colourVariables(this.#colours, this.#theme));
  }

  #key(name: string): string {
    return storageKey(this.embed.siteKey, name);
  }
}

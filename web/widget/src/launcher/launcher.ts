/**
 * The launcher: the button on the page, and what has to run before somebody opens the chat. It loads the chat window
 * when it is opened, when an operator writes first, and on pages of a visitor whose conversation goes on.
 */
import type { Message } from "../../../shared/apiTypes";
import { listKeys, onStored, readText, writeText } from "../../../shared/storage";
import { clearStorage, type EmbedConfig, readEmbedConfig, storageKey } from "../embedConfig";
import { colourVariables } from "../styles/colours";
import { launcherStyles } from "../styles/styles";
import { LauncherButton } from "./button";
import type { ButtonState, Chat, Colours, Launcher } from "./chatInterface";
import { loadChat } from "./chatLoader";
import { watchFirstMessage } from "./firstMessage";
import { keepAttached } from "./host";
import { readSite, type SiteSettings, startPresence } from "./presence";

const MAX_WAIT_FOR_COLOUR_MS = 2000;
const OPENING_LINK = "#parley";

export class WidgetLauncher implements Launcher {
  readonly root: ShadowRoot;
  readonly element: HTMLElement;
  private readonly host = document.createElement("parley-chat");
  private readonly button = new LauncherButton(() => (this.isWanted ? this.hide() : this.show()));
  private readonly colourSheet = new CSSStyleSheet();
  private chat: Chat | undefined;
  private isLoading = false;
  /** Whether the window is open, or will be as soon as it is loaded. */
  private isWanted = false;
  private proactive: readonly Message[] = [];

  constructor(public embed: EmbedConfig) {
    this.root = this.host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(launcherStyles);
    this.root.adoptedStyleSheets = [sheet, this.colourSheet];
    this.root.append(this.button.root);
    this.element = this.button.chat;
    this.appear();
    keepAttached(this.host);
    onStored((name, value) => this.onStored(name, value));
    startPresence({ embed: () => this.embed, onSite: (site) => this.onSite(site) });
    watchFirstMessage({
      embed: () => this.embed,
      hasChat: () => this.chat !== undefined || this.isLoading,
      onMessages: (messages) => {
        this.proactive = messages;
        void this.load();
      },
    });
    addEventListener("hashchange", () => this.followLink());
    this.followLink();
    if (readText(this.key("open")) === "1") this.show();
    else if (this.hasConversation()) void this.load();
  }

  readonly show = (): void => {
    this.isWanted = true;
    if (this.chat) this.chat.show();
    else void this.load();
  };

  readonly hide = (): void => {
    this.isWanted = false;
    this.chat?.hide();
    writeText(this.key("open"), null);
    this.button.setLoading(false);
  };

  readonly endSession = (): void => {
    clearStorage(this.embed.siteKey);
    this.restart();
  };

  // --- For the chat window

  update(state: ButtonState): void {
    // While it is being loaded, it does not know yet that it is wanted.
    if (this.chat) this.isWanted = state.isOpen;
    this.button.update(state);
  }

  setColours(colours: Colours): void {
    this.colourSheet.replaceSync(colourVariables(colours));
  }

  // --- Loading

  private async load(): Promise<void> {
    if (this.chat || this.isLoading) {
      if (this.isLoading) this.button.setLoading(this.isWanted);
      return;
    }
    this.isLoading = true;
    this.button.setLoading(this.isWanted);
    const { sessionId } = this.embed;
    const { mount } = await loadChat(this.embed.origin, () =>
      this.button.setLoading(this.isWanted, this.isWanted),
    );
    const chat = await mount(this);
    this.isLoading = false;
    this.button.setLoading(false);
    // The session was ended meanwhile.
    if (sessionId !== this.embed.sessionId) {
      chat.close();
      if (this.isWanted) void this.load();
      return;
    }
    this.chat = chat;
    chat.receive(this.proactive);
    if (this.isWanted) chat.show();
  }

  /** Whether the visitor is in a conversation, or wrote something that has not been sent. */
  private hasConversation(): boolean {
    return readText(this.key("known")) === "1" || listKeys(this.key("outbox")).length > 0;
  }

  private onStored(name: string, value: string | null): void {
    // Another tab has ended the session.
    if (name === this.key("session") && value !== this.embed.sessionId) this.restart();
    // The visitor has begun to write in another tab.
    if (name === this.key("known") && value === "1") void this.load();
  }

  /** Continues with another session. */
  private restart(): void {
    const { siteKey, origin, colour } = this.embed;
    this.isWanted = false;
    this.button.update({ isOpen: false, unread: 0 });
    this.button.setLoading(false);
    this.chat?.close();
    this.chat = undefined;
    this.proactive = [];
    this.embed = readEmbedConfig({ siteKey, origin, colour });
  }

  private followLink(): void {
    if (location.hash === OPENING_LINK) this.show();
  }

  // --- Colour

  /** The button appears in its own colour. A page that names it, and a later visit, need not wait. */
  private appear(): void {
    const colour = readSite(this.embed.siteKey).colour || this.embed.colour;
    this.setColours({ primary: colour });
    this.host.hidden = !colour;
    if (!colour) setTimeout(() => (this.host.hidden = false), MAX_WAIT_FOR_COLOUR_MS);
  }

  private onSite({ colour }: SiteSettings): void {
    // The chat window knows all colours.
    if (colour && !this.chat) this.setColours({ primary: colour });
    this.host.hidden = false;
  }

  private key(name: string): string {
    return storageKey(this.embed.siteKey, name);
  }
}

/** The types of the widget's API: the commands and events of `parley(command, …)` and `window.Parley`. */

export interface ParleyConfig {
  /** The site's public key, from the panel. */
  siteKey: string;
  /** The origin of the Parley server, such as "https://chat.example.com". */
  origin?: string;
  /** The button's colour on the first page, as six hex digits: "#1d6b63". */
  colour?: string;
  /** Where the button is. Without it, "right". */
  position?: "left" | "right";
  /** A CSS selector: these elements of the page open the chat, and the button is hidden. */
  launcher?: string;
}

/** "light" and "dark" hold always; "auto" is as the visitor's system is. */
export type ParleyTheme = "light" | "dark" | "auto";

export interface ParleyMessage {
  role: "visitor" | "ai" | "operator" | "system";
  text: string;
  /** The operator's name. */
  name: string | null;
  /** When it was written (ISO 8601, UTC). */
  at: string;
}

/** What the listeners of each event receive. */
export interface ParleyEvents {
  /** The widget has started. A listener that comes later is called immediately. */
  ready: { version: string };
  /** The window is open. */
  open: Record<string, never>;
  close: Record<string, never>;
  /** A new message, also one of the visitor. */
  message: ParleyMessage;
  /** The number of messages that the visitor has not seen has changed. */
  unread: { count: number };
  /** The visitor waits for a person. */
  handoff: Record<string, never>;
  /** An operator answers from now on. */
  accepted: { operator: string };
  /** The conversation is closed. */
  closed: Record<string, never>;
  /** The visitor has rated the conversation: 1 to 5. */
  rating: { score: number; comment: string };
}

export type ParleyEvent = keyof ParleyEvents;

export interface ParleyCommands {
  /** Opens the window. */
  open(): void;
  /** Closes the window; the conversation goes on. */
  close(): void;
  toggle(): void;
  /** Hides the button, for pages with one of their own. The window can still be opened. */
  hide(): void;
  /** Shows the button again. */
  show(): void;
  /** Puts a text into the field for the visitor to send. What the visitor has begun to write stays. */
  prefill(text: string): void;
  /** Sends a message as the visitor. */
  send(text: string): void;
  /** The language of the widget and of replies, such as "pt-BR". */
  setLanguage(tag: string): void;
  setTheme(theme: ParleyTheme): void;
  /** Identifies the visitor by a token of the site's server. */
  identify(token: string): void;
  /** Forgets the visitor on this device, in all tabs: for a logout. Operators keep the chat. */
  reset(): void;
  /** The same as `reset`. */
  endSession(): void;
  /** Calls a listener at each event of that name. */
  on<E extends ParleyEvent>(event: E, listener: (detail: ParleyEvents[E]) => void): void;
  /** Removes a listener; without one, all listeners of the event. */
  off<E extends ParleyEvent>(event: E, listener?: (detail: ParleyEvents[E]) => void): void;
  /** Removes the widget from the page, with its connections and listeners. */
  shutdown(): void;
  /** Starts the widget again after `shutdown`. */
  boot(config?: Partial<ParleyConfig>): void;
}

export type ParleyCommand = keyof ParleyCommands;

/** `window.parley`: a command and its arguments. */
export interface ParleyFunction {
  <E extends ParleyEvent>(command: "on", event: E, listener: (detail: ParleyEvents[E]) => void): void;
  <E extends ParleyEvent>(command: "off", event: E, listener?: (detail: ParleyEvents[E]) => void): void;
  <C extends Exclude<ParleyCommand, "on" | "off">>(command: C, ...args: Parameters<ParleyCommands[C]>): void;
  /** The calls that came before the script had run. */
  q?: ArrayLike<unknown>[];
}

/** `window.Parley`, as soon as the script has run: each command as a method. */
export interface ParleyApi extends ParleyCommands {
  /** The version of the script. */
  readonly version: string;
}

declare global {
  interface Window {
    parley: ParleyFunction;
    /** Before the script has run, a page may set its configuration here. */
    Parley: ParleyApi | ParleyConfig | undefined;
  }
  var parley: ParleyFunction;
}

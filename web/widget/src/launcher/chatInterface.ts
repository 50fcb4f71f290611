/**
 * What the launcher and the chat window know of each other. A page that was loaded before an update may load the chat
 * window of the version after it: both sides only add to this.
 */
import type { ParleyEvent, ParleyEvents } from "../../../packages/widget/parley";
import type { Message } from "../../../shared/apiTypes";
import type { EmbedConfig } from "../embedConfig";

export interface Launcher {
  readonly embed: EmbedConfig;
  readonly root: ShadowRoot;
  /** Where the chat window is rendered, in `root`. */
  readonly element: HTMLElement;
  /** Forgets the session; the page continues with another. */
  readonly endSession: () => void;
  /** Shows on the button whether the window is open, and how many messages nobody has seen. */
  update(state: ButtonState): void;
  setColours(colours: Colours): void;
  /** Passes an event on to the page's listeners. */
  emit?: EmitEvent;
}

/** The launcher, as the part that shows triggers knows it. */
export interface TriggerHost extends Launcher {
  open(): void;
}

export interface TriggersModule {
  start(host: TriggerHost, stopped: AbortSignal): void;
}

/** The query parameter by which a page shows a trigger that is not live yet. */
export const PREVIEW_PARAMETER = "parley_preview";

export type EmitEvent = <E extends ParleyEvent>(name: E, detail: ParleyEvents[E]) => void;

export interface ButtonState {
  isOpen: boolean;
  unread: number;
  /** The button's name, if it is another than that of the closed window without news. */
  label?: string;
}

export interface Colours {
  primary?: string;
  background?: string;
}

export interface Chat {
  show(): void;
  hide(): void;
  /** Shows messages that operators sent to a visitor who has not opened the widget. */
  receive(messages: readonly Message[]): void;
  close(): void;
  /** A command of the page, or of the chat window that was there before. */
  run?(command: ChatCommand, argument: unknown): void;
  /** What the visitor has begun, such as an upload, as commands for the chat window of the session that takes over. */
  unfinished?(): Command[];
}

/** What the chat window carries out: commands of the page, and what the visitor has begun in the session before. */
export type ChatCommand = "prefill" | "send" | "setLanguage" | "repeat";
export type Command = [name: ChatCommand, argument: unknown];

export interface ChatModule {
  /** Starts the chat; its window stays closed. */
  mount(launcher: Launcher): Promise<Chat>;
}

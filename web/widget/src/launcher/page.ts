/** The page that embeds the widget: its widget, and what it may call. */
import type { ParleyCommand } from "../../../packages/widget/parley";
import { type EmbedConfig, type PageConfig, readEmbedConfig } from "../embedConfig";
import { COMMANDS } from "./commands";
import { WidgetLauncher } from "./launcher";
import { PageEvents } from "./pageEvents";
import { warn } from "./warn";

/** The version of this script. The build sets it. */
declare const VERSION: string;

type Call = [command: string, ...args: unknown[]];
/** `window.parley`. Before the widget has started, it collects calls in `q`. */
type PageFunction = ((...call: Call) => void) & { q?: Call[] };

/** The site key of the widget that runs on this page, for scripts that are included again. */
const RUNNING = Symbol.for("parley.widget");
const globals = window as unknown as Record<string | symbol, unknown>;

export class Page {
  readonly events = new PageEvents();
  widget: WidgetLauncher | undefined;

  /** Starts the widget. `config` takes precedence over what the page and the script's tag say. */
  boot(config?: PageConfig): void {
    let embed: EmbedConfig;
    try {
      embed = readEmbedConfig(config);
    } catch (error) {
      warn(`${(error as Error).message}, no chat`);
      return;
    }
    const running = globals[RUNNING];
    if (running) {
      // A page that runs its scripts again after each navigation is not worth a word.
      if (running !== embed.siteKey) warn("already on this page");
      return;
    }
    globals[RUNNING] = embed.siteKey;
    const widget = new WidgetLauncher(embed, this.events);
    this.widget = widget;
    this.#publish();
    // A call that was made before may have ended it.
    if (this.widget === widget) this.events.emit("ready", { version: VERSION });
  }

  /** Removes the widget from the page, with its connections, timers and listeners. */
  shutdown(): void {
    this.events.clear();
    if (this.widget) globals[RUNNING] = undefined;
    this.widget?.shutdown();
    this.widget = undefined;
  }

  /** What is wrong with a call stops neither the page nor other calls. */
  readonly #call = (...[name, ...args]: Call): void => {
    try {
      if (Object.hasOwn(COMMANDS, name)) COMMANDS[name as ParleyCommand](this, ...args);
      else warn(`unknown command “${String(name)}”`);
    } catch (error) {
      reportError(error);
    }
  };

  /** Defines the functions of the page, and makes the calls that came before. */
  #publish(): void {
    const { q } = Object(globals["parley"]) as Partial<PageFunction>;
    globals["parley"] = this.#call;
    const methods = Object.keys(COMMANDS).map((name) => [
      name,
      (...args: unknown[]) => this.#call(name, ...args),
    ]);
    const api = { ...Object.fromEntries(methods), version: VERSION };
    // A page's own configuration object, if there is one, keeps its fields.
    globals["Parley"] = { ...(globals["Parley"] as object | undefined), ...api };
    if (Array.isArray(q)) for (const call of q) this.#call(...(Array.from(Object(call)) as Call));
  }
}

/** Defines `window.parley` for calls that come before the widget has started, unless the page has done so. */
export function collectCalls(): void {
  const collect: PageFunction = (...call) => {
    collect.q ??= [];
    collect.q.push(call);
  };
  globals["parley"] ??= collect;
}

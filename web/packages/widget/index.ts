/** Loads the Parley widget into a page. Runs in a browser only. */
import type { ParleyApi, ParleyCommand, ParleyConfig, ParleyFunction } from "./parley.js";

export { EVENTS } from "./events.js";
export type * from "./parley.js";

export interface LoadOptions extends ParleyConfig {
  origin: string;
  /** The nonce of the page's Content Security Policy. */
  nonce?: string;
}

const COMMANDS: readonly ParleyCommand[] = [
  "open",
  "close",
  "toggle",
  "hide",
  "show",
  "prefill",
  "send",
  "setLanguage",
  "setTheme",
  "identify",
  "reset",
  "endSession",
  "on",
  "off",
  "shutdown",
  "boot",
];

/** Calls `window.parley`; before the script has run, it collects the calls. */
function call(...args: unknown[]): void {
  window.parley ??= collect;
  (window.parley as (...args: unknown[]) => void)(...args);
}

const collect: ParleyFunction = (...args: unknown[]) => {
  collect.q ??= [];
  collect.q.push(args);
};

const methods = COMMANDS.map((name) => [name, (...args: unknown[]) => call(name, ...args)]);

/** The widget's commands. They can be called at any time; what comes before the widget has started is done then. */
export const parley = {
  ...Object.fromEntries(methods),
  /** Empty until the script has run. */
  get version() {
    const api = window.Parley;
    return api && "version" in api ? api.version : "";
  },
} as ParleyApi;

let script: HTMLScriptElement | undefined;

/** Adds the widget to the page, or starts it again after `shutdown`. */
export function load({ nonce, ...config }: LoadOptions): ParleyApi {
  if (script) {
    parley.boot(config);
    return parley;
  }
  script = document.createElement("script");
  script.async = true;
  if (nonce) script.nonce = nonce;
  script.src = `${new URL(config.origin).origin}/widget.js`;
  script.dataset["siteKey"] = config.siteKey;
  if (config.colour) script.dataset["colour"] = config.colour;
  if (config.position) script.dataset["position"] = config.position;
  document.head.append(script);
  return parley;
}

/**
 * Entry point of the widget's script. The widget lives in a shadow root with constructed style sheets, so that neither
 * the page's styles nor a strict Content Security Policy affect it.
 */
import { type EmbedConfig, readEmbedConfig } from "../embedConfig";
import { WidgetLauncher } from "./launcher";

/** The site key of the widget that runs on this page. */
const RUNNING = Symbol.for("parley.widget");

function start(): void {
  const globals = window as unknown as Record<string | symbol, unknown>;
  let embed: EmbedConfig;
  try {
    embed = readEmbedConfig();
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
  const { show: open, hide: close, endSession } = new WidgetLauncher(embed);
  publishApi(globals, { open, close, endSession });
}

/** What pages may call. A page's own configuration object, if there is one, keeps its fields. */
function publishApi(globals: Record<string | symbol, unknown>, api: Record<string, () => void>): void {
  const existing = globals["Parley"];
  if (typeof existing === "object" && existing !== null) Object.assign(existing, api);
  else globals["Parley"] = api;
}

function warn(text: string): void {
  // biome-ignore lint/suspicious/noConsole: the console is the only place where the site owner sees it.
  console.warn(`Parley: ${text}`);
}

if (document.body) start();
else document.addEventListener("DOMContentLoaded", start);

/**
 * What a page can call: `parley("open")`, and the same as a method, `Parley.open()`. To add a command, add a line here,
 * its type to `packages/widget/parley.ts` and its description to `docs/widget.md`.
 */
import type { ParleyCommand } from "../../../packages/widget/parley";
import type { Page } from "./page";

// biome-ignore lint/suspicious/noExplicitAny: what a page passes has any type; each command checks its own.
type Command = (page: Page, ...args: any[]) => void;

export const COMMANDS: Record<ParleyCommand, Command> = {
  boot: (page, config) => page.boot(config),
  shutdown: (page) => page.shutdown(),
  on: ({ events }, name, listener) => events.on(name, listener),
  off: ({ events }, name, listener) => events.off(name, listener),
  open: ({ widget }) => widget?.open(),
  close: ({ widget }) => widget?.close(),
  toggle: ({ widget }) => widget?.toggle(),
  hide: ({ widget }) => widget?.setHidden(true),
  show: ({ widget }) => widget?.setHidden(false),
  prefill: ({ widget }, text) => widget?.tellChat("prefill", text),
  send: ({ widget }, text) => widget?.tellChat("send", text),
  setLanguage: ({ widget }, tag) => widget?.setLanguage(tag),
  setTheme: ({ widget }, theme) => widget?.setTheme(theme),
  identify: ({ widget }, token) => widget?.identify(String(token)),
  reset: ({ widget }) => widget?.endSession(),
  endSession: ({ widget }) => widget?.endSession(),
};

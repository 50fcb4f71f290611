/** The events that a page can listen to: `parley("on", "message", listener)`. */
import { EVENTS } from "../../../packages/widget/events";
import type { ParleyEvent, ParleyEvents } from "../../../packages/widget/parley";
import { warn } from "./warn";

type Listener = (detail: unknown) => void;

export class PageEvents {
  readonly #listeners = new Map<unknown, Set<Listener>>();
  #readyDetail: unknown;

  /** Calls `listener` at each event of that name. A listener of `ready` that comes later is called immediately. */
  on(name: ParleyEvent, listener: Listener): void {
    if (!EVENTS.includes(name) || typeof listener !== "function") {
      warn(`cannot listen to “${String(name)}”`);
      return;
    }
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    if (name === "ready" && this.#readyDetail) call(listener, this.#readyDetail);
  }

  /** Removes a listener; without one, all listeners of the event. */
  off(name: ParleyEvent, listener?: Listener): void {
    if (listener) this.#listeners.get(name)?.delete(listener);
    else this.#listeners.delete(name);
  }

  emit<E extends ParleyEvent>(name: E, detail: ParleyEvents[E]): void {
    if (name === "ready") this.#readyDetail = detail;
    for (const listener of [...(this.#listeners.get(name) ?? [])]) call(listener, detail);
  }

  clear(): void {
    this.#listeners.clear();
    this.#readyDetail = undefined;
  }
}

/** A listener that fails is the page's error: the browser reports it, and the widget continues. */
function call(listener: Listener, detail: unknown): void {
  try {
    listener(detail);
  } catch (error) {
    reportError(error);
  }
}

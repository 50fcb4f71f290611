/**
 * Messages that were written and that the server has not confirmed. They outlive the page and are sent again until
 * the server accepts or refuses them, each time with the same key: however often one is sent, it is stored once.
 */
import { type Signal, signal } from "@preact/signals";
import { ApiError } from "./http";
import { backoffDelay, sleep } from "./retry";
import { parseJson, readText, writeText } from "./storage";

export interface OutboxItem {
  /** The idempotency key. */
  key: string;
  /** `sent`: delivered, and not yet seen in the conversation. `failed`: refused; sent again only on request. */
  state: "sending" | "waiting" | "sent" | "failed";
  /** Why it is waiting or has failed, for people. */
  error: string;
}

export interface OutboxOptions<Item extends OutboxItem> {
  storageKey: string;
  /** Changes an item that an earlier page stored. */
  restore(item: Item): Item;
  /** Items of one partition are sent one after another, in the order in which they were written. */
  partition(item: Item): string | number;
  /** Whether an item may be sent now; others wait. */
  maySend(item: Item): boolean;
  /** Sends an item. Whoever receives its confirmation removes it or marks it as sent. */
  send(item: Item): Promise<void>;
  /** `retry`: after a delay; `fail`: not again by itself; `stop`: keep it until the next `resume`. */
  onError(error: unknown): { action: "retry" | "fail" | "stop"; message: string };
}

export class Outbox<Item extends OutboxItem> {
  readonly items: Signal<readonly Item[]>;
  private readonly busy = new Set<string | number>();

  constructor(private readonly options: OutboxOptions<Item>) {
    const stored = parseJson<Item[]>(readText(options.storageKey), []);
    this.items = signal(stored.map((item) => options.restore({ ...item, state: "waiting", error: "" })));
  }

  /** Stores an item and starts to send it. */
  add(item: Item): void {
    this.store([...this.items.value, item]);
    void this.drain(this.options.partition(item));
  }

  update(key: string, fields: Partial<OutboxItem>): void {
    this.store(this.items.value.map((item) => (item.key === key ? { ...item, ...fields } : item)));
  }

  /** Removes an item: it was delivered, or its author no longer wants it. */
  remove(key: string): void {
    const rest = this.items.value.filter((item) => item.key !== key);
    if (rest.length !== this.items.value.length) this.store(rest);
  }

  /** Sends an item again that has failed. */
  retry(key: string): void {
    const item = this.items.value.find((one) => one.key === key);
    if (!item) return;
    this.update(key, { state: "waiting", error: "" });
    void this.drain(this.options.partition(item));
  }

  /** Sends everything that is left: after a reload, a login, a lost connection. */
  resume(): void {
    for (const partition of new Set(this.items.value.map(this.options.partition))) void this.drain(partition);
  }

  private async drain(partition: string | number): Promise<void> {
    if (this.busy.has(partition)) return;
    this.busy.add(partition);
    let attempt = 0;
    try {
      for (let item = this.next(partition); item; item = this.next(partition)) {
        this.update(item.key, { state: "sending" });
        try {
          await this.options.send(item);
          attempt = 0;
        } catch (error) {
          const { action, message } = this.options.onError(error);
          this.update(item.key, { state: action === "fail" ? "failed" : "waiting", error: message });
          if (action === "stop") return;
          if (action === "fail") continue;
          attempt += 1;
          const retryAfterMs = error instanceof ApiError ? 1000 * error.retryAfterSeconds : 0;
          await sleep(Math.max(retryAfterMs, backoffDelay(attempt)));
        }
      }
    } finally {
      this.busy.delete(partition);
    }
  }

  private next(partition: string | number): Item | undefined {
    return this.items.value.find(
      (item) =>
        this.options.partition(item) === partition &&
        (item.state === "waiting" || item.state === "sending") &&
        this.options.maySend(item),
    );
  }

  private store(items: readonly Item[]): void {
    this.items.value = items;
    const unsent = items.filter((item) => item.state !== "sent");
    writeText(this.options.storageKey, unsent.length ? JSON.stringify(unsent) : null);
  }
}

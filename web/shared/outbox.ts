/**
 * Messages that were written and that the server has not confirmed. They outlive the page and are sent again until
 * the server accepts or refuses them, each time with the same key: however often one is sent, it is stored once.
 *
 * All tabs of the browser share one outbox. Each message is a storage entry of its own, so no tab overwrites what
 * another has added. (localStorage, not IndexedDB: a message is stored before the key press that sent it is over.)
 */
import { type Signal, signal } from "@preact/signals";
import { ApiError } from "./http";
import { backoffDelay, sleep } from "./retry";
import { listKeys, onStored, parseJson, readText, writeText } from "./storage";

export interface OutboxItem {
  /** The idempotency key. */
  key: string;
  /** `sent`: delivered, and not yet seen in the conversation. `failed`: refused; sent again only on request. */
  state: "sending" | "waiting" | "sent" | "failed";
  /** Why it is waiting or has failed, for people. */
  error: string;
  /** Its place among all items; the outbox sets it. */
  order?: number;
  /** The session that it belongs to, where the outbox has `sessions`. */
  session?: string;
}

interface OutboxOptions<Item extends OutboxItem> {
  storageKey: string;
  /** Changes an item that an earlier page stored. */
  restore(item: Item): Item;
  /** Items of one partition are sent one after another, in the order in which they were written. */
  partition(item: Item): string | number;
  /** Whether an item may be sent now; others wait. */
  maySend(item: Item): boolean;
  /** Sends an item. The caller removes it or marks it as sent when the confirmation arrives. */
  send(item: Item): Promise<void>;
  /**
   * The session, and the one of the same person that it continues. A message of another person may still be stored
   * when they have left.
   */
  sessions?: readonly (string | undefined)[];
  /** Aborted when the outbox is no longer used. */
  closed?: AbortSignal;
  /** `retry`: after a delay; `fail`: not again by itself; `stop`: keep it until the next `resume`. */
  onError(error: unknown): { action: "retry" | "fail" | "stop"; message: string };
}

const ADOPTION_DELAY_MS = 1000;

const byOrder = (a: OutboxItem, b: OutboxItem): number => (a.order ?? 0) - (b.order ?? 0);

/** Runs in one tab at a time. Without locks (plain HTTP) tabs may send an item twice, which its key makes harmless. */
async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  let started: Promise<T> | undefined;
  const start = () => {
    started = work();
    return started;
  };
  try {
    return await (navigator.locks ? (navigator.locks.request(name, start) as Promise<T>) : start());
  } catch {
    // A sandboxed frame must not use locks.
    return started ?? start();
  }
}

export class Outbox<Item extends OutboxItem> {
  readonly items: Signal<readonly Item[]>;
  readonly #busy = new Set<string | number>();
  /** The keys of the items that are in the browser's storage. */
  readonly #stored = new Set<string>();
  #lastOrder = 0;

  constructor(private readonly options: OutboxOptions<Item>) {
    this.items = signal(this.#load());
    onStored((name, value) => {
      const prefix = this.#storageKey("");
      if (name.startsWith(prefix)) this.#onStored(name.slice(prefix.length), value);
    }, options.closed);
  }

  /** Stores an item and starts to send it. */
  add(item: Item): void {
    this.#lastOrder = Math.max(Date.now(), this.#lastOrder + 1);
    this.#store({ ...item, order: this.#lastOrder });
    void this.#drain(this.options.partition(item));
  }

  update(key: string, fields: Partial<OutboxItem>): void {
    const item = this.#find(key);
    if (item) this.#store({ ...item, ...fields });
  }

  /** Removes an item: it was delivered, or its author no longer wants it. */
  remove(key: string): void {
    this.#removeStored(key);
    this.#discard(key);
  }

  /** Sends an item again that has failed. */
  retry(key: string): void {
    const item = this.#find(key);
    if (!item) return;
    this.update(key, { state: "waiting", error: "" });
    void this.#drain(this.options.partition(item));
  }

  /** Sends everything that remains: after a reload, a login, a lost connection. */
  resume(): void {
    for (const partition of new Set(this.items.value.map(this.options.partition)))
      void this.#drain(partition);
  }

  async #drain(partition: string | number): Promise<void> {
    if (this.#busy.has(partition)) return;
    this.#busy.add(partition);
    try {
      let attempt = 0;
      let stopped = false;
      while (!stopped && this.#next(partition)) {
        // The lock is not kept between attempts: a background tab waits longer than its timers say.
        const lock = `${this.options.storageKey}/${partition}`;
        const error = await withLock(lock, () => this.#sendNext(partition));
        if (error === undefined) {
          attempt = 0;
          continue;
        }
        const { action, message } = this.options.onError(error.cause);
        this.update(error.key, { state: action === "fail" ? "failed" : "waiting", error: message });
        stopped = action === "stop";
        if (action !== "retry") continue;
        attempt += 1;
        const retryAfterMs = error.cause instanceof ApiError ? 1000 * error.cause.retryAfterSeconds : 0;
        await sleep(Math.max(retryAfterMs, backoffDelay(attempt)));
      }
    } finally {
      this.#busy.delete(partition);
    }
  }

  /** Sends the first item of a partition. Returns why that failed. */
  async #sendNext(partition: string | number): Promise<{ key: string; cause: unknown } | undefined> {
    const item = this.#next(partition);
    if (!item) return undefined;
    const { key } = item;
    // Another tab may have sent it while this one waited for the lock, and its event may still be on the way.
    if (this.#stored.has(key) && readText(this.#storageKey(key)) === null) {
      this.#discard(key);
      return undefined;
    }
    this.update(key, { state: "sending" });
    try {
      await this.options.send(item);
      return undefined;
    } catch (cause) {
      return { key, cause };
    }
  }

  #next(partition: string | number): Item | undefined {
    return this.items.value.find(
      (item) =>
        this.options.partition(item) === partition &&
        (item.state === "waiting" || item.state === "sending") &&
        this.options.maySend(item),
    );
  }

  readonly #storageKey = (key: string): string => `${this.options.storageKey}.${key}`;
  readonly #find = (key: string): Item | undefined => this.items.value.find((item) => item.key === key);

  #load(): Item[] {
    const prefix = this.#storageKey("");
    const stored = listKeys(prefix).flatMap((name) => parseJson<Item[]>(`[${readText(name)}]`, []));
    // Version 0.1 stored all items in one entry.
    const old = parseJson<Item[]>(readText(this.options.storageKey), []);
    if (old.length) writeText(this.options.storageKey, null);
    const session = this.options.sessions?.[0];
    return [...stored, ...old]
      .filter((item) => this.#isOwn(item))
      .sort(byOrder)
      .map((item) => {
        const kept = session === undefined ? item : { ...item, session };
        // What is stored as it should be is not stored again: another tab may be removing it.
        if (old.includes(item) || kept.session !== item.session) this.#write(kept);
        else this.#stored.add(item.key);
        return this.options.restore({ ...kept, state: "waiting", error: "" });
      });
  }

  /** Whether an item that is stored is of this session; others are removed. Earlier versions stored no session. */
  #isOwn({ key, session }: Item): boolean {
    const isOwn = !session || (this.options.sessions?.includes(session) ?? true);
    if (!isOwn) this.#removeStored(key);
    return isOwn;
  }

  /** Another tab has stored an item, or removed it (null). */
  #onStored(key: string, value: string | null): void {
    const item = parseJson<Item | null>(value, null);
    if (item && !this.#isOwn(item)) return;
    if (!item) {
      this.#stored.delete(key);
      if (this.#find(key)?.state !== "sent") this.#discard(key);
      return;
    }
    this.#stored.add(key);
    const isNew = !this.#find(key);
    this.#replace(item);
    // Should that tab close, this one sends the item. Until then it waits for the lock.
    // The tab in which it was written comes first: the reply's stream belongs there.
    const adopt = () => void this.#drain(this.options.partition(item));
    if (isNew && navigator.locks) setTimeout(adopt, ADOPTION_DELAY_MS);
  }

  #store(item: Item): void {
    this.#replace(item);
    if (item.state === "sent") this.#removeStored(item.key);
    else this.#write(item);
  }

  #write(item: Item): void {
    // What is stored belongs to another session by now.
    if (this.options.closed?.aborted) return;
    const name = this.#storageKey(item.key);
    writeText(name, JSON.stringify(item));
    if (readText(name) !== null) this.#stored.add(item.key);
  }

  #removeStored(key: string): void {
    this.#stored.delete(key);
    writeText(this.#storageKey(key), null);
  }

  #replace(item: Item): void {
    const others = this.items.value.filter((one) => one.key !== item.key);
    this.items.value = [...others, item].sort(byOrder);
  }

  #discard(key: string): void {
    if (this.#find(key)) this.items.value = this.items.value.filter((item) => item.key !== key);
  }
}

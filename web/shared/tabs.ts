/**
 * The tabs of one browser that show the same page. They exchange messages. One of them, the leader, does what must
 * happen once for all tabs: it holds the live stream, because a browser opens only six connections to a server over
 * HTTP/1.1. The tab that holds a Web Lock is the leader; on pages without HTTPS, which have no locks, the tabs
 * agree by messages. Without BroadcastChannel every tab is alone and leads itself.
 */
import { randomId } from "./storage";

/** How long a tab waits for a leader's answer before it leads. */
const ELECTION_DELAY_MS = 400;
/** How often a visible tab asks whether the leader still answers. Phones suspend tabs that are not visible. */
const CHECK_INTERVAL_MS = 5000;
const ANSWER_TIMEOUT_MS = 2500;

type Envelope =
  | { kind: "message"; topic: string; body: unknown }
  /** Is there a leader? It answers with `leads`; so does a tab that begins to lead. */
  | { kind: "check" }
  | { kind: "leads"; tab: string }
  /** The leader leaves. */
  | { kind: "leaves" };

export class TabGroup {
  readonly #id = randomId();
  readonly #handlers = new Map<string, (body: unknown) => void>();
  readonly #leaderHandlers: ((leads: boolean) => void)[] = [];
  #channel: BroadcastChannel | undefined;
  #hasJoined = false;
  #leads = false;
  #useLocks = true;
  /** Ends the wait for the lock, or gives it back. */
  #releaseLock: (() => void) | undefined;
  #electionTimer: ReturnType<typeof setTimeout> | undefined;
  #checkTimer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly name: string) {
    this.#open();
    // A page that goes into the back/forward cache is frozen: it must not lead.
    addEventListener("pagehide", this.#suspend);
    addEventListener("pageshow", this.#resume);
    document.addEventListener("visibilitychange", this.#check);
  }

  get isLeader(): boolean {
    return this.#leads;
  }

  /** Sends a message to all other tabs. The body must be data only. */
  post(topic: string, body: unknown): void {
    this.#send({ kind: "message", topic, body });
  }

  on<Body>(topic: string, handler: (body: Body) => void): void {
    this.#handlers.set(topic, handler as (body: unknown) => void);
  }

  /**
   * Takes part in the choice of the leader. `onLeader` is called with true when this tab begins to lead, and with false
   * when it ceases to, or returns after it was frozen.
   */
  join(onLeader: (leads: boolean) => void): void {
    this.#leaderHandlers.push(onLeader);
    if (this.#leads) onLeader(true);
    if (this.#hasJoined) return;
    this.#hasJoined = true;
    this.#compete();
  }

  close(): void {
    this.#suspend();
    this.#hasJoined = false;
    removeEventListener("pagehide", this.#suspend);
    removeEventListener("pageshow", this.#resume);
    document.removeEventListener("visibilitychange", this.#check);
  }

  readonly #suspend = (): void => {
    clearTimeout(this.#electionTimer);
    clearInterval(this.#checkTimer);
    if (this.#leads) this.#send({ kind: "leaves" });
    this.#setLeads(false);
    this.#releaseLock?.();
    this.#channel?.close();
    this.#channel = undefined;
  };

  readonly #resume = (event: PageTransitionEvent): void => {
    if (!event.persisted || this.#channel) return;
    this.#open();
    if (!this.#hasJoined) return;
    for (const handler of this.#leaderHandlers) handler(false);
    this.#compete();
  };

  #open(): void {
    try {
      this.#channel = new BroadcastChannel(this.name);
      this.#channel.onmessage = ({ data }) => this.#receive(data as Envelope);
    } catch {
      // Not supported, or forbidden: this tab is alone.
    }
  }

  #send(envelope: Envelope): void {
    try {
      this.#channel?.postMessage(envelope);
    } catch {
      // The channel was closed with the page.
    }
  }

  #receive(envelope: Envelope): void {
    switch (envelope.kind) {
      case "message":
        this.#handlers.get(envelope.topic)?.(envelope.body);
        break;
      case "check":
        if (this.#leads) this.#send({ kind: "leads", tab: this.#id });
        break;
      case "leads":
        clearTimeout(this.#electionTimer);
        // Two that began at the same time: one gives way. With locks there are never two.
        if (this.#leads && !this.#useLocks) {
          if (envelope.tab < this.#id) this.#setLeads(false);
          else this.#send({ kind: "leads", tab: this.#id });
        }
        break;
      case "leaves":
        if (!this.#useLocks) this.#elect(ELECTION_DELAY_MS * Math.random());
        break;
    }
  }

  #compete(): void {
    if (!this.#channel) {
      this.#useLocks = false;
      this.#setLeads(true);
      return;
    }
    clearInterval(this.#checkTimer);
    this.#checkTimer = setInterval(this.#check, CHECK_INTERVAL_MS);
    if (this.#useLocks && navigator.locks) void this.#waitForLock(false);
    else this.#electByMessages();
  }

  #electByMessages(): void {
    this.#useLocks = false;
    this.#elect(ELECTION_DELAY_MS);
  }

  /** Leads unless another tab says within `delay` that it does. */
  #elect(delay: number): void {
    if (this.#leads || !this.#hasJoined) return;
    clearTimeout(this.#electionTimer);
    this.#electionTimer = setTimeout(() => this.#lead(), delay);
    this.#send({ kind: "check" });
  }

  #lead(): void {
    this.#setLeads(true);
    this.#send({ kind: "leads", tab: this.#id });
  }

  async #waitForLock(steal: boolean): Promise<void> {
    const waiting = new AbortController();
    let isHolding = false;
    this.#releaseLock = () => waiting.abort();
    const hold = () =>
      new Promise<void>((resolve) => {
        if (waiting.signal.aborted) return resolve();
        isHolding = true;
        this.#releaseLock = () => {
          isHolding = false;
          resolve();
        };
        this.#lead();
      });
    try {
      await navigator.locks.request(this.name, steal ? { steal } : { signal: waiting.signal }, hold);
    } catch (error) {
      if (isHolding) {
        this.#setLeads(false);
        if (this.#channel) void this.#waitForLock(false);
      } else if (!waiting.signal.aborted && (error as Error).name !== "AbortError") {
        // Locks are forbidden here, as in a sandboxed frame.
        this.#electByMessages();
      }
    }
  }

  /** Replaces a leader that does not answer: its tab is suspended, or was ended without a word. */
  readonly #check = (): void => {
    if (!this.#hasJoined || !this.#channel || this.#leads || document.visibilityState !== "visible") return;
    clearTimeout(this.#electionTimer);
    this.#electionTimer = setTimeout(() => {
      if (this.#leads) return;
      if (!this.#useLocks) return this.#lead();
      this.#releaseLock?.();
      void this.#waitForLock(true);
    }, ANSWER_TIMEOUT_MS);
    this.#send({ kind: "check" });
  };

  #setLeads(leads: boolean): void {
    if (this.#leads === leads) return;
    this.#leads = leads;
    for (const handler of this.#leaderHandlers) handler(leads);
  }
}

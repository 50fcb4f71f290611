/** What the widget knows and does: the conversation, what waits to be said, who is there. Views only show it. */
import { computed, signal } from "@preact/signals";
import type { Frame } from "../../shared/sse";
import { backoff, pause } from "../../shared/sse";
import type { LiveEvent, Message, Mode, Person, Translation } from "../../shared/views";
import { Net, Refused } from "./net";
import { keep, newId, type Place, recall } from "./place";
import { preferred } from "./words";

export interface Config {
  name: string;
  welcome: string;
  colours: { primary?: string; background?: string };
  operators_online: boolean;
  offline_message: string;
  open: boolean;
}

export interface Parcel {
  id: string;
  text: string;
  image: string;
  state: "sending" | "sent" | "waiting" | "failed";
  why: string;
}

interface History {
  messages: Message[];
  conversation_id?: number | null;
  mode?: Mode | null;
  operator?: string | null;
  operator_read_seq?: number;
  visitor: { name?: string | null; email?: string | null };
}

const TYPING_MS = 6000;

export class Store {
  readonly open = signal(false);
  readonly config = signal<Config | null>(null);
  readonly messages = signal<readonly Message[]>([]);
  readonly parcels = signal<readonly Parcel[]>([]);
  /** Answers that are being written, by the id of what they answer. */
  readonly answers = signal<ReadonlyMap<string, string>>(new Map());
  readonly mode = signal<Mode | null>(null);
  readonly operator = signal<string | null>(null);
  readonly readSeq = signal(0);
  readonly typing = signal<string | null>(null);
  readonly unread = signal(0);
  readonly teaser = signal("");
  readonly live = signal(true);
  readonly older = signal(false);
  readonly email = signal("");
  readonly rated = signal(0);
  readonly blocked = signal(false);
  readonly uploading = signal(false);
  readonly problem = signal("");
  readonly draft = signal("");

  readonly waiting = computed(() => this.mode.value === "pending");

  private readonly net: Net;
  private readonly names: Record<"known" | "outbox" | "config" | "draft" | "open", string>;
  private conversation: number | undefined;
  private stopFollowing: (() => void) | undefined;
  private sending = false;
  private seen = 0;
  private typingTold = 0;
  private typingTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(place: Place) {
    this.net = new Net(place);
    const name = (part: string) => `parley:${place.siteKey}:${part}`;
    this.names = {
      known: name("known"),
      outbox: name("outbox"),
      config: name("config"),
      draft: name("draft"),
      open: name("open"),
    };
    this.config.value = parsed<Config | null>(recall(this.names.config), null);
    this.draft.value = recall(this.names.draft) ?? "";
    const left = parsed<Parcel[]>(recall(this.names.outbox), []);
    this.parcels.value = left.map((parcel) => ({ ...parcel, state: "waiting" }));
    // A conversation goes on from page to page; for everybody else nothing is loaded before the widget is opened.
    if (this.known || left.length) this.connect();
    if (left.length) void this.work();
  }

  private get known(): boolean {
    return recall(this.names.known) === "1";
  }

  private remember(open: boolean): void {
    keep(this.names.known, open ? "1" : "0");
  }

  show(): void {
    this.open.value = true;
    keep(this.names.open, "1");
    this.unread.value = 0;
    this.teaser.value = "";
    void this.configure();
    this.connect();
    this.markRead();
  }

  hide(): void {
    this.open.value = false;
    keep(this.names.open, null);
  }

  async configure(): Promise<void> {
    try {
      const config = await this.net.get<Config>("config");
      this.config.value = config;
      keep(this.names.config, JSON.stringify(config));
    } catch {
      // The one from the last visit serves, or the defaults.
    }
  }

  private connect(): void {
    this.stopFollowing ??= this.net.follow(
      (frame) => this.take(frame),
      () => void this.load(),
      (live) => {
        this.live.value = live;
        if (live) void this.work();
      },
    );
  }

  /** What was said so far. A visitor who never said anything has nothing to ask for. */
  private async load(before?: number): Promise<void> {
    if (recall(this.names.known) === null && !this.parcels.value.length) return;
    try {
      const history = await this.net.get<History>("history", before ? { before_seq: before } : {});
      this.conversation = history.conversation_id ?? undefined;
      this.mode.value = history.mode ?? null;
      this.operator.value = history.operator ?? null;
      this.readSeq.value = Math.max(this.readSeq.value, history.operator_read_seq ?? 0);
      this.email.value = history.visitor.email ?? this.email.value;
      const first = history.messages[0]?.seq ?? 1;
      if (before || !this.messages.value.length) this.older.value = first > 1;
      for (const message of history.messages) this.add(message);
      this.remember(history.mode !== null && history.mode !== "closed");
      this.markRead();
    } catch (problem) {
      if (problem instanceof Refused && problem.status === 404) keep(this.names.known, null);
    }
  }

  loadOlder(): Promise<void> {
    const first = this.messages.value.find((message) => message.conversation_id === this.conversation);
    return this.load(first?.seq);
  }

  /** Messages written to the visitor first, for a widget that was never opened: asked for with the heartbeat. */
  async checkProactive(): Promise<void> {
    if (this.stopFollowing) return;
    try {
      const found = await this.net.get<{ messages: Message[] }>("pending-proactive");
      if (!found.messages.length) return;
      this.remember(true);
      this.connect();
      for (const message of found.messages) this.announce(message);
    } catch {
      // Nobody has written.
    }
  }

  beat(page: { page: string; title: string; referrer: string }): Promise<unknown> {
    return this.net.post("heartbeat", { ...page, lang: preferred }).catch(() => undefined);
  }

  private take(frame: Frame): void {
    const event = parsed<LiveEvent | null>(frame.data, null);
    if (!event) return;
    const data = event.data;
    switch (event.type) {
      case "message.created":
        this.remember(true);
        this.conversation = event.conversation_id ?? this.conversation;
        this.add(data as unknown as Message);
        this.announce(data as unknown as Message);
        break;
      case "message.translated":
        this.messages.value = this.messages.value.map((message) =>
          message.id === data["id"]
            ? { ...message, translation: data["translation"] as Translation }
            : message,
        );
        break;
      case "message.read":
        if (data["reader"] === "operator")
          this.readSeq.value = Math.max(this.readSeq.value, Number(data["seq"]));
        break;
      case "typing":
        if (data["role"] === "operator") this.sawTyping(String(data["name"] ?? ""));
        break;
      default:
        if (event.type.startsWith("conversation.") && data["mode"]) this.changed(event);
    }
  }

  private changed(event: LiveEvent): void {
    const mode = event.data["mode"] as Mode;
    if (event.type === "conversation.created" && event.conversation_id !== this.conversation) {
      this.readSeq.value = 0;
      this.seen = 0;
      this.rated.value = 0;
    }
    this.conversation = event.conversation_id ?? this.conversation;
    this.mode.value = mode;
    this.operator.value = (event.data["operator"] as Person | null)?.name ?? null;
    this.typing.value = null;
    if (mode === "operator") this.answers.value = new Map();
    if (mode === "pending") void this.configure();
    this.remember(mode !== "closed");
  }

  private add(message: Message): void {
    const others = this.messages.value.filter((known) => known.id !== message.id);
    const before = this.messages.value.find((known) => known.id === message.id);
    const whole = { ...message, translation: message.translation ?? before?.translation ?? null };
    this.messages.value = [...others, whole].sort(inOrder);
    if (message.message_id) this.drop(message.message_id);
    if (message.role === "ai") this.endAnswers(message.content);
  }

  /** Something came from the other side. */
  private announce(message: Message): void {
    if (message.role === "visitor") return;
    this.add(message);
    this.typing.value = null;
    if (this.open.value) {
      this.markRead();
      return;
    }
    if (message.role === "system") return;
    this.unread.value += 1;
    this.teaser.value = message.translation?.content ?? message.content;
  }

  markRead(): void {
    if (!this.open.value || document.visibilityState !== "visible") return;
    const last = this.messages.value.findLast(
      (message) => message.role !== "visitor" && message.conversation_id === this.conversation,
    );
    if (!last || last.seq <= this.seen) return;
    this.seen = last.seq;
    this.net.post("read", { seq: last.seq }).catch(() => undefined);
  }

  // What the visitor says

  setDraft(text: string): void {
    this.draft.value = text;
    keep(this.names.draft, text || null);
    const heard = this.mode.value === "operator" || this.mode.value === "pending";
    if (!heard || !text.trim() || Date.now() - this.typingTold < 3000) return;
    this.typingTold = Date.now();
    this.net.post("typing").catch(() => undefined);
  }

  say(text: string, image = ""): void {
    const parcel: Parcel = { id: newId(), text: text.trim(), image, state: "sending", why: "" };
    if (!parcel.text && !image) return;
    this.keepParcels([...this.parcels.value, parcel]);
    this.connect();
    void this.work();
  }

  tryAgain(id: string): void {
    this.amend(id, { state: "waiting", why: "" });
    void this.work();
  }

  async sendImage(file: File): Promise<void> {
    this.uploading.value = true;
    this.problem.value = "";
    try {
      this.say("", await this.net.upload(file));
    } catch (reason) {
      this.problem.value = (reason as Refused).message || "upload";
    }
    this.uploading.value = false;
  }

  private async work(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    let tries = 0;
    for (;;) {
      const parcel = this.parcels.value.find((one) => one.state === "waiting" || one.state === "sending");
      if (!parcel) break;
      try {
        await this.send(parcel);
        tries = 0;
      } catch (reason) {
        const refused = reason as Refused;
        if (refused.status === 403 && refused.code.includes("block")) this.blocked.value = true;
        if (!refused.passing) {
          this.amend(parcel.id, { state: "failed", why: refused.message });
          continue;
        }
        tries += 1;
        this.amend(parcel.id, { state: "waiting" });
        await pause(Math.max(refused.retryAfter * 1000, backoff(tries)));
      }
    }
    this.sending = false;
  }

  private async send(parcel: Parcel): Promise<void> {
    this.amend(parcel.id, { state: "sending" });
    const image = parcel.image ? { image_url: parcel.image } : {};
    let answered = 0;
    await this.net.say(
      { message: parcel.text, message_id: parcel.id, lang: preferred, ...image },
      (part) => {
        if (part["type"] === "chunk") this.grow(parcel.id, String(part["content"] ?? ""));
        if (part["type"] !== "done") return;
        const meta = part["meta"] as { conversation_id: number; mode: Mode; answer_id?: number };
        answered = meta.answer_id ?? 0;
        this.mode.value = meta.mode;
        this.conversation = meta.conversation_id;
      },
      () => this.settle(parcel.id, answered),
    );
    this.remember(true);
    this.amend(parcel.id, { state: "sent" });
  }

  private grow(id: string, text: string): void {
    if (this.mode.value === "operator") return;
    this.answers.value = new Map(this.answers.value).set(id, (this.answers.value.get(id) ?? "") + text);
  }

  /** The stream of an answer has ended: the message itself takes its place, when it is here. */
  private settle(id: string, answered: number): void {
    const here = this.messages.value.some((message) => message.id === answered);
    const heard = this.messages.value.some((message) => message.message_id === id);
    const finish = () => {
      const after = new Map(this.answers.value);
      after.delete(id);
      this.answers.value = after;
    };
    if ((here || !answered) && heard) {
      finish();
      return;
    }
    // The live line is late, or down: what it would have told is fetched.
    setTimeout(() => void this.load().then(finish), 1500);
  }

  private endAnswers(content: string): void {
    const after = [...this.answers.value].filter(([, text]) => !content.startsWith(text.trim()));
    if (after.length !== this.answers.value.size) this.answers.value = new Map(after);
  }

  private keepParcels(parcels: readonly Parcel[]): void {
    this.parcels.value = parcels;
    const unsent = parcels.filter((parcel) => parcel.state !== "sent");
    keep(this.names.outbox, unsent.length ? JSON.stringify(unsent) : null);
  }

  private amend(id: string, fields: Partial<Parcel>): void {
    this.keepParcels(this.parcels.value.map((one) => (one.id === id ? { ...one, ...fields } : one)));
  }

  private drop(id: string): void {
    if (this.parcels.value.some((one) => one.id === id)) {
      this.keepParcels(this.parcels.value.filter((one) => one.id !== id));
    }
  }

  private sawTyping(name: string): void {
    this.typing.value = name;
    clearTimeout(this.typingTimer);
    this.typingTimer = setTimeout(() => {
      this.typing.value = null;
    }, TYPING_MS);
  }

  // What the visitor asks for

  async askForPerson(): Promise<void> {
    this.problem.value = "";
    try {
      this.connect();
      const answer = await this.net.post<{ mode: Mode; conversation_id: number }>("handoff", {
        lang: preferred,
      });
      this.mode.value = answer.mode;
      this.conversation = answer.conversation_id;
      this.remember(true);
      await this.configure();
    } catch (reason) {
      this.problem.value = (reason as Refused).message || "network";
    }
  }

  async leaveEmail(email: string, name: string): Promise<boolean> {
    this.problem.value = "";
    try {
      await this.net.post("email", { email, ...(name ? { name } : {}) });
      this.email.value = email;
      return true;
    } catch (reason) {
      this.problem.value = (reason as Refused).message || "network";
      return false;
    }
  }

  async rate(score: number, comment: string): Promise<void> {
    this.rated.value = score;
    await this.net.post("rate", { score, ...(comment ? { comment } : {}) }).catch(() => undefined);
  }
}

function inOrder(a: Message, b: Message): number {
  if (a.conversation_id === b.conversation_id) return a.seq - b.seq;
  return a.created_at < b.created_at ? -1 : 1;
}

function parsed<T>(text: string | null, otherwise: T): T {
  try {
    return text ? (JSON.parse(text) as T) : otherwise;
  } catch {
    return otherwise;
  }
}

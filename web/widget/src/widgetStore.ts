/** The widget's state and actions: the conversation, the visitor's outgoing messages, who is online. */
import { computed, signal } from "@preact/signals";
import type { ParleyEvents } from "../../packages/widget/parley";
import type {
  FileAttachment,
  LiveEvent,
  Message,
  MessageTranslation,
  Mode,
  OperatorRef,
  QueuePlace,
  VisitorRequest,
  WidgetConfig,
} from "../../shared/apiTypes";
import { ApiError } from "../../shared/http";
import { backoffDelay, sleep, throttle } from "../../shared/retry";
import { openSharedStream } from "../../shared/sharedStream";
import type { SseEvent } from "../../shared/sse";
import {
  onStored,
  parseJson,
  randomId,
  readJson,
  readText,
  writeJson,
  writeText,
} from "../../shared/storage";
import { TabGroup } from "../../shared/tabs";
import { visitorStream } from "./api/visitorStream";
import { type ReplyEvent, WidgetApi } from "./api/widgetApi";
import { createOutbox, FORM_REQUIRED, isBusy, type OutgoingMessage } from "./composer/outbox";
import { type EmbedConfig, storageKey } from "./embedConfig";
import { strings } from "./i18n/i18n";
import type { EmitEvent } from "./launcher/chatInterface";
import { withoutMarks } from "./messages/plainText";
import { readTrigger, type ShownTrigger, takeChoice, writeTrigger } from "./triggers/shownTrigger";

const TYPING_TIMEOUT_MS = 6000;
const TYPING_INTERVAL_MS = 3000;
/** How long the live stream may take to bring a message whose reply stream has ended. */
const LIVE_EVENT_DELAY_MS = 1500;
/** How often a waiting visitor's widget asks whether an operator is available; the answer may change either way. */
const AVAILABILITY_INTERVAL_MS = 10_000;
/** How often another request is tried when the server is busy. */
const MAX_ATTEMPTS = 6;

/** The name of the message among what is typed in a form, which no key of a field can have. */
export const MESSAGE = "-message";

export type FormKind = "prechat" | "offline";
type FormAnswers = Pick<VisitorRequest<"/chat/offline-form">, "team_id" | "consent" | "message"> & {
  answers: Record<string, string | boolean>;
};

/** What is typed in a form, as it is stored. */
interface FormDraft {
  values?: Record<string, unknown>;
}

/** What a visitor does in a session, and does again in the one of the same person that takes over. */
export type VisitorAction = (store: WidgetStore) => Promise<void>;

export class WidgetStore {
  readonly open = signal(false);
  readonly config = signal<WidgetConfig | null>(null);
  readonly messages = signal<readonly Message[]>([]);
  /** AI replies that are being written, by the key of the message that they answer. */
  readonly partialReplies = signal<ReadonlyMap<string, string>>(new Map());
  readonly mode = signal<Mode | null>(null);
  /** While the visitor waits for a person. */
  readonly queue = signal<QueuePlace | null>(null);
  readonly operator = signal<string | null>(null);
  /** The seq up to which an operator has read. */
  readonly readSeq = signal(0);
  /** The name of the operator who is typing; null when nobody is. */
  readonly typing = signal<string | null>(null);
  /** When the newest message that the visitor has seen was written; the same in all tabs. */
  private readonly seenAt = signal("");
  /** When the newest message whose teaser was dismissed was written; the same in all tabs. */
  private readonly dismissedAt = signal("");
  /** The first message that the visitor had not seen when the window was opened. */
  readonly firstNew = signal<number | undefined>(undefined);
  private readonly unreadMessages = computed(() =>
    this.open.value
      ? []
      : this.messages.value.filter(
          ({ role, created_at }) =>
            (role === "ai" || role === "operator") && isLater(created_at, this.seenAt.value),
        ),
  );
  readonly unread = computed(() => this.unreadMessages.value.length);
  /** The text of a message that arrived while the widget is closed. */
  readonly teaser = computed(() => {
    const last = this.unreadMessages.value.at(-1);
    if (!last || !isLater(last.created_at, this.dismissedAt.value)) return "";
    const text = last.translation?.content ?? last.content;
    return last.role === "ai" ? withoutMarks(text) : text || last.file?.name || strings.imageAlt;
  });
  /** What the assistant wrote first: a conversation that the visitor begins has it as its first message. */
  private readonly shownTrigger = signal<ShownTrigger | null>(null);
  readonly trigger = computed(() =>
    this.mode.value === null || this.mode.value === "closed" ? this.shownTrigger.value : null,
  );
  /** What the visitor has chosen, remembered in this browser: "1", "0", or nothing yet. */
  private readonly ownSound = signal("");
  /** Whether new messages make a sound. */
  readonly sound = computed(
    () => (this.ownSound.value || (this.config.value?.sound === false ? "0" : "1")) === "1",
  );
  readonly connected = signal(true);
  readonly hasOlder = signal(false);
  readonly email = signal("");
  /** The conversation that the visitor has rated last; the same in all tabs and on later pages. */
  private readonly ratedId = signal("");
  readonly isRated = computed(
    () => this.ratedId.value !== "" && this.ratedId.value === String(this.conversationId.value),
  );
  readonly blocked = signal(false);
  /** Whether the visitor has asked for the form that leaves a message, in place of the chat. */
  readonly isLeaving = signal(false);
  /** The form to answer in place of writing; null when the visitor may write. */
  readonly form = computed<FormKind | null>(() => {
    const { prechat_form, offline_form } = this.config.value ?? {};
    if (this.isLeaving.value && offline_form) return "offline";
    if (this.isInChat) return null;
    if (offline_form?.replaces_chat) return "offline";
    return prechat_form ? "prechat" : null;
  });
  /** Counts what was put into the form by something else than the visitor's typing. */
  readonly formRevision = signal(0);
  readonly uploading = signal<WidgetUpload | null>(null);
  /** The file that could not be uploaded, to try it again. */
  readonly failedUpload = signal<{ file: File; seconds: number | undefined } | null>(null);
  readonly error = signal("");
  /** What was done for the visitor, where no message says it. */
  readonly notice = signal("");
  readonly draft = signal("");
  readonly outgoing;

  readonly api: WidgetApi;
  private readonly outbox;
  private readonly keys: Record<
    | "known"
    | "config"
    | "draft"
    | "prefill"
    | "open"
    | "seen"
    | "dismissed"
    | "rated"
    | "sound"
    | "announced",
    string
  >;
  private readonly tabs: TabGroup;
  readonly conversationId = signal<number | undefined>(undefined);
  /** Aborted when the session ends. */
  private readonly closing = new AbortController();
  private readonly begun = new Set<VisitorAction>();
  /** Whether what the conversation was before this page is known: what comes then is news to the page. */
  private hasHistory = false;
  /** The latest fetch of the configuration, which says whether a form comes before the chat. */
  private configured: Promise<void> | undefined;
  private availabilityTimer: ReturnType<typeof setInterval> | undefined;
  private closeStream: (() => void) | undefined;
  private reportedSeq = 0;
  /** Counts what has changed the mode, so that a response that is older than such a change does not undo it. */
  private modeChanges = 0;
  private typingTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly sendTyping = throttle(TYPING_INTERVAL_MS, () => {
    this.api.post("/chat/typing", {}).catch(() => undefined);
  });

  /** `endSession` removes the session and starts another. `emit` passes an event on to the page's listeners. */
  constructor(
    private readonly embed: EmbedConfig,
    readonly endSession: () => void = () => undefined,
    private readonly emit: EmitEvent = () => undefined,
  ) {
    this.api = new WidgetApi(embed);
    const key = (name: string) => storageKey(embed.siteKey, name);
    this.keys = {
      known: key("known"),
      config: key("config"),
      draft: key("draft"),
      prefill: key("prefill"),
      open: key("open"),
      seen: key("seen"),
      dismissed: key("dismissed"),
      rated: key("rated"),
      sound: key("sound"),
      announced: key("announced"),
    };
    // Tabs of one session only: where storage is forbidden each has its own.
    this.tabs = new TabGroup(`${key("tabs")}:${embed.sessionId}`);
    this.seenAt.value = readText(this.keys.seen) ?? "";
    this.ratedId.value = readText(this.keys.rated) ?? "";
    this.dismissedAt.value = readText(this.keys.dismissed) ?? "";
    this.ownSound.value = readText(this.keys.sound) ?? "";
    onStored((name, value) => this.onStored(name, value), this.closing.signal);
    this.config.value = readJson<WidgetConfig | null>(this.keys.config, null);
    this.draft.value = readText(this.keys.draft) ?? "";
    this.shownTrigger.value = readTrigger(embed.siteKey);
    this.outbox = createOutbox(key("outbox"), {
      send: (message) => this.deliver(message),
      onBlocked: () => {
        this.blocked.value = true;
      },
      onFormRequired: () => void this.loadConfig(),
      closed: this.closing.signal,
      sessions: [embed.sessionId, embed.previousSessionId],
    });
    this.outgoing = this.outbox.items;
    // A conversation continues on the next page; other visitors load nothing before they open the widget.
    if (readText(this.keys.known) === "1" || this.outgoing.value.length) this.connect();
    this.outbox.resume();
  }

  /** Ends what runs for this session; the page continues with another. */
  close(): void {
    this.closing.abort();
    this.uploading.value?.cancel();
    this.closeStream?.();
    this.tabs.close();
    clearInterval(this.availabilityTimer);
  }

  /** Another tab has stored something. */
  private onStored(name: string, value: string | null): void {
    if (name === this.keys.draft) this.draft.value = value ?? "";
    if (name === this.keys.seen) this.seenAt.value = value ?? "";
    if (name === this.keys.dismissed) this.dismissedAt.value = value ?? "";
    if (name === this.keys.sound) this.ownSound.value = value ?? "";
    if (name === this.keys.rated) this.ratedId.value = value ?? "";
    // The visitor has begun to write in another tab.
    if (name === this.keys.known && value === "1") this.connect();
  }

  show(): void {
    if (!this.open.value) this.firstNew.value = this.unreadMessages.value[0]?.id;
    const choice = takeChoice(this.embed.siteKey);
    this.shownTrigger.value = readTrigger(this.embed.siteKey);
    // The conversation begins with the trigger's message.
    if (choice) this.sendMessage(choice, "", null, { replyTo: 1 });
    this.open.value = true;
    writeText(this.keys.open, "1");
    this.markSeen();
    void this.loadConfig();
    this.availabilityTimer ??= setInterval(() => this.checkAvailability(), AVAILABILITY_INTERVAL_MS);
    this.connect();
    this.markRead();
  }

  hide(): void {
    this.markSeen();
    this.open.value = false;
    writeText(this.keys.open, null);
    clearInterval(this.availabilityTimer);
    this.availabilityTimer = undefined;
  }

  /** Hides the teaser until the next message; the button's count stays. */
  dismissTeaser(): void {
    const at = this.unreadMessages.value.at(-1)?.created_at ?? "";
    this.dismissedAt.value = at;
    writeText(this.keys.dismissed, at);
  }

  private checkAvailability(): void {
    if (this.mode.value === "pending" && document.visibilityState === "visible") void this.loadConfig();
  }

  /** All messages that are there count as seen. */
  private markSeen(): void {
    const last = this.messages.value.reduce(
      (latest, { created_at }) => (isLater(created_at, latest) ? created_at : latest),
      this.seenAt.value,
    );
    if (last === this.seenAt.value) return;
    this.seenAt.value = last;
    writeText(this.keys.seen, last);
  }

  loadConfig(): Promise<void> {
    this.configured = this.fetchConfig();
    return this.configured;
  }

  private async fetchConfig(): Promise<void> {
    try {
      const config = await this.withRetry(() => this.api.get("/chat/config", { lang: this.embed.language }));
      const wasAway = this.form.value === "offline";
      this.config.value = config;
      writeJson(this.keys.config, config);
      if (wasAway && !config.offline_form) this.continueMessage();
    } catch {
      // The configuration of the last visit is used, or the defaults.
    }
    // What waited for the form, if there is none any more.
    this.outbox.resume();
  }

  /** Somebody is there again: what was written in the form for other times becomes a message of the chat. */
  private continueMessage(): void {
    const key = this.formKey("offline");
    const typed = readJson<FormDraft>(key, {});
    const { [MESSAGE]: message, ...values } = typed.values ?? {};
    this.isLeaving.value = false;
    if (!message || this.draft.value) return;
    this.setDraft(String(message));
    // A message that is left later is another one.
    writeJson(key, { values });
  }

  // --- Receiving

  private connect(): void {
    this.closeStream ??= openSharedStream(this.tabs, {
      ...visitorStream(this.embed),
      onReady: (_event, resumed) => {
        if (!resumed) void this.loadHistory();
      },
      onReset: () => void this.loadHistory(),
      onEvent: (event) => this.applyEvent(event),
      onState: ({ state }) => {
        if (state === "connecting") return;
        this.connected.value = state === "live";
        if (state === "live") this.outbox.resume();
      },
    });
  }

  private get isInChat(): boolean {
    const mode = this.mode.value;
    return mode ? mode !== "closed" : readText(this.keys.known) === "1";
  }

  /** Remembers whether the visitor has an open conversation: then the next page connects immediately. */
  private setKnown(hasConversation: boolean): void {
    writeText(this.keys.known, hasConversation ? "1" : "0");
  }

  /** Fetches the newest messages. A visitor who never wrote has none. */
  private async loadHistory(): Promise<void> {
    if (readText(this.keys.known) === null) {
      this.hasHistory = true;
      return;
    }
    try {
      await this.withRetry(
        () => this.fetchHistory(),
        undefined,
        (error) => error.isRetryable,
      );
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) writeText(this.keys.known, null);
    }
  }

  /** Fetches the newest messages, or those before `beforeSeq`. Throws ApiError. */
  private async fetchHistory(beforeSeq?: number): Promise<void> {
    const changes = this.modeChanges;
    const history = await this.api.get("/chat/history", beforeSeq ? { before_seq: beforeSeq } : {});
    if (this.modeChanges === changes) {
      this.conversationId.value = history.conversation_id ?? undefined;
      this.setMode(history.mode, history.operator, this.hasHistory);
      this.queue.value = history.queue ?? null;
    }
    this.readSeq.value = Math.max(this.readSeq.value, history.operator_read_seq);
    this.email.value = history.visitor.email ?? this.email.value;
    const first = history.messages[0]?.seq ?? 1;
    if (beforeSeq || !this.messages.value.length) this.hasOlder.value = first > 1;
    for (const message of history.messages) this.addMessage(message, this.hasHistory && !beforeSeq);
    this.hasHistory = true;
    // Versions before 0.2 did not store which messages the visitor had seen.
    if (this.open.value || !this.seenAt.value) this.markSeen();
    this.setKnown(this.mode.value !== null && this.mode.value !== "closed");
    this.markRead();
  }

  loadOlder(): Promise<void> {
    const first = this.messages.value.find(
      (message) => message.conversation_id === this.conversationId.value,
    );
    return this.runWithError((store) => store.fetchHistory(first?.seq));
  }

  /** Shows messages that operators sent to a visitor who has not opened the widget. */
  receive(messages: readonly Message[]): void {
    if (!messages.length) return;
    for (const message of messages) this.receiveMessage(message);
    this.setKnown(true);
    this.connect();
  }

  private applyEvent({ data: text }: SseEvent): void {
    const event = parseJson<LiveEvent | null>(text, null);
    if (!event) return;
    const data = event.data;
    switch (event.type) {
      case "message.created":
        this.setKnown(true);
        this.conversationId.value = event.conversation_id ?? this.conversationId.value;
        this.addMessage(data as unknown as Message);
        this.receiveMessage(data as unknown as Message);
        break;
      case "message.translated":
        this.messages.value = this.messages.value.map((message) =>
          message.id === data["id"]
            ? { ...message, translation: data["translation"] as MessageTranslation }
            : message,
        );
        break;
      case "message.read":
        if (data["reader"] === "operator")
          this.readSeq.value = Math.max(this.readSeq.value, Number(data["seq"]));
        break;
      case "queue.changed":
        this.queue.value = data as unknown as QueuePlace;
        break;
      case "typing":
        if (data["role"] === "operator") this.showTyping(String(data["name"] ?? ""));
        break;
      case "conversation.joined":
        // Another device of the same person brought its history.
        this.setKnown(true);
        void this.loadHistory();
        break;
      default:
        if (event.type.startsWith("conversation.") && data["mode"]) this.applyConversationEvent(event);
    }
  }

  private applyConversationEvent(event: LiveEvent): void {
    const mode = event.data["mode"] as Mode;
    if (event.type === "conversation.created") {
      // A response that came before it knows what has happened since.
      if (event.conversation_id === this.conversationId.value) return;
      this.readSeq.value = 0;
      this.reportedSeq = 0;
    }
    this.modeChanges += 1;
    this.conversationId.value = event.conversation_id ?? this.conversationId.value;
    this.setMode(mode, (event.data["operator"] as OperatorRef | null)?.name ?? null);
    this.typing.value = null;
    if (mode === "operator") this.partialReplies.value = new Map();
    if (mode === "pending") void this.loadConfig();
    this.setKnown(mode !== "closed");
  }

  /** Changes who answers, and tells the page if it is news. */
  private setMode(mode: Mode | null, operator = this.operator.value, isNews = true): void {
    const isOther = mode !== this.mode.value;
    const isOtherOperator = operator !== this.operator.value;
    this.mode.value = mode;
    this.operator.value = operator;
    if (!isNews) return;
    if (mode === "operator" && operator && (isOther || isOtherOperator)) this.emit("accepted", { operator });
    if (mode === "pending" && isOther) this.emit("handoff", {});
    if (mode === "closed" && isOther) this.emit("closed", {});
  }

  private addMessage(message: Message, isNews = true): void {
    const known = this.messages.value.find((one) => one.id === message.id);
    const others = this.messages.value.filter((one) => one !== known);
    const merged = { ...message, translation: message.translation ?? known?.translation ?? null };
    this.messages.value = [...others, merged].sort(compareMessages);
    if (message.message_id) this.outbox.remove(message.message_id);
    if (message.role === "ai") this.endPartialReply(message.content);
    const { role, content: text, sender, created_at: at } = message;
    if (!isNews || known) return;
    if (this.shownTrigger.value) {
      this.shownTrigger.value = null;
      writeTrigger(this.embed.siteKey, null);
    }
    this.emit("message", { role, text, name: sender?.name ?? null, at });
    if (role !== "visitor") void this.announce(message.id).catch(() => undefined);
  }

  toggleSound(): void {
    this.ownSound.value = this.sound.value ? "0" : "1";
    writeText(this.keys.sound, this.ownSound.value);
  }

  /** A message that the visitor does not see makes a sound, in one of the tabs. */
  private async announce(id: number): Promise<void> {
    if (this.open.value && document.hasFocus()) writeText(this.keys.announced, String(id));
    else if (this.sound.value) await (await import("./sound")).playOnce(this.keys.announced, id);
  }

  /** Adds a message and notifies a visitor whose widget is closed. */
  private receiveMessage(message: Message): void {
    if (message.role === "visitor") return;
    this.addMessage(message);
    this.typing.value = null;
    this.seenAt.value ||= EPOCH;
    if (this.open.value) this.markRead();
  }

  private showTyping(name: string): void {
    this.typing.value = name;
    clearTimeout(this.typingTimer);
    this.typingTimer = setTimeout(() => {
      this.typing.value = null;
    }, TYPING_TIMEOUT_MS);
  }

  /** Tells the server what the visitor has seen, when the widget is open on a visible page. */
  markRead(): void {
    if (!this.open.value || document.visibilityState !== "visible") return;
    this.markSeen();
    const last = this.messages.value.findLast(
      (message) => message.role !== "visitor" && message.conversation_id === this.conversationId.value,
    );
    if (!last || last.seq <= this.reportedSeq) return;
    this.reportedSeq = last.seq;
    this.api.post("/chat/read", { seq: last.seq }).catch(() => undefined);
  }

  // --- Sending

  setDraft(text: string): void {
    this.draft.value = text;
    writeText(this.keys.draft, text || null);
    const hasReader = this.mode.value === "operator" || this.mode.value === "pending";
    if (hasReader && text.trim()) this.sendTyping();
  }

  /** Fills in a text for the visitor to send. What the visitor has begun to write stays. */
  prefill(text: string): void {
    if (this.draft.value && this.draft.value !== readText(this.keys.prefill)) return;
    this.draft.value = text;
    writeText(this.keys.draft, text || null);
    writeText(this.keys.prefill, text || null);
  }

  /** `confirm` is the id of the confirmation that it agrees to, `replyTo` the seq of the message that offers the text. */
  sendMessage(
    text: string,
    image = "",
    file: FileAttachment | null = null,
    answers: Pick<OutgoingMessage, "confirm" | "replyTo"> = {},
  ): void {
    const content = text.trim();
    // An upload may end after its session.
    if (this.closing.signal.aborted || (!content && !image && !file)) return;
    const session = this.embed.sessionId;
    this.outbox.add({
      key: randomId(),
      session,
      text: content,
      image,
      file,
      ...answers,
      state: "sending",
      error: "",
    });
    this.connect();
  }

  /** Sends a message of the page. A form that has to be answered first is opened; the message is sent after it. */
  async sendForPage(text: string): Promise<void> {
    this.sendMessage(text);
    if (await this.formFirst()) this.show();
  }

  /** The form that has to be answered before a chat begins. */
  private async formFirst(): Promise<FormKind | null> {
    if (this.isInChat) return null;
    await (this.configured ?? this.loadConfig());
    return this.form.value;
  }

  /** Nobody chats now: a message becomes the one of the form. What the visitor has typed there stays. */
  private moveToForm({ key, text }: OutgoingMessage): void {
    this.outbox.remove(key);
    const name = this.formKey("offline");
    const typed = readJson<FormDraft>(name, {});
    if (typed.values?.[MESSAGE]) return;
    writeJson(name, { ...typed, values: { ...typed.values, [MESSAGE]: text } });
    this.formRevision.value += 1;
  }

  retry(key: string): void {
    this.outbox.retry(key);
  }

  /** Whether visitors may send files besides images. */
  readonly maySendFiles = computed(() => this.config.value?.files?.enabled === true);
  /** Whether they may send voice notes. */
  readonly mayRecord = computed(
    () => this.maySendFiles.value && this.config.value?.files?.kinds.includes("audio") === true,
  );

  sendImage(file: File): Promise<void> {
    return this.upload(file, undefined, ({ sendImage }, store) => sendImage(store, store.api, file));
  }

  /** Uploads a file and sends it. `seconds` of a recording. */
  sendFile(file: File, seconds?: number): Promise<void> {
    return this.upload(file, seconds, ({ sendFile }, store) => sendFile(store, store.api, file, seconds));
  }

  private upload(
    file: File,
    seconds: number | undefined,
    work: (uploads: typeof import("./composer/uploads"), store: WidgetStore) => Promise<void>,
  ): Promise<void> {
    return this.begin(async (store) => {
      const uploads = await import("./composer/uploads").catch(() => null);
      if (uploads) return work(uploads, store);
      store.error.value = strings.fileFailed;
      store.failedUpload.value = { file, seconds };
    });
  }

  /** Uploads again what has failed. */
  retryUpload(): void {
    const failed = this.failedUpload.value;
    if (!failed) return;
    const isImage = failed.file.type.startsWith("image/");
    void (isImage ? this.sendImage(failed.file) : this.sendFile(failed.file, failed.seconds));
  }

  dismissError(): void {
    this.error.value = "";
    this.failedUpload.value = null;
  }

  private async deliver(message: OutgoingMessage): Promise<void> {
    const { key, text, image, file, confirm, replyTo } = message;
    const form = await this.formFirst();
    if (form === "offline" && text) return this.moveToForm(message);
    if (form) throw new ApiError(0, FORM_REQUIRED, "");
    let replyId = 0;
    const changes = this.modeChanges;
    const onEvent = ({ type, content, meta }: ReplyEvent) => {
      if (type === "chunk") this.extendPartialReply(key, content ?? "");
      if (type !== "done" || !meta) return;
      replyId = meta.answer_id ?? 0;
      if (this.modeChanges !== changes) return;
      this.setMode(meta.mode);
      this.conversationId.value = meta.conversation_id;
    };
    const body = {
      message: text,
      message_id: key,
      lang: this.embed.language,
      ...(this.shownTrigger.value?.id && { trigger_id: this.shownTrigger.value.id }),
      ...(image && { image_url: image }),
      ...(file && { file_id: file.id }),
      ...(confirm && { confirm }),
      ...(replyTo && { reply_to: replyTo }),
    };
    await this.api.sendMessage(body, onEvent, () => this.finishReply(key, replyId));
    this.setKnown(true);
    this.outbox.update(key, { state: "sent" });
  }

  private extendPartialReply(key: string, text: string): void {
    if (this.mode.value === "operator") return;
    const before = this.partialReplies.value.get(key) ?? "";
    this.partialReplies.value = new Map(this.partialReplies.value).set(key, before + text);
  }

  /** Ends a reply's stream: the stored messages replace the partial reply and the outgoing message. */
  private finishReply(key: string, replyId: number): void {
    const hasReply = !replyId || this.messages.value.some((message) => message.id === replyId);
    const hasMessage = this.messages.value.some((message) => message.message_id === key);
    const removePartial = () => {
      const rest = new Map(this.partialReplies.value);
      rest.delete(key);
      this.partialReplies.value = rest;
    };
    if (hasReply && hasMessage) {
      removePartial();
      return;
    }
    // The live stream is late or disconnected: fetch what it would have brought.
    setTimeout(() => void this.loadHistory().then(removePartial), LIVE_EVENT_DELAY_MS);
  }

  private endPartialReply(content: string): void {
    const rest = [...this.partialReplies.value].filter(([, text]) => !content.startsWith(text.trim()));
    if (rest.length !== this.partialReplies.value.size) this.partialReplies.value = new Map(rest);
  }

  // --- Requests of the visitor

  /** Does what the visitor has asked for. The action itself shows why it failed. */
  async begin(action: VisitorAction): Promise<void> {
    this.begun.add(action);
    try {
      await action(this);
    } catch (error) {
      // The visitor is just being identified, or nobody takes over.
      if (error instanceof ApiError && error.status === 401) return;
    }
    this.begun.delete(action);
  }

  /** What the visitor has begun and the server has not confirmed, or may try again. Messages are in the outbox. */
  get unfinished(): VisitorAction[] {
    const [failed, error] = [this.failedUpload.value, this.error.value];
    if (!failed) return [...this.begun];
    const wait: VisitorAction = async (store) => {
      store.error.value = error;
      store.failedUpload.value = failed;
    };
    return [...this.begun, wait];
  }

  requestHandoff(): Promise<void> {
    return this.runWithError(async (store) => {
      store.connect();
      const { mode, conversation_id, queue } = await store.api.post("/chat/handoff", {
        lang: store.embed.language,
      });
      store.modeChanges += 1;
      store.setMode(mode);
      store.queue.value = queue ?? null;
      store.conversationId.value = conversation_id;
      store.setKnown(true);
      await store.loadConfig();
    });
  }

  /** Where what is typed in a form is stored. */
  formKey(kind: FormKind): string {
    return storageKey(this.embed.siteKey, `form-${kind}`);
  }

  /** Sends a form. Throws what the request throws. */
  async submitForm(kind: FormKind, { message, ...answers }: FormAnswers, messageId: string): Promise<void> {
    const body = { ...answers, lang: this.embed.language };
    this.error.value = "";
    try {
      if (kind === "prechat") await this.withRetry(() => this.api.post("/chat/form", body));
      else await this.leaveMessage({ ...body, message, message_id: messageId });
      this.email.value = String(answers.answers["email"] ?? this.email.value);
    } catch (error) {
      // What is wrong with a field is said next to it. Where the form is switched off by now, the chat is shown.
      const isExplained = error instanceof ApiError && (error.status === 422 || error.code === "form_off");
      if (!isExplained) this.error.value = strings.requestFailed;
      throw error;
    } finally {
      await this.loadConfig();
    }
  }

  private async leaveMessage(body: VisitorRequest<"/chat/offline-form">): Promise<void> {
    const sent = await this.withRetry(() => this.api.post("/chat/offline-form", body));
    this.isLeaving.value = false;
    this.notice.value = sent.confirmation ? "" : strings.messageLeft;
    this.modeChanges += 1;
    this.setMode(sent.mode);
    this.conversationId.value = sent.conversation_id;
    this.setKnown(true);
    this.connect();
    void this.loadHistory();
  }

  /** Remembers which conversation the visitor has rated. */
  setRated(id: string, rating: ParleyEvents["rating"]): void {
    this.ratedId.value = id;
    writeText(this.keys.rated, id);
    this.emit("rating", rating);
  }

  /** Tries what the visitor has asked for until the server has room, and shows that it failed. */
  runWithError(action: VisitorAction): Promise<void> {
    return this.begin(async (store) => {
      store.error.value = "";
      try {
        await store.withRetry(
          () => action(store),
          () => {
            store.error.value = strings.serverBusy;
          },
        );
        store.error.value = "";
      } catch (error) {
        store.error.value = strings.requestFailed;
        throw error;
      }
    });
  }

  /** Repeats a request while the server is busy, or `mayRetry` says so. */
  private async withRetry<T>(
    request: () => Promise<T>,
    onBusy?: () => void,
    mayRetry: (error: ApiError) => boolean = isBusy,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await request();
      } catch (error) {
        const isFinal = !(error instanceof ApiError) || !mayRetry(error) || attempt >= MAX_ATTEMPTS;
        if (isFinal || this.closing.signal.aborted) throw error;
        onBusy?.();
        await sleep(Math.max(1000 * error.retryAfterSeconds, backoffDelay(attempt)));
      }
    }
  }
}

const EPOCH = new Date(0).toISOString();

const isLater = (a: string, b: string): boolean => !b || Date.parse(a) > Date.parse(b);

/** An upload in progress: the share that has been sent, from 0 to 1. */
interface WidgetUpload {
  name: string;
  progress: number;
  cancel(): void;
}

function compareMessages(a: Message, b: Message): number {
  if (a.conversation_id === b.conversation_id) return a.seq - b.seq;
  return a.created_at < b.created_at ? -1 : 1;
}

/** The chat window, and the teaser of a message that arrived while it is closed. */
import { useSignal } from "@preact/signals";
import { Composer } from "./composer/composer";
import { locale, strings } from "./i18n/i18n";
import { direction } from "./i18n/language";
import { Icon } from "./icon";
import { lazyPart } from "./lazyPart";
import { MessageList } from "./messages/messageList";
import type { WidgetStore } from "./widgetStore";

const EndSession = lazyPart(async () => (await import("./forms/endSession")).EndSession);

const MAX_TEASER_CHARACTERS = 160;

export function Widget({ store }: { store: WidgetStore }) {
  const open = store.open.value;
  const teaser = store.teaser.value;
  return (
    <div dir={direction(locale.language)} lang={locale.language}>
      {open && <ChatWindow store={store} />}
      {!open && teaser && (
        <div class="teaser">
          <button type="button" class="teaser-text" dir="auto" onClick={() => store.show()}>
            {teaser.slice(0, MAX_TEASER_CHARACTERS)}
          </button>
          <button
            type="button"
            class="teaser-close"
            aria-label={strings.dismiss}
            onClick={() => store.dismissTeaser()}
          >
            <Icon name="close" size={14} />
          </button>
        </div>
      )}
    </div>
  );
}

function ChatWindow({ store }: { store: WidgetStore }) {
  const title = store.config.value?.name ?? strings.title;
  const isEnding = useSignal(false);
  const operator = store.mode.value === "operator" ? store.operator.value : null;
  return (
    <section
      class="window"
      role="dialog"
      aria-label={title}
      onKeyDown={(event) => event.key === "Escape" && store.hide()}
    >
      <header class="header">
        <span class="avatar" aria-hidden="true">
          {operator ? firstLetter(operator) : <Icon name="chat" />}
        </span>
        <div class="header-text">
          <h2 dir="auto">{operator || title}</h2>
          <p role="status">{statusText(store)}</p>
        </div>
        <button
          type="button"
          class="icon-button"
          aria-label={strings.sound}
          title={strings.sound}
          aria-pressed={store.sound.value}
          onClick={() => store.toggleSound()}
        >
          <Icon name={store.sound.value ? "sound" : "mute"} />
        </button>
        {store.messages.value.length > 0 && (
          <button
            type="button"
            class="icon-button"
            aria-label={strings.endSession}
            title={strings.endSession}
            onClick={() => (isEnding.value = !isEnding.value)}
          >
            <Icon name="exit" />
          </button>
        )}
        <button type="button" class="icon-button" aria-label={strings.closeChat} onClick={() => store.hide()}>
          <Icon name="close" />
        </button>
      </header>
      {isEnding.value && <EndSession store={store} onCancel={() => (isEnding.value = false)} />}
      {!store.connected.value && (
        <p class="banner" role="status">
          {strings.reconnecting}
        </p>
      )}
      <MessageList store={store} />
      {store.blocked.value ? (
        <p class="banner">{strings.blocked}</p>
      ) : store.form.value ? (
        store.error.value && (
          <p class="banner" role="alert">
            {store.error.value}
          </p>
        )
      ) : (
        <Composer store={store} />
      )}
    </section>
  );
}

const firstLetter = (name: string): string => [...name][0]?.toUpperCase() ?? "";

/** Who handles the conversation. */
function statusText({ mode, config }: WidgetStore): string {
  if (mode.value === "operator") return strings.team;
  if (mode.value === "pending") return strings.waiting;
  return config.value && mode.value === "closed" ? "" : strings.assistant;
}

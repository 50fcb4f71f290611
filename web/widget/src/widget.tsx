/** The widget's launcher button, and the chat window that it opens. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Composer } from "./composer/composer";
import { format, locale, strings } from "./i18n/i18n";
import { Icon } from "./icon";
import { MessageList } from "./messages/messageList";
import type { WidgetStore } from "./widgetStore";

const MAX_TEASER_CHARACTERS = 160;

export function Widget({ store, hasStyles }: { store: WidgetStore; hasStyles: boolean }) {
  const open = store.open.value;
  const teaser = store.teaser.value;
  const launcher = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(open);
  useEffect(() => {
    // A keyboard user who closes the window continues at the button.
    if (wasOpen.current && !open) launcher.current?.focus();
    wasOpen.current = open;
  }, [open]);
  return (
    <div
      class={open ? "root open" : "root"}
      dir={locale.isRightToLeft ? "rtl" : "ltr"}
      lang={locale.language}
    >
      {open && hasStyles && <ChatWindow store={store} />}
      {!open && teaser && (
        <button type="button" class="teaser" dir="auto" onClick={() => store.show()}>
          {teaser.slice(0, MAX_TEASER_CHARACTERS)}
        </button>
      )}
      <button
        ref={launcher}
        type="button"
        class="launcher"
        aria-expanded={open}
        aria-label={launcherLabel(open, store.unread.value)}
        onClick={() => (open ? store.hide() : store.show())}
      >
        <Icon name={open ? "down" : "chat"} size={26} />
        {!open && store.unread.value > 0 && (
          <span class="unread-count" aria-hidden="true">
            {store.unread.value}
          </span>
        )}
      </button>
    </div>
  );
}

function launcherLabel(open: boolean, unread: number): string {
  if (open) return strings.closeChat;
  return unread ? `${strings.openChat}, ${format(strings.unread, { n: unread })}` : strings.openChat;
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
      {isEnding.value && (
        <div class="confirm" role="group" aria-label={strings.endSession}>
          <p>{strings.endSessionConfirm}</p>
          <button type="button" class="primary-button" onClick={() => store.endSession()}>
            {strings.endSessionYes}
          </button>
          <button type="button" class="text-button" onClick={() => (isEnding.value = false)}>
            {strings.cancel}
          </button>
        </div>
      )}
      {!store.connected.value && (
        <p class="banner" role="status">
          {strings.reconnecting}
        </p>
      )}
      <MessageList store={store} />
      {store.blocked.value ? <p class="banner">{strings.blocked}</p> : <Composer store={store} />}
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

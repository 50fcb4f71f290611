/** What the visitor sees: the button, and the chat that it opens. */
import { useEffect, useRef } from "preact/hooks";
import { Composer } from "./composer";
import { Icon } from "./icon";
import { Log } from "./log";
import type { Store } from "./store";
import { fill, language, rightToLeft, words } from "./words";

export function Widget({ store }: { store: Store }) {
  const open = store.open.value;
  const launcher = useRef<HTMLButtonElement>(null);
  const was = useRef(open);
  useEffect(() => {
    // Whoever closes it with the keyboard goes on from the button.
    if (was.current && !open) launcher.current?.focus();
    was.current = open;
  }, [open]);
  return (
    <div class={open ? "root open" : "root"} dir={rightToLeft ? "rtl" : "ltr"} lang={language}>
      {open && <Panel store={store} />}
      {!open && store.teaser.value && (
        <button type="button" class="teaser" dir="auto" onClick={() => store.show()}>
          {store.teaser.value.slice(0, 160)}
        </button>
      )}
      <button
        ref={launcher}
        type="button"
        class="launcher"
        aria-expanded={open}
        aria-label={label(open, store.unread.value)}
        onClick={() => (open ? store.hide() : store.show())}
      >
        <Icon name={open ? "down" : "chat"} size={26} />
        {!open && store.unread.value > 0 && (
          <span class="count" aria-hidden="true">
            {store.unread.value}
          </span>
        )}
      </button>
    </div>
  );
}

function label(open: boolean, unread: number): string {
  if (open) return words.close;
  return unread ? `${words.open}, ${fill(words.unread, { n: unread })}` : words.open;
}

function Panel({ store }: { store: Store }) {
  const config = store.config.value;
  const mode = store.mode.value;
  return (
    <section
      class="panel"
      role="dialog"
      aria-label={config?.name ?? words.title}
      onKeyDown={(event) => event.key === "Escape" && store.hide()}
    >
      <header class="head">
        <span class="face" aria-hidden="true">
          {mode === "operator" ? first(store.operator.value) : <Icon name="chat" size={20} />}
        </span>
        <div class="who">
          <h2 dir="auto">
            {mode === "operator" && store.operator.value
              ? store.operator.value
              : (config?.name ?? words.title)}
          </h2>
          <p role="status">{standing(store)}</p>
        </div>
        <button type="button" class="plain" aria-label={words.close} onClick={() => store.hide()}>
          <Icon name="close" />
        </button>
      </header>
      {!store.live.value && (
        <p class="bar" role="status">
          {words.offline}
        </p>
      )}
      <Log store={store} />
      {store.blocked.value ? <p class="bar">{words.blocked}</p> : <Composer store={store} />}
    </section>
  );
}

const first = (name: string | null): string => [...(name ?? "")][0]?.toUpperCase() ?? "";

function standing(store: Store): string {
  const { mode, config } = store;
  if (mode.value === "operator") return words.team;
  if (mode.value === "pending") return words.waiting;
  return config.value && mode.value === "closed" ? "" : words.assistant;
}

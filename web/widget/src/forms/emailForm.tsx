/** Asks for the visitor's e-mail when no operator is available. */
import { useSignal } from "@preact/signals";
import { format } from "../i18n/i18n";
import { strings } from "../i18n/lateTexts";
import type { WidgetStore } from "../widgetStore";

export function EmailForm({ store }: { store: WidgetStore }) {
  const email = useSignal("");
  const name = useSignal("");
  const busy = useSignal(false);
  const offlineMessage = store.config.value?.offline_message || strings.nobodyThere;
  // The server also sends it as a message in the visitor's language: then it is not repeated here.
  const wasSent = store.messages.value.at(-1)?.role === "system";
  if (store.email.value) {
    return <p class="notice">{format(strings.emailSaved, { email: store.email.value })}</p>;
  }
  const submit = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    await saveEmail(store, email.value.trim(), name.value.trim());
    busy.value = false;
  };
  return (
    <form class="form-card" onSubmit={submit}>
      {!wasSent && <p dir="auto">{offlineMessage}</p>}
      <input
        type="email"
        required
        maxLength={254}
        autoComplete="email"
        aria-label={strings.yourEmail}
        placeholder={strings.yourEmail}
        value={email.value}
        onInput={(event) => (email.value = event.currentTarget.value)}
      />
      <input
        maxLength={200}
        autoComplete="name"
        aria-label={strings.yourName}
        placeholder={strings.yourName}
        dir="auto"
        value={name.value}
        onInput={(event) => (name.value = event.currentTarget.value)}
      />
      <button type="submit" class="primary-button" disabled={busy.value}>
        {strings.leaveEmail}
      </button>
    </form>
  );
}

/** The session that takes over, if the visitor is just being identified, saves it again. */
export const saveEmail = (store: WidgetStore, email: string, name: string): Promise<void> =>
  store.runWithError(async (current) => {
    await current.api.post("/chat/email", { email, ...(name && { name }) });
    current.email.value = email;
  });

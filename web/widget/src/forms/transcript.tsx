/** Lets the visitor keep the chat: as a file, and by e-mail where the site offers it. */
import { useSignal } from "@preact/signals";
import { ApiError, ensureOk } from "../../../shared/http";
import { saveFile } from "../../../shared/saveFile";
import { format, locale } from "../i18n/i18n";
import { strings } from "../i18n/lateTexts";
import type { WidgetStore } from "../widgetStore";

export function Transcript({ store }: { store: WidgetStore }) {
  const isOpen = useSignal(false);
  return (
    <>
      <button type="button" class="text-button" onClick={() => store.runWithError(download)}>
        {strings.downloadTranscript}
      </button>
      {store.config.value?.transcript_email && !isOpen.value && (
        <button type="button" class="text-button" onClick={() => (isOpen.value = true)}>
          {strings.emailTranscript}
        </button>
      )}
      {isOpen.value && <TranscriptForm store={store} />}
    </>
  );
}

/** Saves the conversation as a text file. */
async function download({ api }: WidgetStore): Promise<void> {
  const response = await ensureOk(await api.fetch("/chat/transcript", { lang: locale.language }));
  saveFile(await response.blob(), "chat.txt");
}

function TranscriptForm({ store }: { store: WidgetStore }) {
  const email = useSignal(store.email.value);
  const sentTo = useSignal("");
  const error = useSignal("");
  const busy = useSignal(false);
  if (sentTo.value)
    return (
      <p class="notice" role="status">
        {format(strings.transcriptSent, { email: sentTo.value })}
      </p>
    );
  const submit = async (event: Event) => {
    event.preventDefault();
    const address = email.value.trim();
    error.value = "";
    busy.value = true;
    try {
      await store.api.post("/chat/transcript/email", { email: address, lang: locale.language });
      sentTo.value = address;
    } catch (failure) {
      error.value = describeFailure(failure);
    }
    busy.value = false;
  };
  return (
    <form class="form-card" onSubmit={submit} aria-label={strings.emailTranscript}>
      <input
        type="email"
        required
        maxLength={254}
        autoComplete="email"
        aria-label={strings.yourEmail}
        placeholder={strings.yourEmail}
        value={email.value}
        onInput={(event) => (email.value = event.currentTarget.value)}
        ref={focusOnce}
      />
      {error.value && (
        <p class="notice" role="alert">
          {error.value}
        </p>
      )}
      <button type="submit" class="primary-button" disabled={busy.value}>
        {strings.send}
      </button>
    </form>
  );
}

/** The field is displayed because the visitor asked for it. */
function focusOnce(input: HTMLInputElement | null): void {
  if (input && !input.dataset["focused"]) {
    input.dataset["focused"] = "yes";
    input.focus();
    input.scrollIntoView({ block: "center" });
  }
}

function describeFailure(failure: unknown): string {
  if (!(failure instanceof ApiError)) return strings.requestFailed;
  if (failure.status === 422) return strings.emailInvalid;
  return failure.status === 429 ? strings.transcriptLimit : strings.requestFailed;
}

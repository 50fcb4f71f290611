/** Lets the visitor agree to what the AI wants to change for them, or refuse it. */
import type { Message } from "../../../shared/apiTypes";
import { strings } from "../i18n/lateTexts";
import type { WidgetStore } from "../widgetStore";

export function ConsentForm({ store, message }: { store: WidgetStore; message: Message }) {
  const confirmation = message.confirmation;
  if (!confirmation || Date.parse(confirmation.expires_at) < Date.now()) return null;
  return (
    <div class="form-card" role="group" aria-label={confirmation.title}>
      <button
        type="button"
        class="primary-button"
        onClick={() => store.sendMessage(strings.yes, "", null, { confirm: confirmation.id })}
      >
        {strings.yes}
      </button>
      <button type="button" class="text-button" onClick={() => store.sendMessage(strings.no)}>
        {strings.no}
      </button>
    </div>
  );
}

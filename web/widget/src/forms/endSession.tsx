/** Asks whether the chat is to be removed from this device. */
import { strings } from "../i18n/lateTexts";
import type { WidgetStore } from "../widgetStore";
import { Transcript } from "./transcript";

export function EndSession({ store, onCancel }: { store: WidgetStore; onCancel: () => void }) {
  return (
    <div class="confirm" role="group" aria-label={strings.endSession}>
      <p>{strings.endSessionConfirm}</p>
      <button type="button" class="primary-button" onClick={() => store.endSession()}>
        {strings.endSessionYes}
      </button>
      <Transcript store={store} />
      <button type="button" class="text-button" onClick={onCancel}>
        {strings.cancel}
      </button>
    </div>
  );
}

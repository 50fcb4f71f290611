/** What follows a closed conversation. */
import { RatingForm } from "../forms/ratingForm";
import { strings } from "../i18n/lateTexts";
import type { WidgetStore } from "../widgetStore";

export const ClosedStep = ({ store }: { store: WidgetStore }) => (
  <>
    <p class="notice">{strings.chatClosed}</p>
    <button type="button" class="text-button" onClick={() => store.downloadTranscript()}>
      {strings.downloadTranscript}
    </button>
    {store.messages.value.some((message) => message.role === "operator") && <RatingForm store={store} />}
  </>
);

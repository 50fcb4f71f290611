/** What follows a closed conversation. */
import { RatingForm } from "../forms/ratingForm";
import { Transcript } from "../forms/transcript";
import { strings } from "../i18n/lateTexts";
import type { WidgetStore } from "../widgetStore";

export const ClosedStep = ({ store }: { store: WidgetStore }) => (
  <>
    <p class="notice">{strings.chatClosed}</p>
    <Transcript store={store} />
    {store.messages.value.some((message) => message.role === "operator") && <RatingForm store={store} />}
  </>
);

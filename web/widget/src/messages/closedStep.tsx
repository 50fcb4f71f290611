/** What follows a closed conversation. */
import { RatingForm } from "../forms/ratingForm";
import { Transcript } from "../forms/transcript";
import { strings } from "../i18n/lateTexts";
import type { WidgetStore } from "../widgetStore";
import { LeaveMessage } from "./leaveMessage";

export const ClosedStep = ({ store }: { store: WidgetStore }) => (
  <>
    <p class="notice">{strings.chatClosed}</p>
    <Transcript store={store} />
    {store.messages.value.some((message) => message.role === "operator") && <RatingForm store={store} />}
    {store.config.value?.offline_form && !store.blocked.value && !store.form.value && (
      <LeaveMessage store={store} />
    )}
  </>
);

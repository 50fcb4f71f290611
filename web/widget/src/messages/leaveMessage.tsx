/** The button that shows the form by which visitors leave a message, where the site has switched it on. */
import { strings } from "../i18n/i18n";
import type { WidgetStore } from "../widgetStore";

export const LeaveMessage = ({ store }: { store: WidgetStore }) => (
  <button type="button" class="handoff-button" onClick={() => (store.isLeaving.value = true)}>
    {strings.leaveMessage}
  </button>
);

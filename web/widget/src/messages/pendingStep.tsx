/** What a visitor sees who waits for a person: the place in the queue, or a form when nobody is there. */
import { EmailForm } from "../forms/emailForm";
import { format } from "../i18n/i18n";
import { strings } from "../i18n/lateTexts";
import type { WidgetStore } from "../widgetStore";

export function PendingStep({ store }: { store: WidgetStore }) {
  const { operators_online: isAttended, open: isOpen } = store.config.value ?? {};
  return isAttended === false || isOpen === false ? <EmailForm store={store} /> : <Waiting store={store} />;
}

/** The place in the queue, and how long others waited in the last hour. */
function Waiting({ store }: { store: WidgetStore }) {
  const queue = store.queue.value;
  const wait = queue?.estimated_wait_seconds;
  return (
    <p class="notice" role="status">
      {strings.waiting}
      {queue && (
        <>
          <br />
          {format(strings.queuePosition, { n: queue.position })}
        </>
      )}
      {queue && typeof wait === "number" && (
        <> {format(strings.queueWait, { n: Math.max(1, Math.round(wait / 60)) })}</>
      )}
    </p>
  );
}

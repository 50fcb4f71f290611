/** Snoozing a conversation: the choices of a time, and the bar above one that is snoozed. */
import { useSignal } from "@preact/signals";
import type { Conversation } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { runWithToast } from "../components/toasts";
import { formatDateTime } from "../i18n/formats";
import { type TextKey, t } from "../i18n/i18n";
import { mergeConversations } from "../inbox/conversations";

const MORNING_HOUR = 9;
const LATER_HOURS = 3;
const MONDAY = 1;

/** The times that the menu offers, seen from `at`, in the time zone of the browser. */
export function snoozeChoices(at: Date): { key: TextKey; until: Date }[] {
  const later = new Date(at);
  later.setHours(later.getHours() + LATER_HOURS, 0, 0, 0);
  const tomorrow = new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1, MORNING_HOUR);
  const daysToMonday = (MONDAY + 7 - at.getDay()) % 7 || 7;
  const nextWeek = new Date(at.getFullYear(), at.getMonth(), at.getDate() + daysToMonday, MORNING_HOUR);
  return [
    { key: "labels.snoozeLater", until: later },
    { key: "labels.snoozeTomorrow", until: tomorrow },
    { key: "labels.snoozeNextWeek", until: nextWeek },
  ];
}

export async function snooze(id: number, until: Date): Promise<void> {
  const options = { path: { id }, body: { until: until.toISOString() } };
  await runWithToast(
    async () =>
      mergeConversations([(await api.put("/operator/conversation/{id}/snooze", options)).conversation]),
    t("labels.snoozedToast", { time: formatDateTime(until.toISOString()) }),
  );
}

async function unsnooze(id: number): Promise<void> {
  await runWithToast(async () => {
    const changed = await api.delete("/operator/conversation/{id}/snooze", { path: { id } });
    mergeConversations([changed.conversation]);
  });
}

/** The content of a menu that asks until when. */
export function SnoozeMenu({ onChoose }: { onChoose: (until: Date) => void }) {
  const custom = useSignal("");
  const time = new Date(custom.value);
  const isValid = time.getTime() > Date.now();
  return (
    <>
      {snoozeChoices(new Date()).map(({ key, until }) => (
        <button key={key} type="button" onClick={() => onChoose(until)}>
          <span>{t(key)}</span>
          <span>{formatDateTime(until.toISOString())}</span>
        </button>
      ))}
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (isValid) onChoose(time);
        }}
      >
        <input
          type="datetime-local"
          aria-label={t("labels.snoozeCustom")}
          value={custom.value}
          onInput={(event) => {
            custom.value = event.currentTarget.value;
          }}
        />
        <button type="submit" disabled={!isValid}>
          {t("labels.snoozeCustom")}
        </button>
      </form>
    </>
  );
}

export function SnoozeBar({ conversation, mayEnd }: { conversation: Conversation; mayEnd: boolean }) {
  if (!conversation.snoozed_until) return null;
  return (
    <p class="snooze-bar" role="status">
      <span class="grow">
        {t("labels.snoozedUntil", { time: formatDateTime(conversation.snoozed_until) })}
      </span>
      {mayEnd && (
        <button type="button" class="button small" onClick={() => unsnooze(conversation.id)}>
          {t("labels.snoozeEnd")}
        </button>
      )}
    </p>
  );
}

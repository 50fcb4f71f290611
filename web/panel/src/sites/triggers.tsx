/** A site's triggers: their order, whether they are on, and what became of them. */
import "./triggers.css";
import { useSignal } from "@preact/signals";
import type { Trigger } from "../../../shared/apiTypes";
import { markdownToText } from "../../../shared/markdown";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { IconButton, Switch } from "../components/controls";
import { EmptyState, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { submitForm } from "../components/forms";
import { Icon } from "../components/icon";
import { confirmAction } from "../components/toasts";
import { formatNumber } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { QuickReplyChips } from "../quickReplies/chips";
import type { Site } from "./sites";
import { PreviewDialog, TriggerDialog } from "./triggerDialogs";

const LIST = "/sites/{site_id}/triggers";
const TRIGGER = "/sites/{site_id}/triggers/{trigger_id}";
const DAYS = 30;

interface Sums {
  shown: number;
  opened: number;
  answered: number;
}

export function Triggers({ site }: { site: Site }) {
  const path = { site_id: site.id };
  const fetched = useFetch(`triggers/${site.id}`, () => api.get(LIST, { path }));
  const counts = useFetch(`trigger-counts/${site.id}`, () =>
    api.get("/sites/{site_id}/trigger-counts", { path, query: { days: DAYS } }),
  );
  const editing = useSignal<Trigger | "new" | null>(null);
  const previewed = useSignal<Trigger | null>(null);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const change = (save: () => Promise<unknown>, text: string) =>
    submitForm(
      busy,
      errors,
      async () => {
        await save();
        await fetched.reload();
      },
      text,
    );
  const remove = async (trigger: Trigger) => {
    const confirmed = await confirmAction({
      title: t("triggers.deleteTitle", { name: trigger.name }),
      text: t("triggers.deleteText"),
      confirmLabel: t("common.delete"),
      destructive: true,
    });
    const one = { ...path, trigger_id: trigger.id };
    if (confirmed) await change(() => api.delete(TRIGGER, { path: one }), t("triggers.deleted"));
  };
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!fetched.value) return <Spinner />;
  const triggers = fetched.value.triggers as Trigger[];
  const moveUp = (index: number) => {
    const ids = triggers.map((trigger) => trigger.id);
    const [moved] = ids.splice(index, 1);
    if (moved) ids.splice(index - 1, 0, moved);
    void change(() => api.put("/sites/{site_id}/trigger-order", { path, body: { trigger_ids: ids } }), "");
  };
  const sums = sumUp(counts.value?.counts ?? []);
  return (
    <div class="stack">
      <div class="form-row">
        <p class="muted">{t("triggers.hint")}</p>
        <span class="grow" />
        <button type="button" class="button" onClick={() => (editing.value = "new")}>
          <Icon name="plus" size={16} /> {t("triggers.add")}
        </button>
      </div>
      {triggers.length === 0 && (
        <EmptyState icon="bolt" title={t("triggers.none")}>
          {t("triggers.noneText")}
        </EmptyState>
      )}
      <ul class="triggers">
        {triggers.map((trigger, index) => (
          <li key={trigger.id}>
            <div class="trigger-text">
              <strong dir="auto">{trigger.name}</strong>
              <p dir="auto">{markdownToText(trigger.message)}</p>
              <QuickReplyChips replies={trigger.quick_replies} />
              <p class="muted">{describeConditions(trigger).join(" · ")}</p>
            </div>
            <Counts sums={sums.get(trigger.id)} />
            <div class="trigger-actions">
              <Switch
                on={trigger.enabled}
                label={t("triggers.enabled", { name: trigger.name })}
                onChange={(enabled) =>
                  void change(
                    () =>
                      api.put(TRIGGER, {
                        path: { ...path, trigger_id: trigger.id },
                        body: { ...trigger, enabled },
                      }),
                    t("common.saved"),
                  )
                }
              />
              {index > 0 && (
                <button
                  type="button"
                  class="icon-button"
                  aria-label={t("triggers.moveUp", { name: trigger.name })}
                  title={t("triggers.moveUp", { name: trigger.name })}
                  disabled={busy.value}
                  onClick={() => moveUp(index)}
                >
                  <span aria-hidden="true">↑</span>
                </button>
              )}
              <IconButton
                icon="globe"
                label={t("triggers.preview", { name: trigger.name })}
                onClick={() => (previewed.value = trigger)}
              />
              <IconButton
                icon="pencil"
                label={t("triggers.edit", { name: trigger.name })}
                onClick={() => (editing.value = trigger)}
              />
              <IconButton
                icon="trash"
                label={t("triggers.delete", { name: trigger.name })}
                onClick={() => remove(trigger)}
              />
            </div>
          </li>
        ))}
      </ul>
      {triggers.length > 0 && <p class="muted">{t("triggers.period", { days: DAYS })}</p>}
      {editing.value && (
        <TriggerDialog
          site={site}
          trigger={editing.value === "new" ? null : editing.value}
          onClose={() => (editing.value = null)}
          onSaved={() => {
            editing.value = null;
            void fetched.reload();
          }}
        />
      )}
      {previewed.value && (
        <PreviewDialog site={site} trigger={previewed.value} onClose={() => (previewed.value = null)} />
      )}
    </div>
  );
}

function Counts({ sums = { shown: 0, opened: 0, answered: 0 } }: { sums: Sums | undefined }) {
  const rate = (part: number) =>
    sums.shown ? ` (${formatNumber(part / sums.shown, { style: "percent" })})` : "";
  return (
    <dl class="trigger-counts">
      <div>
        <dt>{t("triggers.shown")}</dt>
        <dd>{formatNumber(sums.shown)}</dd>
      </div>
      <div>
        <dt>{t("triggers.opened")}</dt>
        <dd>
          {formatNumber(sums.opened)}
          {rate(sums.opened)}
        </dd>
      </div>
      <div>
        <dt>{t("triggers.answered")}</dt>
        <dd>
          {formatNumber(sums.answered)}
          {rate(sums.answered)}
        </dd>
      </div>
    </dl>
  );
}

function sumUp(counts: readonly (Sums & { trigger_id: number })[]): ReadonlyMap<number, Sums> {
  const sums = new Map<number, Sums>();
  for (const { trigger_id, shown, opened, answered } of counts) {
    const before = sums.get(trigger_id) ?? { shown: 0, opened: 0, answered: 0 };
    sums.set(trigger_id, {
      shown: before.shown + shown,
      opened: before.opened + opened,
      answered: before.answered + answered,
    });
  }
  return sums;
}

/** The conditions that ask for something, in short. */
function describeConditions(trigger: Trigger): string[] {
  const {
    include_pages: pages,
    exclude_pages: excluded,
    seconds,
    scroll_percent,
    visitors,
    hours,
    operators,
    frequency,
  } = trigger;
  return [
    pages.length ? pages.join(" ") : t("triggers.allPages"),
    excluded.length ? t("triggers.except", { pages: excluded.join(" ") }) : "",
    seconds ? t("triggers.afterSeconds", { seconds }) : "",
    scroll_percent ? t("triggers.scrolled", { percent: scroll_percent }) : "",
    trigger.exit_intent ? t("triggers.leaving") : "",
    visitors === "all" ? "" : t(`triggers.visitors_${visitors}`),
    hours === "any" ? "" : t(`triggers.hours_${hours}`),
    operators === "any" ? "" : t(`triggers.operators_${operators}`),
    trigger.languages.join(", "),
    t(`triggers.frequency_${frequency}`),
  ].filter(Boolean);
}

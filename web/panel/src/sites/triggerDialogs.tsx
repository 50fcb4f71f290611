/** The dialogs that change a trigger, and that try it on a page. */
import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Trigger, TriggerDraft } from "../../../shared/apiTypes";
import { matchesPage } from "../../../shared/pagePattern";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { Field, Switch } from "../components/controls";
import { Dialog, DialogActions } from "../components/dialog";
import { FetchError } from "../components/fetchError";
import { submitForm } from "../components/forms";
import { t } from "../i18n/i18n";
import { QuickReplyEditor } from "../quickReplies/editor";
import { toQuickReplies, toRows } from "../quickReplies/rows";
import type { Site } from "./sites";

const NEW: TriggerDraft = {
  name: "",
  message: "",
  enabled: false,
  include_pages: [],
  exclude_pages: [],
  seconds: 10,
  scroll_percent: 0,
  exit_intent: false,
  visitors: "all",
  hours: "any",
  operators: "any",
  languages: [],
  frequency: "visit",
  interval_hours: 24,
  quick_replies: [],
};

interface TriggerDialogProps {
  site: Site;
  /** Null for a new one. */
  trigger: Trigger | null;
  onClose: () => void;
  onSaved: () => void;
}

interface PartProps {
  draft: Signal<TriggerDraft>;
  errors: Record<string, string>;
}

export function TriggerDialog({ site, trigger, onClose, onSaved }: TriggerDialogProps) {
  const draft = useSignal<TriggerDraft>(trigger ?? NEW);
  const replies = useSignal(toRows(trigger?.quick_replies));
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const body = { ...draft.value, quick_replies: toQuickReplies(replies.value) };
    const path = { site_id: site.id };
    const save = () =>
      trigger
        ? api.put("/sites/{site_id}/triggers/{trigger_id}", {
            path: { ...path, trigger_id: trigger.id },
            body,
          })
        : api.post("/sites/{site_id}/triggers", { path, body });
    if (await submitForm(busy, errors, save, t("common.saved"))) onSaved();
  };
  const parts = { draft, errors: errors.value };
  return (
    <Dialog
      wide
      title={trigger ? t("triggers.edit", { name: trigger.name }) : t("triggers.add")}
      onClose={onClose}
    >
      <form class="stack" onSubmit={submit}>
        <MessageFields {...parts} />
        <QuickReplyEditor rows={replies.value} onChange={(rows) => (replies.value = rows)} />
        {errors.value["quick_replies"] && <p class="error-text">{errors.value["quick_replies"]}</p>}
        <PageFields {...parts} address={firstAddress(site)} />
        <BehaviourFields {...parts} />
        <AvailabilityFields {...parts} />
        <Switch
          on={draft.value.enabled}
          label={t("triggers.live")}
          onChange={(enabled) => (draft.value = { ...draft.value, enabled })}
        />
        <DialogActions onCancel={onClose}>
          <button type="submit" class="button primary" disabled={busy.value}>
            {t("common.save")}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function MessageFields({ draft, errors }: PartProps) {
  return (
    <>
      <Field label={t("triggers.name")} error={errors["name"]}>
        <input
          required
          maxLength={100}
          dir="auto"
          value={draft.value.name}
          onInput={(event) => (draft.value = { ...draft.value, name: event.currentTarget.value })}
        />
      </Field>
      <Field label={t("triggers.message")} hint={t("triggers.messageHint")} error={errors["message"]}>
        <textarea
          rows={3}
          required
          maxLength={1000}
          dir="auto"
          value={draft.value.message}
          onInput={(event) => (draft.value = { ...draft.value, message: event.currentTarget.value })}
        />
      </Field>
    </>
  );
}

/** On which pages, with an address to test the patterns. */
function PageFields({ draft, errors, address }: PartProps & { address: string }) {
  const tested = useSignal(address);
  const { include_pages: included, exclude_pages: excluded } = draft.value;
  const matches =
    (!included.length || included.some((pattern) => matchesPage(tested.value, pattern))) &&
    !excluded.some((pattern) => matchesPage(tested.value, pattern));
  return (
    <fieldset>
      <legend>{t("triggers.pages")}</legend>
      <div class="columns">
        <Field
          label={t("triggers.includePages")}
          hint={t("triggers.patternHint")}
          error={errors["include_pages"]}
        >
          <Lines
            values={included}
            change={(include_pages) => (draft.value = { ...draft.value, include_pages })}
          />
        </Field>
        <Field label={t("triggers.excludePages")} error={errors["exclude_pages"]}>
          <Lines
            values={excluded}
            change={(exclude_pages) => (draft.value = { ...draft.value, exclude_pages })}
          />
        </Field>
      </div>
      <Field label={t("triggers.testAddress")}>
        <input
          type="url"
          dir="ltr"
          value={tested.value}
          onInput={(event) => (tested.value = event.currentTarget.value)}
        />
      </Field>
      <p class="muted" role="status">
        {matches ? t("triggers.testMatches") : t("triggers.testDiffers")}
      </p>
    </fieldset>
  );
}

/** What the visitor does, and how often it is shown. */
function BehaviourFields({ draft, errors }: PartProps) {
  const change = (fields: Partial<TriggerDraft>) => {
    draft.value = { ...draft.value, ...fields };
  };
  const { seconds, scroll_percent, exit_intent, visitors, frequency, interval_hours } = draft.value;
  return (
    <fieldset>
      <legend>{t("triggers.behaviour")}</legend>
      <div class="columns">
        <Field label={t("triggers.seconds")} error={errors["seconds"]}>
          <Count value={seconds} max={3600} change={(value) => change({ seconds: value })} />
        </Field>
        <Field label={t("triggers.scroll")} error={errors["scroll_percent"]}>
          <Count value={scroll_percent} max={100} change={(value) => change({ scroll_percent: value })} />
        </Field>
      </div>
      <Switch
        on={exit_intent}
        label={t("triggers.exitIntent")}
        onChange={(value) => change({ exit_intent: value })}
      />
      <div class="columns">
        <Choice
          label={t("triggers.visitors")}
          value={visitors}
          change={(value) => change({ visitors: value as TriggerDraft["visitors"] })}
        >
          <option value="all">{t("triggers.visitors_all")}</option>
          <option value="new">{t("triggers.visitors_new")}</option>
          <option value="returning">{t("triggers.visitors_returning")}</option>
        </Choice>
        <Choice
          label={t("triggers.frequency")}
          value={frequency}
          change={(value) => change({ frequency: value as TriggerDraft["frequency"] })}
        >
          <option value="visit">{t("triggers.frequency_visit")}</option>
          <option value="visitor">{t("triggers.frequency_visitor")}</option>
          <option value="interval">{t("triggers.frequency_interval")}</option>
        </Choice>
        {frequency === "interval" && (
          <Field label={t("triggers.intervalHours")} error={errors["interval_hours"]}>
            <Count
              value={interval_hours}
              min={1}
              max={8760}
              change={(value) => change({ interval_hours: value })}
            />
          </Field>
        )}
      </div>
    </fieldset>
  );
}

/** When the team is there, and for whom it can write. */
function AvailabilityFields({ draft, errors }: PartProps) {
  const change = (fields: Partial<TriggerDraft>) => {
    draft.value = { ...draft.value, ...fields };
  };
  const { hours, operators, languages } = draft.value;
  return (
    <fieldset>
      <legend>{t("triggers.availability")}</legend>
      <div class="columns">
        <Choice
          label={t("triggers.hours")}
          value={hours}
          change={(value) => change({ hours: value as TriggerDraft["hours"] })}
        >
          <option value="any">{t("triggers.hours_any")}</option>
          <option value="open">{t("triggers.hours_open")}</option>
          <option value="closed">{t("triggers.hours_closed")}</option>
        </Choice>
        <Choice
          label={t("triggers.operators")}
          value={operators}
          change={(value) => change({ operators: value as TriggerDraft["operators"] })}
        >
          <option value="any">{t("triggers.operators_any")}</option>
          <option value="online">{t("triggers.operators_online")}</option>
          <option value="offline">{t("triggers.operators_offline")}</option>
        </Choice>
        <Field label={t("triggers.languages")} hint={t("triggers.languagesHint")} error={errors["languages"]}>
          <input
            dir="ltr"
            defaultValue={languages.join(", ")}
            onChange={(event) =>
              change({ languages: splitText(event.currentTarget.value.toLowerCase(), ",") })
            }
          />
        </Field>
      </div>
    </fieldset>
  );
}

interface PreviewDialogProps {
  site: Site;
  trigger: Trigger;
  onClose: () => void;
}

/** Opens a page of the site that shows the trigger to nobody else. */
export function PreviewDialog({ site, trigger, onClose }: PreviewDialogProps) {
  const address = useSignal(firstAddress(site));
  const fetched = useFetch(`trigger-preview/${trigger.id}`, () =>
    api.post("/sites/{site_id}/triggers/{trigger_id}/preview", {
      path: { site_id: site.id, trigger_id: trigger.id },
    }),
  );
  const href = fetched.value && withPreview(address.value, fetched.value.token);
  return (
    <Dialog title={t("triggers.preview", { name: trigger.name })} onClose={onClose}>
      <div class="stack">
        <p class="muted">{t("triggers.previewHint")}</p>
        {fetched.error && <FetchError fetched={fetched} />}
        <Field label={t("triggers.previewAddress")}>
          <input
            type="url"
            dir="ltr"
            value={address.value}
            onInput={(event) => (address.value = event.currentTarget.value)}
          />
        </Field>
        <DialogActions onCancel={onClose}>
          {href && (
            <a class="button primary" href={href} target="_blank" rel="noopener noreferrer">
              {t("triggers.previewOpen")}
            </a>
          )}
        </DialogActions>
      </div>
    </Dialog>
  );
}

/** The address with the token; undefined unless it is one of a page. */
function withPreview(address: string, token: string): string | undefined {
  try {
    const url = new URL(address);
    url.searchParams.set("parley_preview", token);
    return /^https?:$/.test(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

const firstAddress = ({ domains, site_key }: Site): string =>
  domains[0]
    ? `https://${domains[0].replace("*.", "www.")}/`
    : `${location.origin}/demo?site_key=${encodeURIComponent(site_key)}`;

interface LinesProps {
  values: readonly string[];
  change: (values: string[]) => void;
}

function Lines({ values, change }: LinesProps) {
  return (
    <textarea
      rows={3}
      dir="ltr"
      defaultValue={values.join("\n")}
      onInput={(event) => change(splitText(event.currentTarget.value, "\n"))}
    />
  );
}

const splitText = (text: string, separator: string): string[] =>
  text
    .split(separator)
    .map((part) => part.trim())
    .filter(Boolean);

interface CountProps {
  value: number;
  min?: number;
  max: number;
  change: (value: number) => void;
}

const Count = ({ value, min = 0, max, change }: CountProps) => (
  <input
    type="number"
    required
    min={min}
    max={max}
    value={value}
    onInput={(event) => change(Math.round(event.currentTarget.valueAsNumber || 0))}
  />
);

interface ChoiceProps {
  label: string;
  value: string;
  change: (value: string) => void;
  children: ComponentChildren;
}

const Choice = ({ label, value, change, children }: ChoiceProps) => (
  <Field label={label}>
    <select value={value} onChange={(event) => change(event.currentTarget.value)}>
      {children}
    </select>
  </Field>
);

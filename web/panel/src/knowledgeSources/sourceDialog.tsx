/** Adds or changes a knowledge source. */

import { type Signal, useSignal } from "@preact/signals";
import type { KnowledgeSource } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { Field, Switch } from "../components/controls";
import { Dialog, DialogActions } from "../components/dialog";
import { submitForm } from "../components/forms";
import { t } from "../i18n/i18n";
import {
  hasPages,
  KINDS,
  SCHEDULES,
  type Schedule,
  SOURCE,
  SOURCES,
  type SourceKind,
  takesFiles,
} from "./sources";

interface SourceDialogProps {
  siteId: number;
  /** Null for a new source. */
  source: KnowledgeSource | null;
  onClose: () => void;
  onSaved: () => void;
}

interface Draft {
  kind: SourceKind;
  name: string;
  url: string;
  maxDepth: number;
  maxPages: number;
  schedule: Schedule;
  review: boolean;
  enabled: boolean;
  questionColumn: string;
  answerColumn: string;
}

const toDraft = (source: KnowledgeSource | null): Draft => ({
  kind: source?.kind ?? "crawl",
  name: source?.name ?? "",
  url: source?.url ?? "",
  maxDepth: source?.max_depth ?? 3,
  maxPages: source?.max_pages ?? 200,
  schedule: source?.schedule ?? "weekly",
  review: source?.review ?? false,
  enabled: source?.enabled ?? true,
  questionColumn: source?.question_column ?? "",
  answerColumn: source?.answer_column ?? "",
});

export function SourceDialog({ siteId, source, onClose, onSaved }: SourceDialogProps) {
  const draft = useSignal(toDraft(source));
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (await submitForm(busy, errors, () => save(siteId, source, draft.value), t("common.saved"))) onSaved();
  };
  const set = (change: Partial<Draft>) => {
    draft.value = { ...draft.value, ...change };
  };
  const { kind, name, url, schedule, review, enabled } = draft.value;
  return (
    <Dialog title={source ? t("sources.editTitle") : t("sources.addTitle")} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        {!source && (
          <Field label={t("sources.kind")}>
            <select value={kind} onChange={(event) => set({ kind: event.currentTarget.value as SourceKind })}>
              {KINDS.map((one) => (
                <option key={one} value={one}>
                  {t(`sources.kind_${one}`)}
                </option>
              ))}
            </select>
          </Field>
        )}
        <Field label={t("common.name")} error={errors.value["name"]}>
          <input
            required
            maxLength={100}
            dir="auto"
            value={name}
            onInput={(event) => set({ name: event.currentTarget.value })}
          />
        </Field>
        {!takesFiles(kind) && !source && (
          <Field label={t("sources.url")} error={errors.value["url"]}>
            <input
              type="url"
              required
              dir="ltr"
              placeholder="https://"
              value={url}
              onInput={(event) => set({ url: event.currentTarget.value })}
            />
          </Field>
        )}
        <KindFields draft={draft} errors={errors} set={set} />
        {!takesFiles(kind) && (
          <Field label={t("sources.schedule")} error={errors.value["schedule"]}>
            <select
              value={schedule}
              onChange={(event) => set({ schedule: event.currentTarget.value as Schedule })}
            >
              {SCHEDULES.map((one) => (
                <option key={one} value={one}>
                  {t(`sources.schedule_${one}`)}
                </option>
              ))}
            </select>
          </Field>
        )}
        <Switch on={review} label={t("sources.review")} onChange={(on) => set({ review: on })} />
        {source && (
          <Switch on={enabled} label={t("sources.enabled")} onChange={(on) => set({ enabled: on })} />
        )}
        <DialogActions onCancel={onClose}>
          <button type="submit" class="button primary" disabled={busy.value}>
            {t("common.save")}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface KindFieldsProps {
  draft: Signal<Draft>;
  errors: Signal<Record<string, string>>;
  set: (change: Partial<Draft>) => void;
}

function KindFields({ draft, errors, set }: KindFieldsProps) {
  const { kind, maxDepth, maxPages, questionColumn, answerColumn } = draft.value;
  return (
    <>
      {kind === "crawl" && (
        <Field label={t("sources.maxDepth")} error={errors.value["max_depth"]}>
          <input
            type="number"
            min={0}
            max={10}
            value={maxDepth}
            onInput={(event) => set({ maxDepth: event.currentTarget.valueAsNumber })}
          />
        </Field>
      )}
      {hasPages(kind) && (
        <Field label={t("sources.maxPages")} error={errors.value["max_pages"]}>
          <input
            type="number"
            min={1}
            max={2000}
            value={maxPages}
            onInput={(event) => set({ maxPages: event.currentTarget.valueAsNumber })}
          />
        </Field>
      )}
      {kind === "csv" && (
        <>
          <Field label={t("sources.questionColumn")} hint={t("sources.columnHint")}>
            <input
              maxLength={100}
              dir="auto"
              value={questionColumn}
              onInput={(event) => set({ questionColumn: event.currentTarget.value })}
            />
          </Field>
          <Field label={t("sources.answerColumn")}>
            <input
              maxLength={100}
              dir="auto"
              value={answerColumn}
              onInput={(event) => set({ answerColumn: event.currentTarget.value })}
            />
          </Field>
        </>
      )}
    </>
  );
}

function save(siteId: number, source: KnowledgeSource | null, draft: Draft): Promise<unknown> {
  const body = {
    name: draft.name,
    max_depth: draft.maxDepth,
    max_pages: draft.maxPages,
    schedule: takesFiles(draft.kind) ? ("manual" as const) : draft.schedule,
    review: draft.review,
    question_column: draft.questionColumn.trim() || null,
    answer_column: draft.answerColumn.trim() || null,
  };
  if (source) {
    const path = { site_id: siteId, source_id: source.id };
    return api.put(SOURCE, { path, body: { ...body, enabled: draft.enabled } });
  }
  const url = takesFiles(draft.kind) ? null : draft.url.trim();
  return api.post(SOURCES, { path: { site_id: siteId }, body: { ...body, kind: draft.kind, url } });
}

/** Reports that an answer of the assistant is wrong: the passages that it cites, and the right answer. */

import { useSignal } from "@preact/signals";
import type { Message } from "../../../shared/apiTypes";
import { ApiError } from "../../../shared/http";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { Field } from "../components/controls";
import { Dialog, DialogActions } from "../components/dialog";
import { ExternalLink, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { submitForm } from "../components/forms";
import { t } from "../i18n/i18n";
import { routeHref } from "../navigation/route";
import { hasPermission } from "../sites/sites";
import "./corrections.css";
import { AffectedConversations } from "./affectedConversations";
import { APPLY, type CitedPassage, CORRECTIONS, PASSAGES } from "./corrections";

interface WrongAnswerProps {
  /** The assistant's. */
  message: Message;
  siteId: number;
  onClose: () => void;
}

export function WrongAnswer({ message, siteId, onClose }: WrongAnswerProps) {
  const fetched = useFetch(`passages/${message.id}`, () =>
    api.get(PASSAGES, {
      path: { site_id: siteId },
      query: { conversation_id: message.conversation_id, seq: message.seq },
    }),
  );
  const saved = useSignal<number | null>(null);
  const answered = fetched.value;
  return (
    <Dialog title={t("corrections.wrongAnswer")} onClose={onClose} wide>
      {fetched.error && <FetchError fetched={fetched} />}
      {!fetched.error && !answered && <Spinner />}
      {answered && saved.value === null && (
        <div class="stack">
          <Passages siteId={siteId} passages={answered.passages} />
          <CorrectionForm
            message={message}
            siteId={siteId}
            question={answered.question}
            passages={answered.passages}
            onEntryChanged={fetched.reload}
            onCancel={onClose}
            onSaved={(id) => (saved.value = id)}
          />
        </div>
      )}
      {saved.value !== null && (
        <div class="stack">
          <AffectedConversations siteId={siteId} correctionId={saved.value} />
          <div class="dialog-actions">
            <button type="button" class="button primary" onClick={onClose}>
              {t("common.close")}
            </button>
          </div>
        </div>
      )}
    </Dialog>
  );
}

function Passages({ siteId, passages }: { siteId: number; passages: readonly CitedPassage[] }) {
  if (!passages.length) return <p class="muted">{t("corrections.noPassages")}</p>;
  const canManage = hasPermission(siteId, "can_manage");
  return (
    <section aria-label={t("corrections.passages")}>
      <h3>{t("corrections.passages")}</h3>
      <ul class="cited-passages">
        {passages.map((passage) => (
          <li key={`${passage.kind}:${passage.source_id}:${passage.text}`}>
            <strong dir="auto">{passage.title || t("corrections.state_gone")}</strong>
            {passage.state === "changed" && <span class="tag warn">{t("corrections.state_changed")}</span>}
            {passage.text && <p dir="auto">{passage.text}</p>}
            <span class="passage-links">
              {passage.url && <ExternalLink url={passage.url}>{t("corrections.openPage")}</ExternalLink>}
              {canManage && passage.state !== "gone" && (
                <a href={routeHref("sites", siteId, "knowledge")}>{t("corrections.editSource")}</a>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface CorrectionFormProps {
  message: Message;
  siteId: number;
  question: string;
  passages: readonly CitedPassage[];
  /** Reads the passages again: somebody else has changed the entry. */
  onEntryChanged: () => Promise<void>;
  onCancel: () => void;
  onSaved: (correctionId: number) => void;
}

/** What a correction does to the knowledge, besides an entry that it changes, by its id. */
const ONLY_REPORT = "report";
const NEW_ENTRY = "new";

/** Somebody else has changed the entry, or deleted it. */
const ENTRY_CONFLICTS = ["entry_changed", "not_found"];

/** A report that is stored, and what it says. */
interface Reported {
  id: number;
  text: string;
}

function CorrectionForm(props: CorrectionFormProps) {
  const { message, siteId, question, passages, onCancel, onSaved } = props;
  const canManage = hasPermission(siteId, "can_manage");
  const entries = passages.filter((one) => one.kind === "knowledge" && one.state !== "gone");
  const note = useSignal("");
  const answer = useSignal("");
  const target = useSignal(entries[0] ? String(entries[0].source_id) : canManage ? NEW_ENTRY : ONLY_REPORT);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const reported = useSignal<Reported | null>(null);
  const hasConflict = useSignal(false);
  // An entry that somebody has deleted meanwhile is no longer offered.
  const isOffered =
    [NEW_ENTRY, ONLY_REPORT].includes(target.value) ||
    entries.some((one) => String(one.source_id) === target.value);
  const chosen = isOffered ? target.value : NEW_ENTRY;
  /** Once for each text: the server replaces a report of the same answer that is not applied yet. */
  const report = async (): Promise<number> => {
    const { conversation_id, seq } = message;
    const body = { conversation_id, seq, note: note.value.trim(), right_answer: answer.value.trim() };
    const text = JSON.stringify(body);
    if (reported.value?.text !== text) {
      const { correction } = await api.post(CORRECTIONS, { path: { site_id: siteId }, body });
      reported.value = { id: correction.id, text };
    }
    return reported.value.id;
  };
  const save = async () => {
    const correction_id = await report();
    if (!canManage || chosen === ONLY_REPORT) return;
    const entry = entries.find((one) => String(one.source_id) === chosen);
    const body = { question: (entry?.title ?? question).slice(0, 500), answer: answer.value.trim() };
    try {
      await api.post(APPLY, {
        path: { site_id: siteId, correction_id },
        body: { ...body, entry_id: entry?.source_id ?? null, entry_version: entry?.version ?? null },
      });
    } catch (error) {
      if (entry && error instanceof ApiError && ENTRY_CONFLICTS.includes(error.code)) {
        await props.onEntryChanged();
        hasConflict.value = true;
      }
      throw error;
    }
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    const isSaved = await submitForm(busy, errors, save, t("corrections.saved"));
    if (isSaved && reported.value !== null) onSaved(reported.value.id);
  };
  return (
    <form class="stack" onSubmit={submit}>
      {hasConflict.value && (
        <p class="notice" role="status">
          {t("corrections.conflict")}
        </p>
      )}
      <Field label={t("corrections.note")} error={errors.value["note"]}>
        <input
          maxLength={1000}
          dir="auto"
          value={note.value}
          onInput={(event) => (note.value = event.currentTarget.value)}
        />
      </Field>
      <Field label={t("corrections.rightAnswer")} error={errors.value["right_answer"]}>
        <textarea
          rows={4}
          required
          maxLength={4000}
          dir="auto"
          data-initial-focus
          value={answer.value}
          onInput={(event) => (answer.value = event.currentTarget.value)}
        />
      </Field>
      {canManage && (
        <Field label={t("corrections.target")} hint={t("corrections.targetHint")}>
          <select value={chosen} onChange={(event) => (target.value = event.currentTarget.value)}>
            {entries.map((one) => (
              <option key={one.source_id} value={String(one.source_id)}>
                {t("corrections.changeEntry", { title: one.title })}
              </option>
            ))}
            <option value={NEW_ENTRY}>{t("corrections.newEntry")}</option>
            <option value={ONLY_REPORT}>{t("corrections.onlyReport")}</option>
          </select>
        </Field>
      )}
      <DialogActions onCancel={onCancel}>
        <button type="submit" class="button primary" disabled={busy.value}>
          {t("common.save")}
        </button>
      </DialogActions>
    </form>
  );
}

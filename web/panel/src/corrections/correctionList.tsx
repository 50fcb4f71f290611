/** What operators have reported as wrong, for managers to put right in the knowledge. */

import { useSignal } from "@preact/signals";
import { api } from "../api/client";
import { usePagedFetch } from "../api/useFetch";
import { Dialog } from "../components/dialog";
import { LoadMoreButton, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { NamedButton } from "../components/namedButton";
import { formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { routeHref } from "../navigation/route";
import { EntryForm } from "../sites/entryForm";
import { AffectedConversations } from "./affectedConversations";
import { APPLY, CORRECTIONS, type Correction } from "./corrections";

export function CorrectionList({ siteId }: { siteId: number }) {
  const path = { site_id: siteId };
  const fetched = usePagedFetch(`corrections/${siteId}`, async (cursor) => {
    const page = await api.get(CORRECTIONS, { path, query: { cursor } });
    return { items: page.corrections, nextCursor: page.next_cursor };
  });
  const affected = useSignal<Correction | null>(null);
  const applied = useSignal<Correction | null>(null);
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!fetched.items) return <Spinner />;
  return (
    <section class="stack" aria-label={t("corrections.title")}>
      <h3>{t("corrections.title")}</h3>
      <p class="muted">{fetched.items.length ? t("corrections.hint") : t("corrections.none")}</p>
      <ul class="knowledge-list">
        {fetched.items.map((correction) => (
          <li key={correction.id}>
            <div>
              <strong dir="auto">{correction.question || t("corrections.erased")}</strong>
              {correction.wrong_answer && (
                <p>
                  <del dir="auto">{correction.wrong_answer}</del>
                </p>
              )}
              <p dir="auto">{correction.right_answer}</p>
              <p>
                <span dir="auto">{describeCorrection(correction)}</span>{" "}
                {correction.conversation_id !== null && (
                  <a href={routeHref("chats", correction.conversation_id, `m${correction.seq}`)}>
                    {t("common.chatNumber", { id: String(correction.conversation_id) })}
                  </a>
                )}
              </p>
            </div>
            {correction.entry_id === null && (
              <NamedButton
                text={t("gaps.makeEntry")}
                name={correction.right_answer}
                onClick={() => (applied.value = correction)}
              />
            )}
            <NamedButton
              text={t("corrections.affected")}
              name={correction.right_answer}
              onClick={() => (affected.value = correction)}
            />
          </li>
        ))}
      </ul>
      <LoadMoreButton onClick={fetched.loadMore} />
      {affected.value && (
        <Dialog title={t("corrections.title")} onClose={() => (affected.value = null)}>
          <AffectedConversations siteId={siteId} correctionId={affected.value.id} />
        </Dialog>
      )}
      {applied.value && (
        <ApplyDialog
          siteId={siteId}
          correction={applied.value}
          onClose={() => (applied.value = null)}
          onApplied={() => {
            applied.value = null;
            void fetched.reload();
          }}
        />
      )}
    </section>
  );
}

interface ApplyDialogProps {
  siteId: number;
  correction: Correction;
  onClose: () => void;
  onApplied: () => void;
}

function ApplyDialog({ siteId, correction, onClose, onApplied }: ApplyDialogProps) {
  const path = { site_id: siteId, correction_id: correction.id };
  const draft = { question: correction.question.slice(0, 500), answer: correction.right_answer };
  return (
    <Dialog title={t("gaps.makeEntry")} onClose={onClose}>
      <EntryForm
        draft={draft}
        notice={t("gaps.draftFromChat")}
        saveLabel={t("gaps.addEntry")}
        savedText={t("gaps.entryAdded")}
        save={(body) => api.post(APPLY, { path, body })}
        onCancel={onClose}
        onSaved={onApplied}
      />
    </Dialog>
  );
}

function describeCorrection(correction: Correction): string {
  const parts = [
    correction.note,
    correction.by.name,
    formatTimeOrDate(correction.at),
    correction.entry_id !== null && t("corrections.applied"),
  ];
  return parts.filter(Boolean).join(" · ");
}

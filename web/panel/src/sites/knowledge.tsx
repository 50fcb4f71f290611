/** The knowledge base of a site's assistant: questions with their answers. */

import { useSignal } from "@preact/signals";
import type { KnowledgeEntry, RequestBody, ResponseBody } from "../../../shared/apiTypes";
import { ApiError } from "../../../shared/http";
import { api } from "../api/client";
import { usePagedFetch } from "../api/useFetch";
import { IconButton } from "../components/controls";
import { Dialog } from "../components/dialog";
import { EmptyState, LoadMoreButton, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { submitForm } from "../components/forms";
import { Icon } from "../components/icon";
import { confirmAction } from "../components/toasts";
import { t } from "../i18n/i18n";
import { EntryForm } from "./entryForm";

const PAGE_SIZE = 50;
const LIST = "/sites/{site_id}/chatbot/knowledge";
const ENTRY = "/sites/{site_id}/chatbot/knowledge/{entry_id}";

type EntryBody = RequestBody<"post", typeof LIST>;
type EntryPage = ResponseBody<"get", typeof LIST>;

export function Knowledge({ siteId }: { siteId: number }) {
  const fetched = usePagedFetch(`knowledge/${siteId}`, async (cursor) => {
    const page = await api.get(LIST, { path: { site_id: siteId }, query: { limit: PAGE_SIZE, cursor } });
    return { items: page.knowledge, nextCursor: page.next_cursor };
  });
  const editing = useSignal<KnowledgeEntry | "new" | null>(null);
  const busy = useSignal(false);
  const errors = useSignal<Record<string, string>>({});
  const close = () => {
    editing.value = null;
    // Also after a refused change: somebody else may have changed the entry.
    void fetched.reload();
  };
  const remove = async (entry: KnowledgeEntry) => {
    const confirmed = await confirmAction({
      title: t("knowledge.deleteTitle"),
      text: entry.question,
      confirmLabel: t("common.delete"),
      destructive: true,
    });
    if (!confirmed) return;
    const save = async () => {
      await api.delete(ENTRY, { path: { site_id: siteId, entry_id: entry.id } });
      await fetched.reload();
    };
    await submitForm(busy, errors, save, t("knowledge.deleted"));
  };
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!fetched.items) return <Spinner />;
  return (
    <div class="stack">
      <div class="form-row">
        <p class="muted">{t("knowledge.hint")}</p>
        <span class="grow" />
        <button type="button" class="button" onClick={() => (editing.value = "new")}>
          <Icon name="plus" size={16} /> {t("knowledge.add")}
        </button>
      </div>
      {fetched.items.length === 0 && (
        <EmptyState icon="book" title={t("knowledge.none")}>
          {t("knowledge.noneText")}
        </EmptyState>
      )}
      <ul class="knowledge-list">
        {fetched.items.map((entry) => (
          <li key={entry.id}>
            <div>
              <strong dir="auto">{entry.question}</strong>
              <p dir="auto">{entry.answer}</p>
            </div>
            <IconButton
              icon="pencil"
              label={t("knowledge.edit", { question: entry.question })}
              onClick={() => (editing.value = entry)}
            />
            <IconButton
              icon="trash"
              label={t("knowledge.delete", { question: entry.question })}
              onClick={() => remove(entry)}
            />
          </li>
        ))}
      </ul>
      <LoadMoreButton onClick={fetched.loadMore} />
      {editing.value && (
        <EntryDialog siteId={siteId} entry={editing.value === "new" ? null : editing.value} onClose={close} />
      )}
    </div>
  );
}

interface EntryDialogProps {
  siteId: number;
  /** Null for a new entry. */
  entry: KnowledgeEntry | null;
  onClose: () => void;
}

function EntryDialog({ siteId, entry, onClose }: EntryDialogProps) {
  const path = { site_id: siteId };
  /** As the server has it; another one than `entry` if somebody else has changed that meanwhile. */
  const stored = useSignal(entry);
  const save = async (body: EntryBody) => {
    if (!stored.value) return api.post(LIST, { path, body });
    const { id, version } = stored.value;
    try {
      return await api.put(ENTRY, { path: { ...path, entry_id: id }, body: { ...body, version } });
    } catch (error) {
      if (error instanceof ApiError && error.code === "entry_changed")
        stored.value = (await findEntry(siteId, id)) ?? stored.value;
      throw error;
    }
  };
  return (
    <Dialog title={entry ? t("knowledge.editTitle") : t("knowledge.newTitle")} onClose={onClose}>
      {stored.value && stored.value !== entry && (
        <div class="notice stack" role="status">
          <p>{t("knowledge.conflict")}</p>
          <strong dir="auto">{stored.value.question}</strong>
          <p dir="auto">{stored.value.answer}</p>
        </div>
      )}
      <EntryForm
        draft={entry ?? { question: "", answer: "" }}
        saveLabel={t("common.save")}
        savedText={t("common.saved")}
        save={save}
        onCancel={onClose}
        onSaved={onClose}
      />
    </Dialog>
  );
}

/** Undefined if it was deleted. */
async function findEntry(siteId: number, id: number): Promise<KnowledgeEntry | undefined> {
  let cursor: string | null = null;
  do {
    const page: EntryPage = await api.get(LIST, {
      path: { site_id: siteId },
      query: { limit: PAGE_SIZE, cursor },
    });
    const found = page.knowledge.find((one) => one.id === id);
    if (found) return found;
    cursor = page.next_cursor;
  } while (cursor);
  return undefined;
}

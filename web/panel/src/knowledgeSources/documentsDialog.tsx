/** The documents of a knowledge source: their errors, which are used, files to upload, changes to approve. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { KnowledgeDocument, KnowledgeSource } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { usePagedFetch } from "../api/useFetch";
import { Field, IconButton } from "../components/controls";
import { Dialog } from "../components/dialog";
import { EmptyState, LoadMoreButton, PageLink, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { Icon } from "../components/icon";
import { runWithToast } from "../components/toasts";
import { t } from "../i18n/i18n";
import { ChangesDialog } from "./changesDialog";
import { DOCUMENT, DOCUMENTS, describeFault, SOURCE, takesFiles } from "./sources";

const PAGE_SIZE = 50;
const FILTERS = ["all", "pending"] as const;
const STATUSES = ["ready", "failed", "skipped", "waiting"] as const;
type Filter = (typeof FILTERS)[number] | (typeof STATUSES)[number];

interface DocumentsDialogProps {
  siteId: number;
  source: KnowledgeSource;
  onClose: () => void;
  onChanged: () => void;
}

export function DocumentsDialog({ siteId, source, onClose, onChanged }: DocumentsDialogProps) {
  const path = { site_id: siteId, source_id: source.id };
  const filter = useSignal<Filter>("all");
  const reviewed = useSignal<KnowledgeDocument | null>(null);
  const fetched = usePagedFetch(`knowledge-documents/${source.id}/${filter.value}`, async (cursor) => {
    const query = { limit: PAGE_SIZE, cursor, ...toQuery(filter.value) };
    const page = await api.get(DOCUMENTS, { path, query });
    return { items: page.documents, nextCursor: page.next_cursor };
  });
  const progress = `${source.sync.state}/${source.sync.done}`;
  useEffect(() => void fetched.reload(), [progress]);
  const changed = () => {
    void fetched.reload();
    onChanged();
  };
  const approveAll = () => runWithToast(() => api.post(`${SOURCE}/approve`, { path }), t("sources.approved"));
  return (
    <Dialog title={t("sources.documents", { name: source.name })} onClose={onClose} wide>
      <div class="form-row">
        <Field label={t("sources.filter")}>
          <select
            value={filter.value}
            onChange={(event) => (filter.value = event.currentTarget.value as Filter)}
          >
            {FILTERS.map((one) => (
              <option key={one} value={one}>
                {t(`sources.filter_${one}`)}
              </option>
            ))}
            {STATUSES.map((one) => (
              <option key={one} value={one}>
                {t(`sources.status_${one}`)}
              </option>
            ))}
          </select>
        </Field>
        <span class="grow" />
        {source.documents.pending > 0 && (
          <button type="button" class="button" onClick={async () => (await approveAll()) && changed()}>
            <Icon name="check" size={16} /> {t("sources.approveAll")}
          </button>
        )}
        {takesFiles(source.kind) && <UploadButton path={path} onUploaded={changed} />}
      </div>
      {fetched.error && <FetchError fetched={fetched} />}
      {!fetched.items && !fetched.error && <Spinner />}
      {fetched.items?.length === 0 && <EmptyState icon="file" title={t("sources.noDocuments")} />}
      <ul class="knowledge-list">
        {fetched.items?.map((document) => (
          <DocumentRow
            key={document.id}
            path={path}
            document={document}
            onReview={() => (reviewed.value = document)}
            onChanged={changed}
          />
        ))}
      </ul>
      <LoadMoreButton onClick={fetched.loadMore} />
      {reviewed.value && (
        <ChangesDialog
          path={{ ...path, document_id: reviewed.value.id }}
          onClose={() => (reviewed.value = null)}
          onDecided={() => {
            reviewed.value = null;
            changed();
          }}
        />
      )}
    </Dialog>
  );
}

function toQuery(filter: Filter) {
  if (filter === "all") return {};
  return filter === "pending" ? { pending: true } : { status: filter };
}

interface DocumentRowProps {
  path: { site_id: number; source_id: number };
  document: KnowledgeDocument;
  onReview: () => void;
  onChanged: () => void;
}

function DocumentRow({ path, document, onReview, onChanged }: DocumentRowProps) {
  const one = { ...path, document_id: document.id };
  const name = document.title || document.name;
  const setEnabled = async (enabled: boolean) => {
    if (await runWithToast(() => api.put(DOCUMENT, { path: one, body: { enabled } }))) onChanged();
  };
  const remove = async () => {
    if (await runWithToast(() => api.delete(DOCUMENT, { path: one }))) onChanged();
  };
  return (
    <li>
      <div>
        {document.url ? <PageLink page={document.url} title={name} /> : <strong dir="auto">{name}</strong>}
        <p>
          {document.error ? describeFault(document.error) : t(`sources.status_${document.status}`)}
          {document.language && ` · ${document.language}`}
        </p>
      </div>
      {document.pending && (
        <IconButton icon="note" label={t("sources.changes", { name })} onClick={onReview} />
      )}
      <input
        type="checkbox"
        role="switch"
        aria-label={t("sources.use", { name })}
        checked={document.enabled}
        aria-checked={document.enabled}
        onChange={(event) => void setEnabled(event.currentTarget.checked)}
      />
      {!document.url && <IconButton icon="trash" label={t("sources.delete", { name })} onClick={remove} />}
    </li>
  );
}

interface UploadButtonProps {
  path: { site_id: number; source_id: number };
  onUploaded: () => void;
}

function UploadButton({ path, onUploaded }: UploadButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  const busy = useSignal(false);
  const upload = async (files: File[]) => {
    busy.value = true;
    for (const file of files) {
      await runWithToast(() => api.uploadKnowledge(file, path), t("sources.uploaded", { name: file.name }));
    }
    busy.value = false;
    onUploaded();
  };
  return (
    <>
      <button type="button" class="button" disabled={busy.value} onClick={() => input.current?.click()}>
        <Icon name="clip" size={16} /> {t("sources.upload")}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept=".pdf,.docx,.html,.htm,.md,.markdown,.txt,.csv,.tsv"
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = "";
          void upload(files);
        }}
      />
    </>
  );
}

/** The sources of a site's knowledge, with the progress of those that are being read. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { KnowledgeSource } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { IconButton } from "../components/controls";
import { EmptyState, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { Icon } from "../components/icon";
import { confirmAction, runWithToast } from "../components/toasts";
import { t } from "../i18n/i18n";
import { DocumentsDialog } from "./documentsDialog";
import "./knowledgeSources.css";
import { SourceDialog } from "./sourceDialog";
import { describeCounts, describeFault, describeSync, isBusy, SOURCE, SOURCES } from "./sources";

/** A site has at most a hundred. */
const PAGE_SIZE = 100;
const REFRESH_MS = 2000;

export function SourceList({ siteId }: { siteId: number }) {
  const fetched = useFetch(`knowledge-sources/${siteId}`, async () => {
    const page = await api.get(SOURCES, { path: { site_id: siteId }, query: { limit: PAGE_SIZE } });
    return page.sources;
  });
  const editing = useSignal<KnowledgeSource | "new" | null>(null);
  const shownId = useSignal<number | null>(null);
  const busy = fetched.value?.some(isBusy) ?? false;
  useEffect(() => {
    if (!busy) return;
    const timer = setInterval(() => void fetched.reload(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [busy, siteId]);
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!fetched.value) return <Spinner />;
  const shown = fetched.value.find((source) => source.id === shownId.value);
  return (
    <section class="stack" aria-label={t("sources.title")}>
      <div class="form-row">
        <div>
          <h3>{t("sources.title")}</h3>
          <p class="muted">{t("sources.hint")}</p>
        </div>
        <span class="grow" />
        <button type="button" class="button" onClick={() => (editing.value = "new")}>
          <Icon name="plus" size={16} /> {t("sources.add")}
        </button>
      </div>
      {fetched.value.length === 0 && (
        <EmptyState icon="globe" title={t("sources.none")}>
          {t("sources.noneText")}
        </EmptyState>
      )}
      <ul class="knowledge-list">
        {fetched.value.map((source) => (
          <SourceRow
            key={source.id}
            siteId={siteId}
            source={source}
            onShow={() => (shownId.value = source.id)}
            onEdit={() => (editing.value = source)}
            onChanged={() => void fetched.reload()}
          />
        ))}
      </ul>
      {editing.value && (
        <SourceDialog
          siteId={siteId}
          source={editing.value === "new" ? null : editing.value}
          onClose={() => (editing.value = null)}
          onSaved={() => {
            editing.value = null;
            void fetched.reload();
          }}
        />
      )}
      {shown && (
        <DocumentsDialog
          siteId={siteId}
          source={shown}
          onClose={() => (shownId.value = null)}
          onChanged={() => void fetched.reload()}
        />
      )}
    </section>
  );
}

interface SourceRowProps {
  siteId: number;
  source: KnowledgeSource;
  onShow: () => void;
  onEdit: () => void;
  onChanged: () => void;
}

function SourceRow({ siteId, source, onShow, onEdit, onChanged }: SourceRowProps) {
  const path = { site_id: siteId, source_id: source.id };
  const sync = async () => {
    const start = () => api.post(`${SOURCE}/sync`, { path });
    if (await runWithToast(start, t("sources.syncStarted"))) onChanged();
  };
  const remove = async () => {
    const confirmed = await confirmAction({
      title: t("sources.deleteTitle"),
      text: source.name,
      confirmLabel: t("common.delete"),
      destructive: true,
    });
    if (confirmed && (await runWithToast(() => api.delete(SOURCE, { path }), t("sources.deleted"))))
      onChanged();
  };
  const state = describeSync(source);
  return (
    <li class={source.enabled ? "" : "source-off"}>
      <div>
        <button type="button" class="text-button" dir="auto" onClick={onShow}>
          {source.name}
        </button>
        <p dir="auto">{source.url ?? t(`sources.kind_${source.kind}`)}</p>
        <p role="status">{[state, ...describeCounts(source)].filter(Boolean).join(" · ")}</p>
        {source.sync.state === "running" && (
          <progress max={Math.max(1, source.sync.total)} value={source.sync.done} aria-label={state} />
        )}
        {source.sync.error && <p class="error-text">{describeFault(source.sync.error)}</p>}
      </div>
      <IconButton
        icon="retry"
        label={t("sources.sync")}
        disabled={source.sync.state === "running"}
        onClick={sync}
      />
      <IconButton icon="pencil" label={t("sources.edit", { name: source.name })} onClick={onEdit} />
      <IconButton icon="trash" label={t("sources.delete", { name: source.name })} onClick={remove} />
    </li>
  );
}

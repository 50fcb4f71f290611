/** Knowledge sources: their types, and what they show of themselves. */

import type { KnowledgeDocument, KnowledgeSource } from "../../../shared/apiTypes";
import { formatDateTime } from "../i18n/formats";
import { hasText, language, t } from "../i18n/i18n";

export const SOURCES = "/sites/{site_id}/knowledge/sources";
export const SOURCE = "/sites/{site_id}/knowledge/sources/{source_id}";
export const DOCUMENTS = "/sites/{site_id}/knowledge/sources/{source_id}/documents";
export const DOCUMENT = "/sites/{site_id}/knowledge/sources/{source_id}/documents/{document_id}";

export type SourceKind = KnowledgeSource["kind"];
export type Schedule = KnowledgeSource["schedule"];
type Fault = NonNullable<KnowledgeDocument["error"]>;

export const KINDS: readonly SourceKind[] = ["crawl", "sitemap", "web_page", "file", "csv"];
export const SCHEDULES: readonly Schedule[] = ["manual", "hourly", "daily", "weekly"];

export const takesFiles = (kind: SourceKind): boolean => kind === "file" || kind === "csv";
export const hasPages = (kind: SourceKind): boolean => kind === "crawl" || kind === "sitemap";
export const isBusy = (source: KnowledgeSource): boolean => source.sync.state !== "idle";

/** Why a document or a whole source could not be read. The server, which knows more, writes English. */
export function describeFault(fault: Fault): string {
  const key = `sources.fault_${fault.code}`;
  return language.value !== "en" && hasText(key) ? t(key) : fault.message;
}

/** What the source does at present, or when it was read. */
export function describeSync({ sync }: KnowledgeSource): string {
  if (sync.state === "running") return t("sources.progress", { done: sync.done, total: sync.total });
  if (sync.state === "waiting") return t("sources.waiting");
  return sync.finished_at ? t("sources.readAt", { when: formatDateTime(sync.finished_at) }) : "";
}

/** The documents of a source by status, without what there is none of. */
export function describeCounts({ documents }: KnowledgeSource): string[] {
  const counts = ["ready", "pending", "failed", "skipped"] as const;
  return counts
    .filter((name) => documents[name] > 0)
    .map((name) => t(`sources.${name}`, { number: documents[name] }));
}

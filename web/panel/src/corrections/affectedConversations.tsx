/** The chats in which the assistant had answered from the same passages before a correction. */

import { api } from "../api/client";
import { usePagedFetch } from "../api/useFetch";
import { LoadMoreButton, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { visitorName } from "../inbox/conversations";
import { ModeTag } from "../inbox/modeTag";
import { routeHref } from "../navigation/route";
import { AFFECTED } from "./corrections";

export function AffectedConversations({ siteId, correctionId }: { siteId: number; correctionId: number }) {
  const path = { site_id: siteId, correction_id: correctionId };
  const fetched = usePagedFetch(`affected/${correctionId}`, async (cursor) => {
    const page = await api.get(AFFECTED, { path, query: { cursor } });
    return { items: page.conversations, nextCursor: page.next_cursor };
  });
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!fetched.items) return <Spinner />;
  return (
    <section class="stack" aria-label={t("corrections.affected")}>
      <h3>{t("corrections.affected")}</h3>
      <p class="muted">
        {fetched.items.length ? t("corrections.affectedHint") : t("corrections.affectedNobody")}
      </p>
      <ul class="knowledge-list">
        {fetched.items.map(({ conversation, seqs }) => (
          <li key={conversation.id}>
            <div>
              <a href={routeHref("chats", conversation.id, `m${seqs[0]}`)} dir="auto">
                {visitorName(conversation)}
              </a>
              <p>{formatTimeOrDate(conversation.updated_at)}</p>
            </div>
            <ModeTag conversation={conversation} />
          </li>
        ))}
      </ul>
      <LoadMoreButton onClick={fetched.loadMore} />
    </section>
  );
}

/** The chats in which the assistant had answered from the same passages before a correction. */

import { api } from "../api/client";
import { usePagedFetch } from "../api/useFetch";
import { LoadMoreButton, Spinner } from "../components/display";
import { formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { visitorName } from "../inbox/conversations";
import { ModeTag } from "../inbox/modeTag";
import { routeHref } from "../navigation/route";
import { TOLD } from "./corrections";

export function ToldList({ siteId, correctionId }: { siteId: number; correctionId: number }) {
  const path = { site_id: siteId, correction_id: correctionId };
  const fetched = usePagedFetch(`told/${correctionId}`, async (cursor) => {
    const page = await api.get(TOLD, { path, query: { cursor } });
    return { items: page.conversations, nextCursor: page.next_cursor };
  });
  if (fetched.error) return <p class="error-text">{fetched.error}</p>;
  if (!fetched.items) return <Spinner />;
  return (
    <section class="stack" aria-label={t("corrections.told")}>
      <h3>{t("corrections.told")}</h3>
      <p class="muted">{fetched.items.length ? t("corrections.toldHint") : t("corrections.toldNobody")}</p>
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

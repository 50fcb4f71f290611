/** Who handles a conversation, as a tag. */

import type { Conversation } from "../../../shared/apiTypes";
import { t } from "../i18n/i18n";
import { isMine } from "./conversations";

export function ModeTag({ conversation }: { conversation: Conversation }) {
  switch (conversation.mode) {
    case "pending":
      return <span class="tag warn">{t("common.waiting")}</span>;
    case "ai":
      return <span class="tag ai">{t("inbox.aiTag")}</span>;
    case "closed":
      return <span class="tag plain">{t("common.closed")}</span>;
    case "operator":
      return isMine(conversation) ? (
        <span class="tag mine">{t("common.you")}</span>
      ) : (
        <span class="tag plain" dir="auto">
          {conversation.operator?.name ?? t("common.operator")}
        </span>
      );
  }
}

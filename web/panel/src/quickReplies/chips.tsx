/** The quick replies of a message, as operators see them: they cannot be chosen here. */
import type { QuickReply } from "../../../shared/apiTypes";
import { t } from "../i18n/i18n";
import "./chips.css";

export function QuickReplyChips({ replies = [] }: { replies?: readonly QuickReply[] | undefined }) {
  if (!replies.length) return null;
  return (
    <ul class="quick-reply-chips" aria-label={t("composer.quickReplies")}>
      {replies.map(({ label, value, url }) => (
        <li key={label} dir="auto" title={url ?? value ?? undefined}>
          {label}
          {url && " ↗"}
        </li>
      ))}
    </ul>
  );
}

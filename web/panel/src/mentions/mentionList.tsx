/** The notes that mention the operator, above the chats; a note is cleared when its chat is opened. */
import { useEffect } from "preact/hooks";
import { Icon } from "../components/icon";
import { t } from "../i18n/i18n";
import { routeHref } from "../navigation/route";
import { mentions, readMentions } from "./mentions";
import "./mentions.css";

export function MentionList() {
  const list = mentions.value;
  if (list.length === 0) return null;
  return (
    <nav class="mentions" aria-label={t("mentions.title")}>
      <h2>
        {t("mentions.title")} <span class="badge">{list.length}</span>
      </h2>
      {list.map((mention) => (
        <a key={mention.note.id} href={routeHref("chats", mention.conversation_id)}>
          <Icon name="note" size={14} />
          <strong dir="auto">{mention.note.author.name}</strong>
          <span class="mention-text" dir="auto">
            {mention.note.content}
          </span>
        </a>
      ))}
    </nav>
  );
}

/** Clears the mentions of the chat that is open. */
export function MentionReader({ id }: { id: number }) {
  const hasMentions = mentions.value.some((one) => one.conversation_id === id);
  useEffect(() => {
    if (hasMentions) void readMentions(id);
  }, [id, hasMentions]);
  return null;
}

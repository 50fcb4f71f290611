/** Who handles a conversation, as a tag. */
import type { Conversation } from "../../../shared/apiTypes";
import { isMine } from "./conversations";

export function ModeTag({ conversation }: { conversation: Conversation }) {
  switch (conversation.mode) {
    case "pending":
      return <span class="tag warn">Waiting</span>;
    case "ai":
      return <span class="tag ai">AI</span>;
    case "closed":
      return <span class="tag plain">Closed</span>;
    case "operator":
      return isMine(conversation) ? (
        <span class="tag mine">You</span>
      ) : (
        <span class="tag plain" dir="auto">
          {conversation.operator?.name ?? "Operator"}
        </span>
      );
  }
}

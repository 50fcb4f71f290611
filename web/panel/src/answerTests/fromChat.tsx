/** Makes an answer test of an answer that the AI gave in a chat. */

import type { Message } from "../../../shared/apiTypes";
import { getThread } from "../conversation/threads";
import { TestDialog } from "./testDialog";

const MAX_QUESTION = 500;

interface TestFromChatProps {
  /** The AI's. */
  message: Message;
  siteId: number;
  onClose: () => void;
}

export function TestFromChat({ message, siteId, onClose }: TestFromChatProps) {
  const messages = getThread(message.conversation_id)?.messages ?? [];
  const question = messages.findLast((one) => one.role === "visitor" && one.seq < message.seq);
  const draft = {
    question: (question?.content ?? "").slice(0, MAX_QUESTION),
    must_cite: (message.sources ?? []).map((source) => [source.title]),
    conversation_id: message.conversation_id,
    seq: message.seq,
  };
  return <TestDialog siteId={siteId} test={null} draft={draft} onClose={onClose} onSaved={onClose} />;
}

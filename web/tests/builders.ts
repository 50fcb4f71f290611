/** Messages and conversations as the API returns them. */
import type { Conversation, ConversationDetail, LiveEvent, Message } from "../shared/apiTypes";

export function buildMessage(seq: number, fields: Partial<Message> = {}): Message {
  return {
    id: 1000 + seq,
    conversation_id: 50,
    seq,
    role: "visitor",
    content: `message ${seq}`,
    image_url: null,
    file: null,
    sender: null,
    message_id: null,
    translation: null,
    sources: [],
    confirmation: null,
    quick_replies: [],
    reply_to: null,
    created_at: new Date(Date.UTC(2026, 0, 1, 12, 0, seq)).toISOString(),
    ...fields,
  };
}

export function buildConversation(fields: Partial<Conversation> = {}): Conversation {
  return {
    id: 50,
    site_id: 1,
    mode: "operator",
    visitor: {
      session_id: "sess_ab12cd34",
      name: null,
      email: null,
      phone: null,
      info: {},
      language: null,
      blocked: null,
      verified: false,
      external_id: null,
      verified_fields: [],
      attributes: {},
      form: null,
    },
    operator: { id: 7, name: "Alex" },
    last_message: null,
    last_visitor_message: null,
    reply_due_at: null,
    last_seq: 0,
    unread: 0,
    operator_read_seq: 0,
    visitor_read_seq: 0,
    waiting_since: null,
    team_id: null,
    previous_id: null,
    rating: null,
    labels: [],
    snoozed_until: null,
    created_at: "2026-01-01T12:00:00Z",
    updated_at: "2026-01-01T12:00:00Z",
    version: 1,
    ...fields,
  };
}

export function buildDetail(
  messages: Message[],
  fields: Partial<ConversationDetail> = {},
): ConversationDetail {
  return {
    ...buildConversation(),
    messages,
    notes: [],
    history: [],
    reads: [],
    previous: [],
    ai_usage: null,
    translation: { enabled: false, lang: null, operator_lang: null, supported: false },
    ...fields,
  };
}

export const buildEvent = (type: string, data: object): LiveEvent => ({
  id: "1",
  type,
  site_id: 1,
  conversation_id: 50,
  at: "2026-01-01T12:30:00Z",
  data: data as Record<string, unknown>,
});

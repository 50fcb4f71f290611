/** The shapes in which the backend shows things: the same in answers and in events. */

export type Mode = "ai" | "pending" | "operator" | "closed";
export type Role = "visitor" | "ai" | "operator" | "system";
export type BlockType = "both" | "ai" | "operator";

export interface Person {
  id: number;
  name: string;
}

export interface Translation {
  lang: string;
  content: string | null;
  status: "done" | "failed" | "unsupported";
}

export interface Message {
  id: number;
  conversation_id: number;
  seq: number;
  role: Role;
  content: string;
  image_url?: string | null;
  sender?: Person | null;
  message_id?: string | null;
  translation?: Translation | null;
  created_at: string;
}

export interface Visitor {
  session_id: string;
  name?: string | null;
  email?: string | null;
  phone?: string | null;
  info?: Record<string, string>;
  language?: string | null;
  blocked?: BlockType | null;
}

export interface Conversation {
  id: number;
  site_id: number;
  mode: Mode;
  visitor: Visitor;
  operator?: Person | null;
  last_message?: { seq: number; role: Role; preview: string; created_at: string } | null;
  last_seq: number;
  unread: number;
  operator_read_seq: number;
  visitor_read_seq: number;
  waiting_since?: string | null;
  previous_id?: number | null;
  rating?: number | null;
  created_at: string;
  updated_at: string;
  version: number;
}

export interface Note {
  id: number;
  content: string;
  author: Person;
  created_at: string;
}

export interface OnlineVisitor {
  site_id: number;
  session_id: string;
  page?: string | null;
  title?: string | null;
  referrer?: string | null;
  language?: string | null;
  since: string;
  conversation_id?: number | null;
}

/** One live event, as its data line carries it. */
export interface LiveEvent {
  id: string | number;
  type: string;
  site_id: number;
  conversation_id?: number | null;
  at: string;
  data: Record<string, unknown>;
}

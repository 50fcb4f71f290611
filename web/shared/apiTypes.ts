/** Types of requests, responses and events, derived from the generated `api.d.ts`. */
import type { paths } from "./api";

export type Method = "get" | "post" | "put" | "patch" | "delete";

/** A path of the API without its `/api/v1` prefix. */
type ApiPath = keyof paths extends infer Path ? (Path extends `/api/v1${infer Rest}` ? Rest : never) : never;

type Operation<M extends Method, P extends ApiPath> = NonNullable<paths[`/api/v1${P}`][M]>;

/** The paths that have a method. */
export type PathWith<M extends Method> = {
  [P in ApiPath]: [Operation<M, P>] extends [never] ? never : P;
}[ApiPath];

type Json<Content> = Content extends { content: { "application/json": infer Body } } ? Body : never;

export type ResponseBody<M extends Method, P extends PathWith<M>> =
  Operation<M, P> extends { responses: infer Responses } ? Json<Responses[keyof Responses]> : never;

export type RequestBody<M extends Method, P extends PathWith<M>> =
  Operation<M, P> extends { requestBody: infer Request } ? Json<Request> : never;

export type PathParameters<M extends Method, P extends PathWith<M>> =
  Operation<M, P> extends { parameters: { path: infer Parameters } } ? Parameters : never;

export type QueryParameters<M extends Method, P extends PathWith<M>> =
  Operation<M, P> extends { parameters: { query?: infer Query } } ? Exclude<Query, undefined> : never;

/** The fields that every request of the widget carries; the widget's client adds them. */
type VisitorFields = "site_key" | "session_id";
export type VisitorRequest<P extends PathWith<"post">> = Omit<RequestBody<"post", P>, VisitorFields>;
export type VisitorQuery<P extends PathWith<"get">> = Omit<QueryParameters<"get", P>, VisitorFields>;

export type LoginResponse = ResponseBody<"post", "/auth/login">;
export type Account = ResponseBody<"get", "/auth/me">["user"];
export type Permission = Account["sites"][string][number];
export type CannedReply = ResponseBody<"get", "/canned-replies">["canned_replies"][number];
export type Label = ResponseBody<"get", "/labels">["labels"][number];
export type SavedView = ResponseBody<"get", "/views">["views"][number];
export type ViewCount = ResponseBody<"get", "/views/counts">["counts"][number];
export type BulkRequest = RequestBody<"post", "/operator/conversations/bulk">;
export type BulkResults = ResponseBody<"post", "/operator/conversations/bulk">["results"];
export type SiteTexts = ResponseBody<"get", "/sites/{site_id}/texts">;
export type SiteText = SiteTexts["texts"][number];
export type IdentitySecret = ResponseBody<
  "get",
  "/sites/{site_id}/identity-secrets"
>["identity_secrets"][number];
export type Tool = ResponseBody<"get", "/sites/{site_id}/chatbot/tools">["tools"][number];
export type ToolRequestBody = RequestBody<"post", "/sites/{site_id}/chatbot/tools">;
export type ToolResult = ResponseBody<"post", "/sites/{site_id}/chatbot/tools/{tool_id}/try">;
export type McpServer = ResponseBody<"get", "/sites/{site_id}/chatbot/mcp-servers">["servers"][number];
export type ListedTool = ResponseBody<
  "post",
  "/sites/{site_id}/chatbot/mcp-servers/{server_id}/check"
>["tools"][number];
export type SiteForms = ResponseBody<"get", "/sites/{site_id}/forms">["forms"];
export type ApiKey = ResponseBody<"get", "/api-keys">["api_keys"][number];

export type Conversation = ResponseBody<"get", "/operator/all-active-chats">["chats"][number];
type DetailSchema = ResponseBody<"get", "/operator/conversation/{id}">["conversation"];
export type ConversationDetail = Omit<DetailSchema, "messages"> & { messages: Message[] };
export type Mode = Conversation["mode"];
export type Visitor = Conversation["visitor"];
export type BlockType = NonNullable<Visitor["blocked"]>;
export type OperatorRef = NonNullable<Conversation["operator"]>;
type OperatorMessage = DetailSchema["messages"][number];
export type ToolCall = OperatorMessage["tool_calls"][number];
/** A message, with what only operators see of it. */
export type Message = Omit<OperatorMessage, "tool_calls" | "cap_reached" | "image_use"> & {
  tool_calls?: readonly ToolCall[];
  cap_reached?: OperatorMessage["cap_reached"];
  image_use?: OperatorMessage["image_use"];
};
export type Role = Message["role"];
export type MessageTranslation = NonNullable<Message["translation"]>;
export type MessageSource = NonNullable<Message["sources"]>[number];
type ReadQuickReply = NonNullable<Message["quick_replies"]>[number];
/** `handoff` is there only if it is true. */
export type QuickReply = Omit<ReadQuickReply, "handoff"> & Partial<Pick<ReadQuickReply, "handoff">>;
export type FileAttachment = NonNullable<Message["file"]>;
export type Note = ConversationDetail["notes"][number];
export type TransferCandidate = ResponseBody<"get", "/operator/operators">["operators"][number];
export type OnlineVisitor = ResponseBody<"get", "/operator/all-online-visitors">["visitors"][number];

export type SiteFields = ResponseBody<"get", "/sites">["sites"][number];
export type Chatbot = ResponseBody<"get", "/sites/{site_id}/chatbot">["chatbot"];
export type ChatbotUpdate = RequestBody<"put", "/sites/{site_id}/chatbot">;
export type KnowledgeSource = ResponseBody<"get", "/sites/{site_id}/knowledge/sources">["sources"][number];
export type KnowledgeDocument = ResponseBody<
  "get",
  "/sites/{site_id}/knowledge/sources/{source_id}/documents"
>["documents"][number];
export type KnowledgeEntry = ResponseBody<"get", "/sites/{site_id}/chatbot/knowledge">["knowledge"][number];
export type Trigger = Required<ResponseBody<"get", "/sites/{site_id}/triggers">["triggers"][number]>;
export type TriggerDraft = Required<RequestBody<"post", "/sites/{site_id}/triggers">>;
export type Member = ResponseBody<"get", "/team">["team"][number];
export type Team = ResponseBody<"get", "/teams">["teams"][number];
export type Routing = SiteFields["assignment"];
export type Invitation = ResponseBody<"post", "/team/{id}/invitation">["invitation"];
export type AuditEntry = ResponseBody<"get", "/audit">["entries"][number];
export type SearchHit = ResponseBody<"get", "/operator/search">["hits"][number];
export type Pagination = ResponseBody<"get", "/sites/{site_id}/conversations">["pagination"];

export type WidgetConfig = ResponseBody<"get", "/chat/config">;
type WidgetHistory = ResponseBody<"get", "/chat/history">;
export type QueuePlace = NonNullable<WidgetHistory["queue"]>;

/** A live event as its `data` line carries it. The events' schemas are not part of the OpenAPI document. */
export interface LiveEvent {
  id: string | number;
  type: string;
  site_id: number;
  conversation_id?: number | null;
  at: string;
  data: Record<string, unknown>;
}

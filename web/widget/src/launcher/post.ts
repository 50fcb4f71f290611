/** The launcher's own requests; those of the chat window are in `api/widgetApi.ts`. */
import type { ResponseBody, VisitorRequest } from "../../../shared/apiTypes";
import { jsonRequest, REQUEST_TIMEOUT_MS, readBody, send } from "../../../shared/http";
import type { EmbedConfig } from "../embedConfig";

type Path = "/chat/heartbeat" | "/chat/identify" | "/chat/end-session";

/** Throws ApiError. */
export async function post<P extends Path>(
  { origin, siteKey, sessionId }: EmbedConfig,
  path: P,
  body: VisitorRequest<P>,
): Promise<ResponseBody<"post", P>> {
  const init = jsonRequest("POST", { site_key: siteKey, session_id: sessionId, ...body });
  // A logout is sent although it leaves the page.
  return readBody(await send(`${origin}/api/v1${path}`, { ...init, keepalive: true }, REQUEST_TIMEOUT_MS));
}

/** Asks a site's assistant as a visitor does. The chat that this starts is a test chat in the list of all chats. */
import { ensureOk, jsonRequest, send } from "../../../shared/http";
import { readEvents } from "../../../shared/sse";
import { randomId } from "../../../shared/storage";
import { t } from "../i18n/i18n";

const IDLE_TIMEOUT_MS = 60_000;

/** Returns the answer. Throws ApiError. */
export async function askAssistant(siteKey: string, question: string): Promise<string> {
  const body = { site_key: siteKey, session_id: randomId(), message: question };
  const response = await ensureOk(await send("/api/v1/chat/stream", jsonRequest("POST", body), undefined));
  let answer = "";
  const onEvent = ({ data }: { data: string }) => {
    const event = JSON.parse(data) as { type: string; content?: string };
    if (event.type === "chunk") answer += event.content ?? "";
  };
  if (response.body) await readEvents(response.body, onEvent, IDLE_TIMEOUT_MS);
  return answer || t("setup.noAnswer");
}

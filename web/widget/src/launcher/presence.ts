/** The heartbeat, which reports the visitor's page to operators and learns the site's settings. */
import type { ResponseBody } from "../../../shared/apiTypes";
import { jsonRequest, REQUEST_TIMEOUT_MS, readBody, send } from "../../../shared/http";
import { readJson, writeJson } from "../../../shared/storage";
import { type EmbedConfig, storageKey } from "../embedConfig";
import { cleanUrl } from "./pageUrl";

const HEARTBEAT_INTERVAL_MS = 25_000;
const HEARTBEAT_SPREAD = 0.2;
const URL_CHECK_INTERVAL_MS = 2000;

/** What the heartbeat's answer says of the site. A server of the version before does not say it. */
export type SiteSettings = Partial<
  Pick<ResponseBody<"post", "/chat/heartbeat">, "colour" | "page_tracking" | "page_parameters">
>;

interface PresenceOptions {
  /** The session may change. */
  embed(): EmbedConfig;
  stopped: AbortSignal;
  /** Called after each heartbeat, also when there was no answer. */
  onSite(site: SiteSettings): void;
}

/** The site's settings as the last heartbeat of an earlier page has learned them. */
export function readSite(siteKey: string): SiteSettings {
  const name = (key: string) => storageKey(siteKey, key);
  return readJson<SiteSettings | null>(name("site"), null) ?? readConfig(name("config"));
}

/** What the chat window has stored. */
function readConfig(name: string): SiteSettings {
  const config = readJson<(SiteSettings & { colours?: { primary?: string } }) | null>(name, null);
  const colour = config?.colours?.primary;
  return { ...config, ...(colour && { colour }) };
}

export function startPresence({ embed, stopped, onSite }: PresenceOptions): void {
  let reportedUrl = "";

  const sendHeartbeat = async () => {
    const { origin, siteKey, sessionId, language } = embed();
    reportedUrl = location.href;
    const { page_tracking: isTracked = true, page_parameters: parameters = [] } = readSite(siteKey);
    const body = {
      site_key: siteKey,
      session_id: sessionId,
      lang: language,
      // Sandboxed pages have no origin; what the site does not track is not sent.
      page: isTracked ? cleanUrl(reportedUrl, parameters).slice(0, 2048) : location.origin,
      title: isTracked ? document.title.slice(0, 300) : "",
      referrer: isTracked ? cleanUrl(document.referrer, []) : "",
    };
    try {
      const url = `${origin}/api/v1/chat/heartbeat`;
      const site = await readBody<SiteSettings>(
        await send(url, jsonRequest("POST", body), REQUEST_TIMEOUT_MS),
      );
      const { colour, page_tracking, page_parameters } = site;
      if (colour) writeJson(storageKey(siteKey, "site"), { colour, page_tracking, page_parameters });
      if (!stopped.aborted) onSite(site);
    } catch {
      onSite({});
    }
  };

  // Spread, so that pages that were opened, or lost the server, at the same time do not all ask at the same time.
  let timer: ReturnType<typeof setTimeout>;
  const beat = () => {
    void sendHeartbeat();
    timer = setTimeout(beat, HEARTBEAT_INTERVAL_MS * (1 - HEARTBEAT_SPREAD * Math.random()));
  };
  beat();
  const check = setInterval(() => location.href !== reportedUrl && sendHeartbeat(), URL_CHECK_INTERVAL_MS);
  stopped.addEventListener("abort", () => {
    clearTimeout(timer);
    clearInterval(check);
  });
}

/** The heartbeat, which reports the visitor's page to operators and learns the site's settings. */
import type { ResponseBody } from "../../../shared/apiTypes";
import type { ApiError } from "../../../shared/http";
import { readJson, writeJson } from "../../../shared/storage";
import { type EmbedConfig, storageKey } from "../embedConfig";
import { cleanUrl } from "./pageUrl";
import { post } from "./post";

const HEARTBEAT_INTERVAL_MS = 25_000;
const HEARTBEAT_SPREAD = 0.2;
const CHECK_INTERVAL_MS = 2000;

/** What the heartbeat's answer says of the site. A server of the version before does not say it. */
export type SiteSettings = Partial<
  Pick<
    ResponseBody<"post", "/chat/heartbeat">,
    "colour" | "page_tracking" | "page_parameters" | "triggers" | "texts"
  >
>;

interface PresenceOptions {
  /** The session may change. */
  embed(): EmbedConfig;
  stopped: AbortSignal;
  /** Called when the session of an identified visitor has ended. */
  onEnded?(): void;
  /** Called after each heartbeat, also when there was no answer. */
  onSite(site: SiteSettings): void;
}

/** The site's settings as the last heartbeat of an earlier page has learned them. */
export const readSite = (siteKey: string): SiteSettings =>
  readJson<SiteSettings>(storageKey(siteKey, "site"), {});

export function startPresence({ embed, stopped, onSite, onEnded }: PresenceOptions): void {
  let reportedUrl = "";
  let reportedLanguage = "";

  const sendHeartbeat = async () => {
    const current = embed();
    reportedUrl = location.href;
    reportedLanguage = current.language;
    const { page_tracking: isTracked = true, page_parameters: parameters = [] } = readSite(current.siteKey);
    const body = {
      lang: current.language,
      // Sandboxed pages have no origin; what the site does not track is not sent.
      page: isTracked ? cleanUrl(reportedUrl, parameters).slice(0, 2048) : location.origin,
      title: isTracked ? document.title.slice(0, 300) : "",
      referrer: isTracked ? cleanUrl(document.referrer, []) : "",
    };
    try {
      const site: SiteSettings = await post(current, "/chat/heartbeat", body);
      if (site.colour) writeJson(storageKey(current.siteKey, "site"), site);
      if (!stopped.aborted) onSite(site);
    } catch (error) {
      if ((error as ApiError).status === 401 && current === embed()) onEnded?.();
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
  const check = setInterval(() => {
    if (location.href !== reportedUrl || embed().language !== reportedLanguage) void sendHeartbeat();
  }, CHECK_INTERVAL_MS);
  stopped.addEventListener("abort", () => {
    clearTimeout(timer);
    clearInterval(check);
  });
}

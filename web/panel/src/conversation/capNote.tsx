/** Why the built-in engine has replied in place of the site's: for operators only. */

import { t } from "../i18n/i18n";

/** `cap`: the limit of the day that was reached, as in `site_tokens`. */
export function CapNote({ cap }: { cap: string }) {
  const of = cap.split("_")[0];
  return (
    <p class="message-sources">
      {of === "conversation"
        ? t("engines.repliedAfterCapConversation")
        : t(of === "site" ? "engines.repliedAfterCapSite" : "engines.repliedAfterCapVisitor")}
    </p>
  );
}

/** Shows the operator the state of the live stream's connection. */

import { now } from "../components/clock";
import { Icon } from "../components/icon";
import { countUnsent } from "../composer/outbox";
import { formatDuration } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { soundBlocked } from "../notifications/sound";
import { me } from "../session/session";
import { soundEnabled } from "../settings/preferences";
import { sites, sitesLoaded } from "../sites/sites";
import { connection, describeConnectionError } from "./liveStream";

/** A shorter interruption is over before anybody could read about it. */
const MIN_INTERRUPTION_MS = 2000;

/** An icon with a word, so that it cannot be taken for the dot that shows whether the operator is online. */
export function ConnectionState() {
  const { state } = connection.value;
  // There is nothing to connect to before the first site.
  if (sitesLoaded.value && sites.value.length === 0) return null;
  const label = t(`live.${state}`);
  return (
    <span class={`connection ${state}`} title={label} role="status">
      <Icon name={state === "waiting" ? "offline" : "online"} size={16} />
      <span class="connection-label">{label}</span>
    </span>
  );
}

/** Says since when the connection is lost, why, what that means, and when the next attempt starts. */
export function ConnectionBanner() {
  const current = connection.value;
  if (current.state !== "waiting" || now.value - current.since < MIN_INTERRUPTION_MS) return null;
  const seconds = Math.max(0, Math.ceil((current.until - now.value) / 1000));
  const unsent = countUnsent(me.value?.id, true);
  return (
    <div class="banner" role="alert">
      <Icon name="bolt" size={16} />
      <span>
        <strong>{t("live.waiting")}</strong>{" "}
        {t("live.since", { duration: formatDuration(now.value - current.since) })}{" "}
        {describeConnectionError(current.error)}{" "}
        {unsent ? t("live.unsent", { count: unsent }) : t("live.outOfDate")}
      </span>
      <span class="grow" />
      <span class="banner-retry">{seconds ? t("live.retryingIn", { seconds }) : t("live.retrying")}</span>
    </div>
  );
}

/** Says that the browser blocks sounds. Any click on the page ends that. */
export function SoundBanner() {
  if (!soundBlocked.value || !soundEnabled.value) return null;
  return (
    <div class="banner quiet" role="status">
      <Icon name="bell" size={16} />
      <span>{t("live.soundBlocked")}</span>
      <span class="grow" />
      <button type="button" class="text-button">
        {t("live.turnOnSounds")}
      </button>
    </div>
  );
}

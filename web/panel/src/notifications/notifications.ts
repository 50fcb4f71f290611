/** Notifies the operator: a sound, a number on the tab, a desktop notification. */

import { effect } from "@preact/signals";
import type { Conversation, LiveEvent } from "../../../shared/apiTypes";
import { isolate, shorten } from "../components/isolate";
import { t } from "../i18n/i18n";
import { attentionCounts, isMine, visitorName } from "../inbox/conversations";
import { navigate, route } from "../navigation/route";
import { desktopNotifications, soundEnabled } from "../settings/preferences";
import { getSiteName, sitesById } from "../sites/sites";
import { isForMe } from "../teams/teams";
import { claim } from "./claims";
import { canPlay, playSound, type Sound } from "./sound";

const MAX_BODY_CHARACTERS = 140;
interface Notice {
  sound: Sound;
  conversation: Conversation;
  title: string;
  text: string;
}

/** Whether the operator sees a conversation at this moment. */
function isViewing(conversation: number): boolean {
  const current = route.value;
  return document.hasFocus() && current.page === "chats" && current.conversation === conversation;
}

/** Notifies the operator of an event that concerns them, in one tab only. */
export function notifyEvent(event: LiveEvent): void {
  const notice = toNotice(event);
  if (notice) void notify(String(event.id), notice);
}

export function toNotice(event: LiveEvent): Notice | undefined {
  const conversation = event.data["conversation"] as Conversation | undefined;
  if (!conversation) return undefined;
  const name = isolate(visitorName(conversation));
  if (event.type === "conversation.pending") {
    // With manual routing nobody is notified: operators look into the inbox.
    if (sitesById.value.get(conversation.site_id)?.routing === "manual") return undefined;
    if (!isForMe(conversation)) return undefined;
    const text = t("notifications.onSite", {
      name: visitorName(conversation),
      site: getSiteName(conversation.site_id),
    });
    return { sound: "waiting", conversation, title: t("notifications.waiting"), text };
  }
  if (event.type === "conversation.transferred" && isMine(conversation)) {
    return { sound: "waiting", conversation, title: t("notifications.transferred"), text: name };
  }
  if (event.type === "conversation.accepted" && event.data["reason"] && isMine(conversation)) {
    return { sound: "waiting", conversation, title: t("teams.assignedToYou"), text: name };
  }
  if (event.type === "message.created" && event.data["role"] === "visitor" && isMine(conversation)) {
    const content = String(event.data["content"] ?? "");
    return {
      sound: "message",
      conversation,
      title: name,
      text: content ? isolate(shorten(content, MAX_BODY_CHARACTERS)) : t("notifications.sentImage"),
    };
  }
  return undefined;
}

async function notify(id: string, { sound, conversation, title, text }: Notice): Promise<void> {
  const isViewed = sound === "message" && isViewing(conversation.id);
  const hasFocus = document.hasFocus();
  const isVisible = document.visibilityState === "visible";
  const priority = isViewed ? "viewing" : hasFocus ? "focused" : isVisible ? "visible" : "hidden";
  // The tab in which the operator is claims the notification to leave it out.
  if (isViewed || (soundEnabled.value && canPlay())) {
    void claim(`sound ${id}`, priority).then((won) => {
      if (won && !isViewed) void playSound(sound);
    });
  }
  const mayShow = desktopNotifications.value && "Notification" in window;
  if (!mayShow || Notification.permission !== "granted") return;
  if ((await claim(`desktop ${id}`, priority)) && !hasFocus) showNotification(conversation.id, title, text);
}

function showNotification(conversation: number, title: string, text: string): void {
  try {
    const notification = new Notification(title, { body: text, tag: `conversation-${conversation}` });
    notification.onclick = () => {
      window.focus();
      navigate("chats", conversation);
      notification.close();
    };
  } catch {
    // Mobile browsers allow notifications from a service worker only.
  }
}

/** Keeps the number of chats that need attention in the tab's title and on the app's icon. Returns how to stop. */
export function startBadge(): () => void {
  return effect(() => {
    const { waiting, mine } = attentionCounts.value;
    const total = waiting + mine;
    document.title = total ? `(${total}) Parley` : "Parley";
    const app = navigator as Navigator & { setAppBadge?: (count?: number) => Promise<void> };
    app.setAppBadge?.(total).catch(() => undefined);
  });
}

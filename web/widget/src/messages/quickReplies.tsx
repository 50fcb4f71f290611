/** The buttons below the last message. Loaded with the first message that has some. */
import type { Message, QuickReply } from "../../../shared/apiTypes";
import { toSafeUrl } from "../../../shared/linkify";
import { strings } from "../i18n/lateTexts";
import type { WidgetStore } from "../widgetStore";

/** What has quick replies: a message, or what the assistant wrote before there was a conversation. */
export interface Offer {
  seq: number;
  quick_replies?: readonly QuickReply[];
  translation?: Message["translation"];
}

export function QuickReplies({ store, message }: { store: WidgetStore; message: Offer }) {
  const { translation, quick_replies: replies = [] } = message;
  const choose = (button: HTMLElement, text: string) => {
    // The button disappears: the focus stays in the conversation.
    button.closest<HTMLElement>("[role=log]")?.focus();
    store.sendMessage(text, "", null, { replyTo: message.seq });
  };
  return (
    <div class="quick-replies" role="group" aria-label={strings.quickReplies}>
      {replies.map(({ label, value, url }, index) => {
        const text = translation?.quick_replies?.[index] ?? label;
        return url ? (
          <a
            key={label}
            class="handoff-button"
            dir="auto"
            href={toSafeUrl(url)}
            target="_blank"
            rel="noopener noreferrer nofollow"
          >
            {text}
          </a>
        ) : (
          <button
            key={label}
            type="button"
            class="handoff-button"
            dir="auto"
            onClick={(event) => choose(event.currentTarget, value ?? text)}
          >
            {text}
          </button>
        );
      })}
    </div>
  );
}

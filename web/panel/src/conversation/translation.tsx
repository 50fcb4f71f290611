/** Translation of a conversation: on or off, and the visitor's language. */
import { useSignal } from "@preact/signals";
import type { Conversation } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { IconButton, Switch } from "../components/controls";
import { Icon } from "../components/icon";
import { LANGUAGES, languageName } from "../components/languages";
import { runWithToast } from "../components/toasts";
import { isMine } from "../inbox/conversations";
import { showTranslations } from "../settings/preferences";
import { hasPermission } from "../sites/sites";
import type { Thread } from "./threads";

interface TranslationProps {
  conversation: Conversation;
  thread: Thread;
}

const canChange = (conversation: Conversation): boolean =>
  conversation.mode !== "closed" && hasPermission(conversation.site_id, "can_chat");

export function TranslateButton({ conversation, thread }: TranslationProps) {
  const on = thread.translation?.enabled === true;
  if (!canChange(conversation)) return null;
  const toggle = () =>
    runWithToast(() =>
      api.post("/operator/translation/toggle", { body: { conversation_id: conversation.id, enabled: !on } }),
    );
  return (
    <IconButton
      icon="language"
      label={on ? "Stop translating" : "Translate this chat"}
      active={on}
      onClick={toggle}
    />
  );
}

export function TranslationBar({ conversation, thread }: TranslationProps) {
  const busy = useSignal(false);
  const settings = thread.translation;
  if (!settings?.enabled) return null;
  // Only this one counts: what the browser asks for is not what the visitor has written in.
  const visitorLanguage = settings.lang ?? "";
  const setLanguage = async (lang: string) => {
    busy.value = true;
    await runWithToast(() =>
      api.post("/operator/translation/set-lang", { body: { conversation_id: conversation.id, lang } }),
    );
    busy.value = false;
  };
  const isListed = LANGUAGES.includes(visitorLanguage) || !visitorLanguage;
  const languages = isListed ? LANGUAGES : [visitorLanguage, ...LANGUAGES];
  return (
    <div class="translation-bar" role="group" aria-label="Translation">
      <Icon name="language" size={16} />
      <label>
        <span class="visually-hidden">Visitor’s language</span>
        <select
          class="compact"
          value={visitorLanguage}
          disabled={busy.value || !canChange(conversation)}
          onChange={(event) => setLanguage(event.currentTarget.value)}
        >
          {!visitorLanguage && <option value="">Language not known yet</option>}
          {languages.map((tag) => (
            <option key={tag} value={tag}>
              {languageName(tag)}
            </option>
          ))}
        </select>
      </label>
      <span aria-hidden="true">⇄</span>
      <span>{languageName(settings.operator_lang ?? "en")}</span>
      {visitorLanguage && !settings.supported && <span class="tag warn">Language pair not supported</span>}
      <span class="grow" />
      <Switch
        on={showTranslations.value}
        label="Show"
        onChange={(on) => {
          showTranslations.value = on;
        }}
      />
      {isMine(conversation) && (
        <span class="composer-hint wide-only">
          {!visitorLanguage
            ? "Choose the visitor’s language: until then your replies are sent as written."
            : settings.supported
              ? "Your replies are translated."
              : "Your replies are sent as written."}
        </span>
      )}
    </div>
  );
}

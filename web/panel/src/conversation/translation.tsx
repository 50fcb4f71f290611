/** Translation of a conversation: on or off, and the visitor's language. */

import { useSignal } from "@preact/signals";
import type { Conversation } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { shortcutHint } from "../commands/registry";
import { IconButton, Switch } from "../components/controls";
import { Icon } from "../components/icon";
import { LANGUAGES, languageName } from "../components/languages";
import { runWithToast } from "../components/toasts";
import { t } from "../i18n/i18n";
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

/** Turns the translation of a conversation on or off. */
export async function setTranslated(id: number, enabled: boolean): Promise<void> {
  await runWithToast(() =>
    api.post("/operator/translation/toggle", { body: { conversation_id: id, enabled } }),
  );
}

export function TranslateButton({ conversation, thread }: TranslationProps) {
  const on = thread.translation?.enabled === true;
  if (!canChange(conversation)) return null;
  return (
    <IconButton
      icon="language"
      label={on ? t("conversation.stopTranslating") : t("conversation.translate")}
      active={on}
      hint={shortcutHint("chat.translate")}
      onClick={() => setTranslated(conversation.id, !on)}
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
    <div class="translation-bar" role="group" aria-label={t("conversation.translation")}>
      <Icon name="language" size={16} />
      <label>
        <span class="visually-hidden">{t("conversation.visitorLanguage")}</span>
        <select
          class="compact"
          value={visitorLanguage}
          disabled={busy.value || !canChange(conversation)}
          onChange={(event) => setLanguage(event.currentTarget.value)}
        >
          {!visitorLanguage && <option value="">{t("conversation.languageUnknown")}</option>}
          {languages.map((tag) => (
            <option key={tag} value={tag}>
              {languageName(tag)}
            </option>
          ))}
        </select>
      </label>
      <span aria-hidden="true">⇄</span>
      <span>{languageName(settings.operator_lang ?? "en")}</span>
      {visitorLanguage && !settings.supported && (
        <span class="tag warn">{t("conversation.pairUnsupported")}</span>
      )}
      <span class="grow" />
      <Switch
        on={showTranslations.value}
        label={t("conversation.showTranslations")}
        onChange={(on) => {
          showTranslations.value = on;
        }}
      />
      {isMine(conversation) && (
        <span class="composer-hint wide-only">
          {!visitorLanguage
            ? t("conversation.chooseLanguage")
            : settings.supported
              ? t("conversation.repliesTranslated")
              : t("conversation.repliesAsWritten")}
        </span>
      )}
    </div>
  );
}

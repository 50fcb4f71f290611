/** Reading and writing in two languages: on or off, and which one the visitor's is. */
import { useSignal } from "@preact/signals";
import type { Conversation } from "../../../shared/views";
import { ask } from "../api/http";
import { isMine } from "../state/chats";
import { showTranslations } from "../state/prefs";
import { may } from "../state/sites";
import type { Thread } from "../state/threads";
import { attempt } from "../state/toasts";
import { IconButton, Switch } from "../ui/bits";
import { Icon } from "../ui/icon";
import { LANGUAGES, languageName } from "./languages";

const toggle = (row: Conversation, enabled: boolean) =>
  attempt(() => ask("/operator/translation/toggle", { body: { conversation_id: row.id, enabled } }));

const mayChange = (row: Conversation): boolean => row.mode !== "closed" && may(row.site_id, "can_chat");

export function TranslateButton({ row, thread }: { row: Conversation; thread: Thread }) {
  const on = thread.translation?.enabled === true;
  if (!mayChange(row)) return null;
  return (
    <IconButton
      icon="language"
      label={on ? "Stop translating" : "Translate this chat"}
      active={on}
      onClick={() => toggle(row, !on)}
    />
  );
}

export function TranslationBar({ row, thread }: { row: Conversation; thread: Thread }) {
  const busy = useSignal(false);
  const settings = thread.translation;
  if (!settings?.enabled) return null;
  const lang = settings.lang ?? row.visitor.language ?? "";
  const setLang = async (chosen: string) => {
    busy.value = true;
    await attempt(() =>
      ask("/operator/translation/set-lang", { body: { conversation_id: row.id, lang: chosen } }),
    );
    busy.value = false;
  };
  const known = LANGUAGES.includes(lang) || !lang ? LANGUAGES : [lang, ...LANGUAGES];
  return (
    <div class="translation-bar" role="group" aria-label="Translation">
      <Icon name="language" size={16} />
      <label>
        <span class="sr">Visitor’s language</span>
        <select
          class="compact"
          value={lang}
          disabled={busy.value || !mayChange(row)}
          onChange={(event) => setLang(event.currentTarget.value)}
        >
          {!lang && <option value="">Detecting…</option>}
          {known.map((tag) => (
            <option key={tag} value={tag}>
              {languageName(tag)}
            </option>
          ))}
        </select>
      </label>
      <span aria-hidden="true">⇄</span>
      <span>{languageName(settings.operator_lang ?? "en")}</span>
      {lang && !settings.supported && <span class="tag warn">no engine for this pair</span>}
      <span class="grow" />
      <Switch
        on={showTranslations.value}
        label="Show"
        onChange={(on) => {
          showTranslations.value = on;
        }}
      />
      {isMine(row) && <span class="composer-hint wide-only">Your replies go out translated.</span>}
    </div>
  );
}

/** What the visitor will read: the translation of a reply that is not sent yet. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { MessageTranslation } from "../../../shared/apiTypes";
import { api, errorMessage } from "../api/client";
import { Icon } from "../components/icon";
import { languageName } from "../components/languages";
import { getThread } from "../conversation/threads";
import { t } from "../i18n/i18n";
import { persistedSignal } from "../settings/preferences";

/** After this pause in the typing the text is translated: each translation costs the engine's characters. */
const PAUSE_MS = 800;

/** The operator's choice; until they have made one, only the first reply of a chat is previewed. */
const previewChosen = persistedSignal<boolean | null>("translationPreview", null);

/** Whether replies in a chat are translated, and whether that is previewed. */
export function getPreviewState(conversation: number): { available: boolean; shown: boolean } {
  const thread = getThread(conversation);
  const settings = thread?.translation;
  const available =
    settings?.enabled === true &&
    settings.supported &&
    settings.lang !== null &&
    settings.lang !== settings.operator_lang;
  const isFirst = !thread?.messages.some((message) => message.role === "operator");
  return { available, shown: available && (previewChosen.value ?? isFirst) };
}

export function togglePreview(conversation: number): void {
  previewChosen.value = !getPreviewState(conversation).shown;
}

interface Preview {
  text: string;
  /** Null: it would be sent as written. */
  translation: MessageTranslation | null;
  /** Why it could not be fetched. */
  error?: string;
}

export function TranslationPreview({ conversation, text }: { conversation: number; text: string }) {
  const preview = useSignal<Preview | undefined>(undefined);
  const content = text.trim();
  useEffect(() => {
    if (!content) return undefined;
    let isCurrent = true;
    const translate = async () => {
      const body = { conversation_id: conversation, content };
      const fetched = await api
        .post("/operator/translation/preview", { body })
        .catch((error: unknown) => ({ translation: null, error: errorMessage(error) }));
      if (isCurrent) preview.value = { text: content, ...fetched };
    };
    const timer = setTimeout(() => void translate(), PAUSE_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [conversation, content]);
  if (!content) return null;
  const isStale = preview.value?.text !== content;
  const { translation, error } = preview.value ?? {};
  return (
    <div class={`translation-preview${isStale ? " stale" : ""}`} role="status" aria-busy={isStale}>
      <span class="translation-preview-label">
        <Icon name="language" size={14} />{" "}
        {translation
          ? t("composer.visitorReadsIn", { language: languageName(translation.lang) })
          : t("composer.visitorReads")}
      </span>
      {translation?.content ? (
        <p dir="auto" lang={translation.lang}>
          {translation.content}
        </p>
      ) : error && !isStale ? (
        <p class="error-text">{error}</p>
      ) : (
        <p>{preview.value && !isStale ? t("composer.asWritten") : t("composer.translating")}</p>
      )}
    </div>
  );
}

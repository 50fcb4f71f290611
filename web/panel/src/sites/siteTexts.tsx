/** A site's own texts in other languages: drafted by machine or by hand, and shown once a person has approved them. */
import { useSignal } from "@preact/signals";
import type { SiteText, SiteTexts as Texts } from "../../../shared/apiTypes";
import { ApiError } from "../../../shared/http";
import { api, errorMessage } from "../api/client";
import { useFetch } from "../api/useFetch";
import { EmptyState, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { submitForm } from "../components/forms";
import { Icon } from "../components/icon";
import { LANGUAGES, languageName } from "../components/languages";
import { showToast } from "../components/toasts";
import { formatTimeOrDate } from "../i18n/formats";
import { hasText, t } from "../i18n/i18n";
import { confirmLeaving, useUnsavedChanges } from "../navigation/unsavedChanges";
import { LoggedOut } from "../session/session";
import "./siteTexts.css";

const PATH = "/sites/{site_id}/texts";
const MAX_CHARACTERS = 3000;

export function SiteTexts({ siteId }: { siteId: number }) {
  const fetched = useFetch(`site-texts/${siteId}`, () => api.get(PATH, { path: { site_id: siteId } }));
  const changed = useSignal<Texts | null>(null);
  const chosen = useSignal("");
  const translating = useSignal(false);
  if (fetched.error) return <FetchError fetched={fetched} />;
  const shown = changed.value ?? fetched.value;
  if (!shown) return <Spinner />;
  if (shown.texts.length === 0)
    return (
      <EmptyState icon="language" title={t("siteTexts.none")}>
        {t("siteTexts.noneText")}
      </EmptyState>
    );
  const present = languagesOf(shown);
  const language = chosen.value || present[0] || "";
  const choose = (tag: string) => {
    chosen.value = tag;
  };
  const translate = async () => {
    translating.value = true;
    try {
      const options = { path: { site_id: siteId }, body: { language } };
      const answer = await api.post("/sites/{site_id}/texts/translate", options);
      changed.value = answer;
      if (answer.untranslated.length) showToast(t("siteTexts.someFailed"), "error");
    } catch (error) {
      const isUnavailable = error instanceof ApiError && error.code === "translation_unavailable";
      if (!(error instanceof LoggedOut))
        showToast(isUnavailable ? t("siteTexts.noEngine") : errorMessage(error), "error");
    } finally {
      translating.value = false;
    }
  };
  return (
    <div class="stack">
      <p class="muted">{t("siteTexts.hint", { language: languageName(shown.language) })}</p>
      <div class="form-row">
        <select
          aria-label={t("siteTexts.language")}
          value={language}
          onChange={(event) => {
            const select = event.currentTarget;
            const wanted = select.value;
            select.value = language;
            void confirmLeaving().then((leaves) => leaves && choose(wanted));
          }}
        >
          <option value="">{t("siteTexts.choose")}</option>
          {[...present, ...LANGUAGES.filter((tag) => tag !== shown.language && !present.includes(tag))].map(
            (tag) => (
              <option key={tag} value={tag}>
                {present.includes(tag) ? describeProgress(shown, tag) : languageName(tag)}
              </option>
            ),
          )}
        </select>
        {language && (
          <button type="button" class="button" disabled={translating.value} onClick={translate}>
            <Icon name="language" size={16} />{" "}
            {t(translating.value ? "siteTexts.translating" : "siteTexts.translate")}
          </button>
        )}
      </div>
      {language && (
        <ul class="site-texts">
          {shown.texts.map((text) => (
            <Row
              key={`${language}/${text.key}/${versionOf(text, language)}`}
              siteId={siteId}
              language={language}
              text={text}
              onSaved={(texts) => (changed.value = texts)}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

interface RowProps {
  siteId: number;
  language: string;
  text: SiteText;
  onSaved(texts: Texts): void;
}

function Row({ siteId, language, text, onSaved }: RowProps) {
  const { approved, draft } = text.translations[language] ?? { approved: null, draft: null };
  const saved = draft?.content ?? approved?.content ?? "";
  const content = useSignal(saved);
  const busy = useSignal(false);
  const errors = useSignal<Record<string, string>>({});
  const isChanged = content.value.trim() !== saved;
  useUnsavedChanges(isChanged);
  const name = nameOf(text.key);
  const save = (
    change: { content: string; approved: boolean; original: string } | null,
    confirmation: string,
  ) =>
    submitForm(
      busy,
      errors,
      async () => {
        const body = { language, texts: { [text.key]: change } };
        onSaved(await api.put(PATH, { path: { site_id: siteId }, body }));
      },
      confirmation,
    );
  const version = (isApproved: boolean) => ({
    content: content.value.trim(),
    approved: isApproved,
    original: text.original,
  });
  const isNew = isChanged || draft !== null || approved?.stale === true;
  return (
    <li class="site-text">
      <div>
        <h3>{name}</h3>
        <p class="site-text-original" dir="auto">
          {text.original}
        </p>
      </div>
      <div>
        <textarea
          aria-label={t("siteTexts.translationOf", { text: name, language: languageName(language) })}
          lang={language}
          dir="auto"
          rows={3}
          maxLength={MAX_CHARACTERS}
          value={content.value}
          onInput={(event) => (content.value = event.currentTarget.value)}
        />
        {errors.value["texts"] && <p class="error-text">{errors.value["texts"]}</p>}
        <div class="site-text-actions">
          <Status text={text} language={language} />
          <span class="grow" />
          {(approved || draft) && (
            <button
              type="button"
              class="button ghost"
              disabled={busy.value}
              onClick={() => save(null, t("siteTexts.removed"))}
            >
              {t("siteTexts.remove")}
            </button>
          )}
          {isChanged && content.value.trim() && (
            <button
              type="button"
              class="button"
              disabled={busy.value}
              onClick={() => save(version(false), t("siteTexts.draftSaved"))}
            >
              {t("siteTexts.saveDraft")}
            </button>
          )}
          <button
            type="button"
            class="button primary"
            disabled={busy.value || !isNew || !content.value.trim()}
            onClick={() => save(version(true), t("siteTexts.approved"))}
          >
            {t("siteTexts.approve")}
          </button>
        </div>
      </div>
    </li>
  );
}

/** What visitors of the language read, and what waits for a person. */
function Status({ text, language }: { text: SiteText; language: string }) {
  const { approved, draft } = text.translations[language] ?? { approved: null, draft: null };
  if (!approved && !draft) return <span class="tag plain">{t("siteTexts.untranslated")}</span>;
  const by = approved && {
    name: approved.approved_by.name,
    date: formatTimeOrDate(approved.at),
  };
  return (
    <>
      {by && (
        <span class={`tag ${approved.stale ? "warn" : "success"}`} title={t("siteTexts.approvedBy", by)}>
          {t(approved.stale ? "siteTexts.stale" : "siteTexts.shown")}
        </span>
      )}
      {draft && <span class="tag plain">{t(draft.stale ? "siteTexts.staleDraft" : "siteTexts.draft")}</span>}
    </>
  );
}

/** "Form before the chat: field" for "prechat.field.order". */
function nameOf(key: string): string {
  const name = `siteTexts.key_${key.split(".").slice(0, 2).join("_")}`;
  return hasText(name) ? t(name) : key;
}

const languagesOf = ({ texts }: Texts): string[] =>
  [...new Set(texts.flatMap((text) => Object.keys(text.translations)))].sort();

/** "German (1/2)". */
function describeProgress({ texts }: Texts, language: string): string {
  const done = texts.filter((text) => {
    const approved = text.translations[language]?.approved;
    return approved && !approved.stale;
  });
  return `${languageName(language)} (${done.length}/${texts.length})`;
}

function versionOf(text: SiteText, language: string): string {
  const { approved, draft } = text.translations[language] ?? {};
  return `${approved?.at}/${draft?.at}`;
}

/** Parts of the assistant's form: translation, and the site's own AI endpoint. */

import { useSignal } from "@preact/signals";
import type { Chatbot } from "../../../shared/apiTypes";
import { Field } from "../components/controls";
import { t } from "../i18n/i18n";

type TranslationSettings = Chatbot["translation"];

/** `api_key` is set only when one was typed: it is stored encrypted and never returned. */
export type AiSettings = Chatbot["ai"] & { api_key?: string };

interface SettingsProps<T> {
  value: T;
  error: string | undefined;
  change: (value: T) => void;
}

export function TranslationFields({ value, error, change }: SettingsProps<TranslationSettings>) {
  const set = (fields: Partial<TranslationSettings>) => change({ ...value, ...fields });
  return (
    <fieldset>
      <legend>{t("chatbot.translation")}</legend>
      <ListField
        label={t("chatbot.glossary")}
        hint={t("chatbot.glossaryHint")}
        error={error}
        values={value.glossary}
        change={(glossary) => set({ glossary })}
      />
      <div class="columns">
        <ListField
          label={t("chatbot.engines")}
          hint={t("chatbot.enginesHint")}
          values={value.engines}
          change={(engines) => set({ engines })}
        />
        <NumberField
          label={t("chatbot.charactersPerDay")}
          value={value.daily_characters}
          change={(daily_characters) => set({ daily_characters })}
        />
      </div>
    </fieldset>
  );
}

export function AiFields({ value, error, change }: SettingsProps<AiSettings>) {
  const set = (fields: Partial<AiSettings>) => change({ ...value, ...fields });
  const setApiKey = (typed: string) => {
    const { api_key: _, ...rest } = value;
    change(typed ? { ...rest, api_key: typed } : rest);
  };
  return (
    <>
      <div class="columns">
        <Field label={t("chatbot.endpoint")} hint={t("chatbot.endpointHint")} error={error}>
          <input
            type="url"
            maxLength={300}
            placeholder="https://ai.example.com/v1"
            value={value.base_url ?? ""}
            onInput={(event) => set({ base_url: event.currentTarget.value.trim() || null })}
          />
        </Field>
        <Field
          label={t("chatbot.apiKey")}
          hint={value.api_key_set ? t("chatbot.apiKeySet") : t("chatbot.apiKeyUnset")}
        >
          <input
            type="password"
            autoComplete="off"
            maxLength={500}
            value={value.api_key ?? ""}
            onInput={(event) => setApiKey(event.currentTarget.value.trim())}
          />
        </Field>
      </div>
      {value.api_key_set && (
        <button type="button" class="button" onClick={() => set({ api_key: "", api_key_set: false })}>
          {t("chatbot.removeKey")}
        </button>
      )}
      <div class="columns">
        <NumberField
          label={t("chatbot.temperature")}
          value={value.temperature}
          change={(temperature) => set({ temperature })}
        />
        <NumberField
          label={t("chatbot.aiTimeout")}
          value={value.seconds}
          change={(seconds) => set({ seconds })}
        />
        <NumberField
          label={t("chatbot.tokensPerReply")}
          value={value.answer_tokens}
          change={(answer_tokens) => set({ answer_tokens })}
        />
        <NumberField
          label={t("chatbot.tokensPerDay")}
          value={value.daily_tokens}
          change={(daily_tokens) => set({ daily_tokens })}
        />
      </div>
    </>
  );
}

/** What compares the meaning of questions and knowledge. */
export function EmbeddingFields({ value, change }: Omit<SettingsProps<AiSettings>, "error">) {
  const set = (fields: Partial<AiSettings>) => change({ ...value, ...fields });
  return (
    <div class="columns">
      <Field label={t("chatbot.embeddings")}>
        <select
          value={value.embeddings}
          onChange={(event) => set({ embeddings: event.currentTarget.value as AiSettings["embeddings"] })}
        >
          <option value="local">{t("chatbot.embeddingsLocal")}</option>
          <option value="endpoint">{t("chatbot.embeddingsEndpoint")}</option>
          <option value="none">{t("chatbot.embeddingsNone")}</option>
        </select>
      </Field>
      {value.embeddings === "endpoint" && (
        <Field label={t("chatbot.embeddingModel")}>
          <input
            maxLength={100}
            value={value.embedding_model ?? ""}
            onInput={(event) => set({ embedding_model: event.currentTarget.value.trim() || null })}
          />
        </Field>
      )}
    </div>
  );
}

interface ListFieldProps {
  label: string;
  hint?: string;
  placeholder?: string;
  values: string[];
  error?: string | undefined;
  change: (values: string[]) => void;
}

/** A list as one line of text. It is split only when the field loses the focus, so that a comma can be typed. */
function ListField({ label, hint, placeholder, values, error, change }: ListFieldProps) {
  const typed = useSignal<string | null>(null);
  return (
    <Field label={label} hint={hint} error={error}>
      <input
        dir="auto"
        placeholder={placeholder}
        value={typed.value ?? values.join(", ")}
        onInput={(event) => (typed.value = event.currentTarget.value)}
        onChange={(event) => {
          typed.value = null;
          const parts = event.currentTarget.value.split(",").map((part) => part.trim());
          change(parts.filter(Boolean));
        }}
      />
    </Field>
  );
}

interface NumberFieldProps {
  label: string;
  /** Null: the installation's default. */
  value: number | null;
  change: (value: number | null) => void;
}

function NumberField({ label, value, change }: NumberFieldProps) {
  return (
    <Field label={label} hint={t("chatbot.blankDefault")}>
      <input
        type="number"
        class="short"
        min={0}
        step="any"
        value={value ?? ""}
        onInput={(event) => {
          const number = event.currentTarget.valueAsNumber;
          change(Number.isNaN(number) ? null : number);
        }}
      />
    </Field>
  );
}

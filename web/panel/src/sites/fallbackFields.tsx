/** The engines of a site after its first one: who answers when that fails. */

import type { Chatbot as ApiChatbot } from "../../../shared/apiTypes";
import { Field } from "../components/controls";
import { Icon } from "../components/icon";
import { formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { EngineCheck } from "./engineCheck";
import { PriceField } from "./priceFields";
import type { AiSettings } from "./siteSettings";

type StoredFallback = ApiChatbot["fallbacks"][number];
/** One that is new has no id yet; `api_key` is set only when one was typed. */
export type Fallback = Omit<StoredFallback, "id" | "check"> & {
  id?: string;
  check?: StoredFallback["check"];
  api_key?: string;
};

const MAX_FALLBACKS = 3;
const NEW: Fallback = {
  engine: "openai",
  model: null,
  base_url: null,
  input_price: null,
  output_price: null,
  api_key_set: false,
};

interface FallbackFieldsProps {
  siteId: number;
  ai: AiSettings;
  value: Fallback[];
  /** By the field's path, such as "fallbacks.0.base_url". */
  errors: Record<string, string>;
  change: (fallbacks: Fallback[]) => void;
}

export function FallbackFields({ siteId, ai, value, errors, change }: FallbackFieldsProps) {
  const moveUp = (index: number) => {
    const moved = [...value];
    moved.splice(index - 1, 0, ...moved.splice(index, 1));
    change(moved);
  };
  return (
    <fieldset>
      <legend>{t("engines.fallbacks")}</legend>
      <p class="muted">{t("engines.fallbacksHint")}</p>
      {errors["fallbacks"] && <p class="error-text">{errors["fallbacks"]}</p>}
      {value.map((fallback, index) => (
        <FallbackCard
          key={fallback.id ?? `new-${index}`}
          siteId={siteId}
          ai={ai}
          number={index + 2}
          fallback={fallback}
          change={(changed) => change(value.map((one, at) => (at === index ? changed : one)))}
          remove={() => change(value.filter((_, at) => at !== index))}
          moveUp={index > 0 ? () => moveUp(index) : undefined}
        />
      ))}
      {value.length < MAX_FALLBACKS && (
        <div>
          <button type="button" class="button" onClick={() => change([...value, NEW])}>
            <Icon name="plus" size={16} /> {t("engines.addFallback")}
          </button>
        </div>
      )}
    </fieldset>
  );
}

interface FallbackCardProps {
  siteId: number;
  ai: AiSettings;
  number: number;
  fallback: Fallback;
  change: (fallback: Fallback) => void;
  remove: () => void;
  moveUp: (() => void) | undefined;
}

function FallbackCard({ siteId, ai, number, fallback, change, remove, moveUp }: FallbackCardProps) {
  const set = (fields: Partial<Fallback>) => change({ ...fallback, ...fields });
  const setApiKey = (typed: string) => {
    const { api_key: _, ...rest } = fallback;
    change(typed ? { ...rest, api_key: typed } : rest);
  };
  const { id, engine, model, base_url, api_key, api_key_set, check } = fallback;
  const isBuiltin = engine === "builtin";
  const { api_key: _, ...shared } = ai;
  const own: AiSettings = { ...shared, base_url, api_key_set, ...(api_key ? { api_key } : {}) };
  return (
    <div class="fallback stack" role="group" aria-label={t("engines.fallbackNumber", { number })}>
      <div class="columns">
        <Field label={t("chatbot.engine")}>
          <select value={engine} onChange={(event) => set({ engine: event.currentTarget.value })}>
            <option value="openai">{t("chatbot.engineOpenai")}</option>
            <option value="builtin">{t("chatbot.engineBuiltin")}</option>
          </select>
        </Field>
        {!isBuiltin && (
          <Field label={t("chatbot.model")} hint={t("chatbot.modelHint")}>
            <input
              maxLength={100}
              value={model ?? ""}
              onInput={(event) => set({ model: event.currentTarget.value.trim() || null })}
            />
          </Field>
        )}
      </div>
      {!isBuiltin && (
        <div class="columns">
          <Field label={t("chatbot.endpoint")} hint={t("chatbot.endpointHint")}>
            <input
              type="url"
              maxLength={300}
              placeholder="https://ai.example.com/v1"
              value={base_url ?? ""}
              onInput={(event) => set({ base_url: event.currentTarget.value.trim() || null })}
            />
          </Field>
          <Field
            label={t("chatbot.apiKey")}
            hint={api_key_set ? t("chatbot.apiKeySet") : t("chatbot.apiKeyUnset")}
          >
            <input
              type="password"
              autoComplete="off"
              maxLength={500}
              value={api_key ?? ""}
              onInput={(event) => setApiKey(event.currentTarget.value.trim())}
            />
          </Field>
        </div>
      )}
      {!isBuiltin && (
        <div class="columns">
          <PriceField
            label={t("engines.price_input")}
            value={fallback.input_price ?? null}
            change={(input_price) => set({ input_price })}
          />
          <PriceField
            label={t("engines.price_output")}
            value={fallback.output_price ?? null}
            change={(output_price) => set({ output_price })}
          />
        </div>
      )}
      {!isBuiltin && <EngineCheck siteId={siteId} engine={id} model={model} ai={own} stored={check} />}
      <div class="fallback-actions">
        {moveUp && (
          <button type="button" class="button" onClick={moveUp}>
            {t("engines.moveUp", { number })}
          </button>
        )}
        <button type="button" class="button" onClick={remove}>
          <Icon name="trash" size={16} /> {t("engines.removeFallback", { number })}
        </button>
      </div>
    </div>
  );
}

/** Engines that are left alone, as they kept failing. */
export function FailingEngines({ chatbot }: { chatbot: Pick<ApiChatbot, "failing_engines" | "fallbacks"> }) {
  // The previous version of the server has no such field.
  return (chatbot.failing_engines ?? []).map(({ engine, since, error }) => {
    const number = chatbot.fallbacks.findIndex((one) => one.id === engine) + 2;
    return (
      <p key={engine} class="notice-error" role="status">
        <Icon name="info" size={16} />
        <span>
          <strong>
            {t("engines.failingSince", {
              engine: t("engines.fallbackNumber", { number }),
              time: formatTimeOrDate(since),
            })}
          </strong>{" "}
          <span lang="en">{error.message}</span>
        </span>
      </p>
    );
  });
}

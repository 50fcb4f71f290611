/** What the AI endpoint of a site can do: a button that asks it, and a table of the answers. */

import { useSignal } from "@preact/signals";
import type { Chatbot as ApiChatbot } from "../../../shared/apiTypes";
import { api, errorMessage } from "../api/client";
import { Icon } from "../components/icon";
import { formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import type { AiSettings } from "./siteSettings";
import "./engineCheck.css";

type Check = NonNullable<ApiChatbot["check"]>;

/** Longer than the server takes for the slowest endpoint. */
const TIMEOUT_MS = 55_000;

interface EngineCheckProps {
  siteId: number;
  /** The id of a stored engine after the first one. */
  engine?: string | undefined;
  model: string | null;
  ai: AiSettings;
  /** The last check of the stored settings. */
  stored: Check | null | undefined;
}

export function EngineCheck({ siteId, engine, model, ai, stored }: EngineCheckProps) {
  const checked = useSignal<Check | null>(null);
  const busy = useSignal(false);
  const error = useSignal("");
  const run = async () => {
    busy.value = true;
    error.value = "";
    const { base_url, embeddings, embedding_model, api_key, api_key_set } = ai;
    const key = api_key !== undefined || !api_key_set ? { api_key: api_key ?? "" } : {};
    try {
      const body = { engine: engine ?? null, base_url, model, embeddings, embedding_model, ...key };
      const path = { site_id: siteId };
      checked.value = (
        await api.post("/sites/{site_id}/chatbot/check", { path, body, timeoutMs: TIMEOUT_MS })
      ).check;
    } catch (failure) {
      error.value = errorMessage(failure);
    } finally {
      busy.value = false;
    }
  };
  const check = checked.value ?? stored;
  return (
    <div class="stack engine-check">
      <div class="engine-check-start">
        <button type="button" class="button" disabled={busy.value} onClick={() => void run()}>
          {busy.value ? t("engines.checking") : t("engines.check")}
        </button>
        <span class="muted">{t("engines.checkHint")}</span>
      </div>
      <div role="status" aria-busy={busy.value}>
        {error.value && <p class="error-text">{error.value}</p>}
        {check && !busy.value && <CheckTable check={check} />}
      </div>
    </div>
  );
}

const ICONS = { ok: "check", limited: "info", failed: "close" } as const;

function CheckTable({ check }: { check: Check }) {
  const facts = [
    t("engines.checkedAt", { time: formatTimeOrDate(check.at) }),
    check.first_word_seconds === null ? "" : t("engines.firstWord", { seconds: check.first_word_seconds }),
    t("engines.tokensUsed", { tokens: check.tokens }),
    check.known_models.length ? t("engines.knownModels", { models: check.known_models.join(", ") }) : "",
  ];
  return (
    <table class="check-table">
      <caption>
        <strong class={check.ok ? "" : "error-text"}>
          {t(check.ok ? "engines.works" : "engines.fails")}
        </strong>{" "}
        <span class="muted">{facts.filter(Boolean).join(" · ")}</span>
      </caption>
      <thead class="visually-hidden">
        <tr>
          <th scope="col">{t("engines.property")}</th>
          <th scope="col">{t("engines.result")}</th>
        </tr>
      </thead>
      <tbody>
        {check.steps.map((step) => (
          <tr key={step.name} data-status={step.status}>
            <th scope="row">{t(`engines.step_${step.name}`)}</th>
            <td>
              <Icon name={ICONS[step.status]} size={16} />
              <span class="visually-hidden">{t(`engines.status_${step.status}`)}: </span>
              <span lang="en">{step.message}</span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A part of the assistant's form: how much the AI replies in a day, and what it has used today. */

import type { Chatbot } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { Field } from "../components/controls";
import { FetchError } from "../components/fetchError";
import { formatNumber } from "../i18n/formats";
import { t } from "../i18n/i18n";

type Caps = Chatbot["caps"];

const CAPS = ["site", "address", "session", "conversation"] as const;

interface CapsFieldsProps {
  siteId: number;
  value: Caps;
  errors: Record<string, string>;
  change: (value: Caps) => void;
}

export function CapsFields({ siteId, value, errors, change }: CapsFieldsProps) {
  const set = (fields: Partial<Caps>) => change({ ...value, ...fields });
  return (
    <fieldset>
      <legend>{t("engines.caps")}</legend>
      <p class="muted">{t("engines.capsHint")}</p>
      <div class="columns">
        {CAPS.map((name) => (
          <Field key={name} label={t(`engines.cap_${name}`)} error={errors[`caps.${name}`]}>
            <input
              type="number"
              class="short"
              min={1}
              max={10_000_000}
              value={value[name] ?? ""}
              onInput={({ currentTarget: { value: typed } }) => set({ [name]: typed ? Number(typed) : null })}
            />
          </Field>
        ))}
        <Field label={t("engines.whenReached")}>
          <select
            value={value.when_reached}
            onChange={(event) => set({ when_reached: event.currentTarget.value as Caps["when_reached"] })}
          >
            <option value="handoff">{t("engines.whenReached_handoff")}</option>
            <option value="builtin">{t("engines.whenReached_builtin")}</option>
          </select>
        </Field>
      </div>
      <UsedToday siteId={siteId} />
    </fieldset>
  );
}

function UsedToday({ siteId }: { siteId: number }) {
  const path = { site_id: siteId };
  const fetched = useFetch(`chatbot/${siteId}/usage`, () =>
    api.get("/sites/{site_id}/chatbot/usage", { path }),
  );
  const used = fetched.value;
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!used) return null;
  const of = (count: number, limit: number | null) =>
    limit === null ? formatNumber(count) : `${formatNumber(count)} / ${formatNumber(limit)}`;
  return (
    <p>
      {t("engines.usedToday", {
        replies: of(used.replies, used.reply_limit),
        tokens: of(used.tokens, used.token_limit),
      })}
    </p>
  );
}

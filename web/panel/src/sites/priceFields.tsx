/** A part of the assistant's form: what tokens cost, for the reports. */

import type { Chatbot } from "../../../shared/apiTypes";
import { Field } from "../components/controls";
import { t } from "../i18n/i18n";

type Prices = Chatbot["prices"];

const PRICES = ["input", "output", "embedding"] as const;

interface PriceFieldsProps {
  value: Prices;
  errors: Record<string, string>;
  change: (value: Prices) => void;
}

export function PriceFields({ value, errors, change }: PriceFieldsProps) {
  const set = (fields: Partial<Prices>) => change({ ...value, ...fields });
  return (
    <fieldset>
      <legend>{t("engines.prices")}</legend>
      <p class="muted">{t("engines.pricesHint")}</p>
      <div class="columns">
        <Field label={t("engines.currency")} error={errors["prices.currency"]}>
          <input
            class="short"
            maxLength={3}
            pattern="[A-Z]{3}"
            value={value.currency}
            onInput={(event) => set({ currency: event.currentTarget.value.trim().toUpperCase() })}
          />
        </Field>
        {PRICES.map((name) => (
          <PriceField
            key={name}
            label={t(`engines.price_${name}`)}
            value={value[name]}
            change={(price) => set({ [name]: price })}
          />
        ))}
      </div>
    </fieldset>
  );
}

interface PriceFieldProps {
  label: string;
  value: number | null;
  change: (value: number | null) => void;
}

export function PriceField({ label, value, change }: PriceFieldProps) {
  return (
    <Field label={label}>
      <input
        type="number"
        class="short"
        min={0}
        max={1_000_000}
        step="any"
        value={value ?? ""}
        onInput={({ currentTarget: { value: typed } }) => change(typed ? Number(typed) : null)}
      />
    </Field>
  );
}

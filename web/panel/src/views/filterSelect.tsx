/** A field by which lists of conversations are filtered, and the choices that several lists have. */
import type { Label } from "../../../shared/apiTypes";
import { LANGUAGES, languageName } from "../components/languages";
import { formatNumber } from "../i18n/formats";

type Option<Value> = readonly [value: Value, text: string];

interface FilterSelectProps<Value extends string | number> {
  label: string;
  /** The text of the choice that does not filter. */
  any: string;
  value: Value | null;
  options: readonly Option<Value>[];
  onChange: (value: Value | null) => void;
}

export function FilterSelect<Value extends string | number>({
  label,
  any,
  value,
  options,
  onChange,
}: FilterSelectProps<Value>) {
  const find = (chosen: string) => options.find(([one]) => String(one) === chosen)?.[0] ?? null;
  return (
    <select
      aria-label={label}
      value={value ?? ""}
      onChange={(event) => onChange(find(event.currentTarget.value))}
    >
      <option value="">{any}</option>
      {options.map(([one, text]) => (
        <option key={one} value={one}>
          {text}
        </option>
      ))}
    </select>
  );
}

const RATINGS = [1, 2, 3, 4, 5];

export const ratingOptions = (): Option<number>[] =>
  RATINGS.map((rating) => [rating, `${formatNumber(rating)}★`]);

export const languageOptions = (): Option<string>[] => LANGUAGES.map((tag) => [tag, languageName(tag)]);

export const labelOptions = (labels: readonly Label[]): Option<number>[] =>
  labels.map((label) => [label.id, label.name]);

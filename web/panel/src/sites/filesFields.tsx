/** A part of the assistant's form: which files may be sent on the site. */
import type { Chatbot } from "../../../shared/apiTypes";
import { Field, Switch } from "../components/controls";
import { t } from "../i18n/i18n";

type FilesSettings = Chatbot["files"];

const KINDS = ["pdf", "document", "text", "audio", "video"] as const satisfies FilesSettings["kinds"];
const MEGABYTE = 1024 * 1024;

interface FilesFieldsProps {
  value: FilesSettings;
  error: string | undefined;
  change(value: FilesSettings): void;
}

export function FilesFields({ value, error, change }: FilesFieldsProps) {
  const set = (fields: Partial<FilesSettings>) => change({ ...value, ...fields });
  const toggle = (kind: (typeof KINDS)[number], on: boolean) =>
    set({ kinds: KINDS.filter((one) => (one === kind ? on : value.kinds.includes(one))) });
  return (
    <fieldset>
      <legend>{t("files.title")}</legend>
      <Switch
        on={value.enabled_for_visitors}
        label={t("files.visitorsMaySend")}
        onChange={(on) => set({ enabled_for_visitors: on })}
      />
      <div class="form-row" role="group" aria-label={t("files.kinds")}>
        {KINDS.map((kind) => (
          <Switch
            key={kind}
            on={value.kinds.includes(kind)}
            label={t(`files.kind_${kind}`)}
            onChange={(on) => toggle(kind, on)}
          />
        ))}
      </div>
      <Field label={t("files.maxSize")} hint={t("files.maxSizeHint")} error={error}>
        <input
          type="number"
          min={1}
          max={1024}
          value={value.max_bytes === null ? "" : Math.max(1, Math.round(value.max_bytes / MEGABYTE))}
          onInput={({ currentTarget: { value: typed } }) =>
            set({ max_bytes: typed ? Math.round(Number(typed) * MEGABYTE) : null })
          }
        />
      </Field>
      <Field label={t("files.expireDays")} hint={t("files.expireDaysHint")}>
        <input
          type="number"
          min={1}
          max={3650}
          value={value.expire_days ?? ""}
          onInput={({ currentTarget: { value: typed } }) =>
            set({ expire_days: typed ? Number(typed) : null })
          }
        />
      </Field>
    </fieldset>
  );
}

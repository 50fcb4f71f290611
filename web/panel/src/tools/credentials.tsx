/** What a site's own server knows Parley by: a new secret to copy, and the field of the header that it needs. */

import type { Signal } from "@preact/signals";
import { CopyField, Field } from "../components/controls";
import { copyToClipboard } from "../components/forms";
import { t } from "../i18n/i18n";

export const NewSecret = ({ secret }: { secret: string }) => (
  <div class="notice" role="status">
    <p>{t("tools.copyNow")}</p>
    <CopyField text={secret} onCopy={() => copyToClipboard(secret, t("tools.secret"))} />
  </div>
);

interface AuthorizationFieldProps {
  value: Signal<string>;
  /** Whether one is set, which stays if this field is left empty. */
  isSet: boolean | undefined;
  error: string | undefined;
}

export const AuthorizationField = ({ value, isSet, error }: AuthorizationFieldProps) => (
  <Field
    label={t("tools.authorization")}
    hint={isSet ? t("tools.authorizationKept") : undefined}
    error={error}
  >
    <input
      type="password"
      autocomplete="off"
      maxLength={2000}
      dir="ltr"
      value={value.value}
      onInput={(event) => (value.value = event.currentTarget.value)}
    />
  </Field>
);

/** Why something could not be fetched, and a button that tries again. */
import { t } from "../i18n/i18n";

interface FetchErrorProps {
  fetched: { error: string; reload: () => Promise<void> };
}

export const FetchError = ({ fetched }: FetchErrorProps) => (
  <p class="error-text" role="alert">
    {fetched.error}{" "}
    <button type="button" class="text-button" onClick={fetched.reload}>
      {t("common.tryAgain")}
    </button>
  </p>
);

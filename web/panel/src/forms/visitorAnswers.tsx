/** What a visitor has answered in the site's forms. */
import type { Visitor } from "../../../shared/apiTypes";
import { formatDateTime, formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";

export function VisitorAnswers({ form }: { form: NonNullable<Visitor["form"]> }) {
  const { answers, consent, department } = form;
  return (
    <section class="details-section">
      <h3>{t("forms.answers")}</h3>
      <dl class="detail-list">
        {answers.map(({ key, label, value }) => (
          <Answer key={key} label={label}>
            {typeof value === "boolean" ? t(value ? "forms.yes" : "forms.no") : value}
          </Answer>
        ))}
        {department && <Answer label={t("forms.department")}>{department.name}</Answer>}
        {consent && (
          <Answer label={t("forms.consent")}>
            <span title={formatDateTime(consent.at)}>
              {t(consent.given ? "forms.consentGiven" : "forms.consentRefused", {
                version: String(consent.version),
                date: formatTimeOrDate(consent.at),
              })}
            </span>
          </Answer>
        )}
        <Answer label={t("forms.answered")}>{formatTimeOrDate(form.answered_at)}</Answer>
      </dl>
    </section>
  );
}

const Answer = ({ label, children }: { label: string; children: preact.ComponentChildren }) => (
  <div>
    <dt dir="auto">{label}</dt>
    <dd dir="auto">{children}</dd>
  </div>
);

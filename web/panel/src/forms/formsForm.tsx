/** A site's forms: before the chat, and while nobody is there; consent, departments, and how visitors see them. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ResponseBody, SiteForms } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { Field, IconButton, Switch } from "../components/controls";
import { Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { submitForm } from "../components/forms";
import { Icon } from "../components/icon";
import { runWithToast } from "../components/toasts";
import { formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { labelsOfSite, loadLabels } from "../labels/labels";
import { useUnsavedChanges } from "../navigation/unsavedChanges";
import type { Site } from "../sites/sites";
import { loadTeams, teams } from "../teams/teams";
import { FormPreview } from "./formPreview";
import { type Question, QuestionsEditor } from "./questionsEditor";
import "./forms.css";

type FormsResponse = ResponseBody<"get", "/sites/{site_id}/forms">;

export function FormsForm({ site }: { site: Site }) {
  const fetched = useFetch(`forms/${site.id}`, () =>
    api.get("/sites/{site_id}/forms", { path: { site_id: site.id } }),
  );
  useEffect(() => {
    void runWithToast(() => Promise.all([loadTeams(), loadLabels()]));
  }, []);
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!fetched.value) return <Spinner />;
  return <Editor site={site} saved={fetched.value} onSaved={fetched.set} />;
}

interface EditorProps {
  site: Site;
  saved: FormsResponse;
  onSaved: (saved: FormsResponse) => void;
}

function Editor({ site, saved, onSaved }: EditorProps) {
  const forms = useSignal<SiteForms>(saved.forms);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  useUnsavedChanges(JSON.stringify(forms.value) !== JSON.stringify(saved.forms));
  const { prechat, offline, consent, departments } = forms.value;
  const set = (fields: Partial<SiteForms>) => {
    forms.value = { ...forms.value, ...fields };
  };
  const setPrechat = (fields: Partial<SiteForms["prechat"]>) => set({ prechat: { ...prechat, ...fields } });
  const setOffline = (fields: Partial<SiteForms["offline"]>) => set({ offline: { ...offline, ...fields } });
  const submit = async (event: Event) => {
    event.preventDefault();
    let response = saved;
    const options = { path: { site_id: site.id }, body: forms.value };
    const save = async () => {
      response = await api.put("/sites/{site_id}/forms", options);
    };
    if (!(await submitForm(busy, errors, save, t("forms.saved")))) return;
    forms.value = response.forms;
    onSaved(response);
  };
  return (
    <form class="forms-editor" onSubmit={submit}>
      <div class="stack">
        <p class="muted">{t("forms.hint")}</p>
        <fieldset>
          <legend>{t("forms.prechat")}</legend>
          <Switch
            on={prechat.enabled}
            label={t("forms.prechatOn")}
            onChange={(enabled) => setPrechat({ enabled })}
          />
          <p class="muted">{t("forms.prechatHint")}</p>
          <Words value={prechat} change={setPrechat} />
          <QuestionsEditor fields={prechat.fields} change={(fields) => setPrechat({ fields })} />
          <SectionError text={errors.value["prechat"]} />
        </fieldset>
        <fieldset>
          <legend>{t("forms.offline")}</legend>
          <Switch
            on={offline.enabled}
            label={t("forms.offlineOn")}
            onChange={(enabled) => setOffline({ enabled })}
          />
          <Switch
            on={offline.replaces_chat}
            label={t("forms.replacesChat")}
            onChange={(replaces_chat) => setOffline({ replaces_chat })}
          />
          <Words value={offline} change={setOffline} />
          <QuestionsEditor
            fixed="email"
            fields={offlineFields(offline)}
            change={(fields) => setOffline({ fields })}
          />
          <Field label={t("forms.confirmation")} hint={t("forms.confirmationHint")}>
            <textarea
              rows={2}
              dir="auto"
              maxLength={1000}
              value={offline.confirmation}
              onInput={(event) => setOffline({ confirmation: event.currentTarget.value })}
            />
          </Field>
          <Field label={t("forms.label")}>
            <select
              value={offline.label_id ?? ""}
              onChange={(event) => setOffline({ label_id: Number(event.currentTarget.value) || null })}
            >
              <option value="">{t("forms.noLabel")}</option>
              {labelsOfSite(site.id).map((label) => (
                <option key={label.id} value={label.id}>
                  {label.name}
                </option>
              ))}
            </select>
          </Field>
          <SectionError text={errors.value["offline"]} />
        </fieldset>
        <ConsentFields
          consent={consent}
          texts={saved.consent_texts}
          error={errors.value["consent"]}
          change={(changed) => set({ consent: changed })}
        />
        <Departments
          siteId={site.id}
          departments={departments}
          error={errors.value["departments"]}
          change={(changed) => set({ departments: changed })}
        />
        <div>
          <button type="submit" class="button primary" disabled={busy.value}>
            {t("forms.save")}
          </button>
        </div>
      </div>
      <FormPreview forms={forms.value} />
    </form>
  );
}

const EMAIL: Question = {
  key: "email",
  type: "email",
  label: "",
  required: true,
  options: [],
  max_length: 1000,
};

/** The questions of the offline form, which always asks for an e-mail address. */
const offlineFields = ({ fields }: SiteForms["offline"]): Question[] =>
  fields.some(({ key }) => key === EMAIL.key) ? fields : [EMAIL, ...fields];

const SectionError = ({ text }: { text: string | undefined }) =>
  text ? (
    <p class="error-text" role="alert">
      {text}
    </p>
  ) : null;

interface WordsProps {
  value: { title: string; intro: string };
  change(value: { title?: string; intro?: string }): void;
}

function Words({ value, change }: WordsProps) {
  return (
    <>
      <Field label={t("forms.formTitle")}>
        <input
          dir="auto"
          maxLength={200}
          value={value.title}
          onInput={(event) => change({ title: event.currentTarget.value })}
        />
      </Field>
      <Field label={t("forms.intro")}>
        <textarea
          rows={2}
          dir="auto"
          maxLength={1000}
          value={value.intro}
          onInput={(event) => change({ intro: event.currentTarget.value })}
        />
      </Field>
    </>
  );
}

interface ConsentFieldsProps {
  consent: SiteForms["consent"];
  texts: FormsResponse["consent_texts"];
  error: string | undefined;
  change(consent: SiteForms["consent"]): void;
}

function ConsentFields({ consent, texts, error, change }: ConsentFieldsProps) {
  const set = (text: string, required: boolean) =>
    change(text ? { text, required, version: consent?.version ?? 0 } : null);
  return (
    <fieldset>
      <legend>{t("forms.consent")}</legend>
      <Field label={t("forms.consentText")} hint={t("forms.consentHint")} error={error}>
        <textarea
          rows={3}
          dir="auto"
          maxLength={2000}
          value={consent?.text ?? ""}
          onInput={(event) => set(event.currentTarget.value, consent?.required ?? true)}
        />
      </Field>
      {consent && (
        <Switch
          on={consent.required}
          label={t("forms.consentRequired")}
          onChange={(required) => set(consent.text, required)}
        />
      )}
      {texts.length > 0 && (
        <details>
          <summary>{t("forms.versions")}</summary>
          <dl class="detail-list">
            {texts.map(({ version, text, since }) => (
              <div key={version}>
                <dt>
                  {t("forms.version", { version: String(version) })} · {formatTimeOrDate(since)}
                </dt>
                <dd dir="auto">{text}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </fieldset>
  );
}

interface DepartmentsProps {
  siteId: number;
  departments: SiteForms["departments"];
  error: string | undefined;
  change(departments: SiteForms["departments"]): void;
}

function Departments({ siteId, departments, error, change }: DepartmentsProps) {
  const set = (index: number, fields: Partial<SiteForms["departments"][number]>) =>
    change(departments.map((one, at) => (at === index ? { ...one, ...fields } : one)));
  const used = new Set(departments.map((one) => one.team_id));
  const choices = [
    ...teams.value
      .filter((team) => team.site_ids.includes(siteId))
      .map(({ id, name }) => ({ id: id as number | null, name })),
    { id: null, name: t("teams.anyone") },
  ];
  const unused = choices.find(({ id }) => !used.has(id));
  return (
    <fieldset>
      <legend>{t("forms.departments")}</legend>
      <p class="muted">{t("forms.departmentsHint")}</p>
      {departments.map((department, index) => (
        <div key={index} class="form-row">
          <select
            aria-label={t("teams.team")}
            value={department.team_id ?? ""}
            onChange={(event) => set(index, { team_id: Number(event.currentTarget.value) || null })}
          >
            {choices
              .filter(({ id }) => id === department.team_id || !used.has(id))
              .map(({ id, name }) => (
                <option key={id} value={id ?? ""}>
                  {name}
                </option>
              ))}
          </select>
          <input
            required
            dir="auto"
            maxLength={200}
            aria-label={t("forms.departmentLabel")}
            placeholder={t("forms.departmentLabel")}
            value={department.label}
            onInput={(event) => set(index, { label: event.currentTarget.value })}
          />
          <IconButton
            icon="trash"
            label={t("forms.removeDepartment")}
            onClick={() => change(departments.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <SectionError text={error} />
      <button
        type="button"
        class="button small"
        disabled={!unused || departments.length >= 20}
        onClick={() => unused && change([...departments, { team_id: unused.id, label: unused.name }])}
      >
        <Icon name="plus" size={14} /> {t("forms.addDepartment")}
      </button>
    </fieldset>
  );
}

/** A form of the site: before the chat, or to leave a message while nobody is there. What is typed outlives the page. */
import { type Signal, signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { WidgetConfig } from "../../../shared/apiTypes";
import { MarkdownText } from "../../../shared/components";
import { ApiError } from "../../../shared/http";
import { randomId, readJson, writeJson, writeText } from "../../../shared/storage";
import { strings } from "../i18n/lateTexts";
import { formStyles } from "../styles/formStyles";
import { type FormKind, MESSAGE, type WidgetStore } from "../widgetStore";

type Form = NonNullable<WidgetConfig["prechat_form"]>;
type Field = Form["fields"][number];

/** What is typed, by the fields' keys; `message`, `team_id` and `consent` stand under names that no key can have. */
interface Draft {
  values: Record<string, string | boolean>;
  /** The id of the message: sent again, it is the same one. */
  messageId: string;
}

const TEAM = "-team";
const CONSENT = "-consent";
/** In place of an empty value, which is the one that asks to choose. */
const NO_TEAM = "0";
const MAX_CHARACTERS = 8000;

const sheet = new CSSStyleSheet();
sheet.replaceSync(formStyles);

const TYPES = { name: "text", email: "email", phone: "tel", text: "text" } as const;
const COMPLETIONS: Partial<Record<Field["type"], string>> = { name: "name", email: "email", phone: "tel" };

export function SiteForm({ store, kind }: { store: WidgetStore; kind: FormKind }) {
  const element = useRef<HTMLFormElement>(null);
  const form = store.config.value?.[`${kind}_form`];
  const [draft] = useState(() => signal(loadDraft(store, kind, form?.fields ?? [])));
  const [errors] = useState(() => signal<Record<string, string>>({}));
  const [busy] = useState(() => signal(false));
  useEffect(() => {
    const root = element.current?.getRootNode() as ShadowRoot;
    if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
    findControls(element.current)[0]?.focus();
  }, []);
  if (!form) return null;
  const set = (key: string, value: string | boolean) => {
    draft.value = { ...draft.value, values: { ...draft.value.values, [key]: value } };
    writeJson(store.formKey(kind), draft.value);
    if (errors.value[key]) errors.value = { ...errors.value, [key]: "" };
  };
  const showErrors = (found: Record<string, string>) => {
    errors.value = found;
    findControls(element.current)
      .find((control) => found[control.name])
      ?.focus();
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    const invalid = Object.fromEntries(
      findControls(element.current)
        .filter((control) => !control.validity.valid)
        .map((control) => [control.name, errorOf(control)]),
    );
    if (Object.keys(invalid).length) return showErrors(invalid);
    busy.value = true;
    try {
      await store.submitForm(kind, toBody(form, draft.value), draft.value.messageId);
      writeText(store.formKey(kind), null);
    } catch (error) {
      const named = error instanceof ApiError ? (error.body.errors ?? {}) : {};
      showErrors(Object.fromEntries(Object.keys(named).map((name) => toFieldError(name, form))));
    }
    busy.value = false;
  };
  const props = { values: draft.value.values, errors, set };
  const title = form.title || (kind === "offline" ? strings.leaveMessage : "");
  const isClosable = kind === "offline" && store.isLeaving.value;
  const mayLeave = kind === "prechat" && store.config.value?.offline_form;
  return (
    <form ref={element} class="form-card site-form" noValidate onSubmit={submit}>
      {title && <h3 dir="auto">{title}</h3>}
      {form.intro && <p dir="auto">{form.intro}</p>}
      {form.fields.map((field) => (
        <FormField key={field.key} field={field} {...props} />
      ))}
      {form.departments.length > 0 && <Departments form={form} {...props} />}
      {kind === "offline" && (
        <Labelled name={MESSAGE} label={strings.yourMessage} errors={errors}>
          {(control) => (
            <textarea
              {...control}
              required
              rows={4}
              dir="auto"
              maxLength={MAX_CHARACTERS}
              value={String(props.values[MESSAGE] ?? "")}
              onInput={({ currentTarget }) => set(MESSAGE, currentTarget.value)}
            />
          )}
        </Labelled>
      )}
      {form.consent && (
        <Check name={CONSENT} required={form.consent.required} {...props}>
          <MarkdownText text={form.consent.text} />
        </Check>
      )}
      <div class="form-buttons">
        <button type="submit" class="primary-button" disabled={busy.value}>
          {kind === "offline" ? strings.send : strings.startChat}
        </button>
        {isClosable && (
          <button type="button" class="text-button" onClick={() => (store.isLeaving.value = false)}>
            {strings.cancel}
          </button>
        )}
        {mayLeave && (
          <button type="button" class="text-button" onClick={() => (store.isLeaving.value = true)}>
            {strings.leaveMessage}
          </button>
        )}
      </div>
    </form>
  );
}

interface ControlProps {
  values: Draft["values"];
  errors: Signal<Record<string, string>>;
  set(key: string, value: string | boolean): void;
}

function FormField({ field, values, errors, set }: ControlProps & { field: Field }) {
  const { key, type, required, max_length: maxLength } = field;
  const label = field.label || contactLabel(type);
  if (type === "checkbox") {
    return (
      <Check name={key} required={required} values={values} errors={errors} set={set}>
        <span dir="auto">{label}</span>
      </Check>
    );
  }
  const value = String(values[key] ?? "");
  return (
    <Labelled name={key} label={label} optional={!required} errors={errors}>
      {(control) => {
        const common = { ...control, required, value };
        if (type === "select") {
          return (
            <select {...common} onChange={({ currentTarget }) => set(key, currentTarget.value)}>
              <option value="">{strings.choose}</option>
              {field.options.map((option) => (
                <option key={option} value={option}>
                  {option}
                </option>
              ))}
            </select>
          );
        }
        if (type === "long_text") {
          return (
            <textarea
              {...common}
              rows={3}
              dir="auto"
              maxLength={maxLength}
              onInput={({ currentTarget }) => set(key, currentTarget.value)}
            />
          );
        }
        return (
          <input
            {...common}
            type={TYPES[type]}
            dir={type === "email" || type === "phone" ? "ltr" : "auto"}
            maxLength={type === "email" ? 254 : type === "phone" ? 60 : type === "name" ? 200 : maxLength}
            autoComplete={COMPLETIONS[type] ?? "on"}
            onInput={({ currentTarget }) => set(key, currentTarget.value)}
          />
        );
      }}
    </Labelled>
  );
}

function Departments({ form, values, errors, set }: ControlProps & { form: Form }) {
  return (
    <Labelled name={TEAM} label={strings.department} errors={errors}>
      {(control) => (
        <select
          {...control}
          required
          value={String(values[TEAM] ?? "")}
          onChange={({ currentTarget }) => set(TEAM, currentTarget.value)}
        >
          <option value="">{strings.choose}</option>
          {form.departments.map(({ team_id: id, label }) => (
            <option key={id} value={id === null ? NO_TEAM : String(id)}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

/** What a control has of its label and its error. */
interface ControlAttributes {
  id: string;
  name: string;
  "aria-invalid": boolean;
  "aria-describedby": string | undefined;
}

const attributes = (name: string, error: string | undefined): ControlAttributes => ({
  id: `form-${name}`,
  name,
  "aria-invalid": Boolean(error),
  "aria-describedby": error ? `form-${name}-error` : undefined,
});

interface LabelledProps {
  name: string;
  label: string;
  optional?: boolean;
  errors: ControlProps["errors"];
  children(control: ControlAttributes): preact.ComponentChild;
}

function Labelled({ name, label, optional, errors, children }: LabelledProps) {
  const error = errors.value[name];
  return (
    <div class="form-field">
      <label for={`form-${name}`} dir="auto">
        {label} {optional && <small>({strings.optional})</small>}
      </label>
      {children(attributes(name, error))}
      <FieldError name={name} error={error} />
    </div>
  );
}

interface CheckProps extends ControlProps {
  name: string;
  required: boolean;
  children: preact.ComponentChildren;
}

function Check({ name, required, values, errors, set, children }: CheckProps) {
  const error = errors.value[name];
  return (
    <div class="form-field">
      <label class="form-check">
        <input
          {...attributes(name, error)}
          type="checkbox"
          required={required}
          checked={values[name] === true}
          onChange={({ currentTarget }) => set(name, currentTarget.checked)}
        />
        {children}
      </label>
      <FieldError name={name} error={error} />
    </div>
  );
}

const FieldError = ({ name, error }: { name: string; error: string | undefined }) =>
  error ? (
    <span class="field-error" id={`form-${name}-error`}>
      {error}
    </span>
  ) : null;

const contactLabel = (type: Field["type"]): string =>
  type === "email" ? strings.yourEmail : type === "phone" ? strings.yourPhone : strings.fullName;

/** What was typed on an earlier page, or else what the visitor has entered before. */
function loadDraft(store: WidgetStore, kind: FormKind, fields: readonly Field[]): Draft {
  const known = Object.fromEntries(fields.flatMap(({ key, value }) => (value ? [[key, value]] : [])));
  const stored = readJson<Partial<Draft>>(store.formKey(kind), {});
  return { values: { ...known, ...stored.values }, messageId: stored.messageId ?? randomId() };
}

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

const findControls = (form: HTMLFormElement | null): Control[] => [
  ...(form?.querySelectorAll<Control>("input,select,textarea") ?? []),
];

function errorOf({ type, value, name }: Control): string {
  if (name === CONSENT) return strings.consentRequired;
  return type === "email" && value.trim() ? strings.emailInvalid : strings.answerRequired;
}

function toBody({ fields, departments, consent }: Form, { values }: Draft) {
  const answers: Draft["values"] = {};
  for (const { key, type } of fields) {
    const value = values[key] ?? "";
    if (type === "checkbox") answers[key] = value === true;
    else if (value) answers[key] = value;
  }
  const team = departments.length > 0 ? Number(values[TEAM] ?? 0) : 0;
  return {
    answers,
    ...(team > 0 && { team_id: team }),
    ...(consent && { consent: { given: values[CONSENT] === true, version: consent.version } }),
    message: String(values[MESSAGE] ?? ""),
  };
}

/** The field that an error of the server concerns, with a text in the visitor's language. */
function toFieldError(name: string, form: Form): [string, string] {
  const key = name.replace(/^answers\./, "");
  const type = form.fields.find((field) => field.key === key)?.type;
  if (type === "email") return [key, strings.emailInvalid];
  if (type === "phone") return [key, strings.phoneInvalid];
  if (name.startsWith("consent")) return [CONSENT, strings.consentRequired];
  if (name === "team_id") return [TEAM, strings.answerRequired];
  return [name === "message" ? MESSAGE : key, strings.answerRequired];
}

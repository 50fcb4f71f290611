/** The questions of a form, in their order. */
import { useSignal } from "@preact/signals";
import type { SiteForms } from "../../../shared/apiTypes";
import { Field, IconButton, Switch } from "../components/controls";
import { Icon } from "../components/icon";
import { t } from "../i18n/i18n";

export type Question = SiteForms["prechat"]["fields"][number];

const CONTACT_TYPES = ["name", "email", "phone"] as const satisfies Question["type"][];
const OWN_TYPES = ["text", "long_text", "select", "checkbox"] as const satisfies Question["type"][];
const MAX_QUESTIONS = 20;
const MAX_LENGTH = 1000;

export const isContact = (type: Question["type"]): boolean => CONTACT_TYPES.some((one) => one === type);

interface QuestionsEditorProps {
  fields: Question[];
  /** The key of a question that is always asked, and required. */
  fixed?: string;
  change(fields: Question[]): void;
}

export function QuestionsEditor({ fields, fixed, change }: QuestionsEditorProps) {
  const set = (index: number, question: Question) =>
    change(fields.map((one, at) => (at === index ? question : one)));
  const move = (index: number, by: number) => {
    const moved = [...fields];
    moved.splice(index + by, 0, ...moved.splice(index, 1));
    change(moved);
  };
  const add = () => {
    const contact = CONTACT_TYPES.find((type) => !fields.some((field) => field.key === type));
    change([...fields, contact ? toType(newQuestion(fields), contact, fields) : newQuestion(fields)]);
  };
  return (
    <div class="questions" role="group" aria-label={t("forms.questions")}>
      {fields.map((field, index) => (
        <QuestionRow
          key={field.key}
          question={field}
          others={fields.filter((one) => one !== field)}
          isFixed={field.key === fixed}
          change={(question) => set(index, question)}
        >
          <MoveButton label={t("forms.up")} disabled={index === 0} onClick={() => move(index, -1)}>
            ↑
          </MoveButton>
          <MoveButton
            label={t("forms.down")}
            disabled={index === fields.length - 1}
            onClick={() => move(index, 1)}
          >
            ↓
          </MoveButton>
          <IconButton
            icon="trash"
            label={t("forms.remove")}
            disabled={field.key === fixed}
            onClick={() => change(fields.filter((one) => one !== field))}
          />
        </QuestionRow>
      ))}
      <button type="button" class="button small" disabled={fields.length >= MAX_QUESTIONS} onClick={add}>
        <Icon name="plus" size={14} /> {t("forms.add")}
      </button>
    </div>
  );
}

interface MoveButtonProps {
  label: string;
  disabled: boolean;
  onClick(): void;
  children: string;
}

const MoveButton = ({ label, disabled, onClick, children }: MoveButtonProps) => (
  <button
    type="button"
    class="icon-button"
    aria-label={label}
    title={label}
    disabled={disabled}
    onClick={onClick}
  >
    {children}
  </button>
);

interface QuestionRowProps {
  question: Question;
  others: Question[];
  isFixed: boolean;
  change(question: Question): void;
  children: preact.ComponentChildren;
}

function QuestionRow({ question, others, isFixed, change, children }: QuestionRowProps) {
  const { type, label, required, max_length: maxLength } = question;
  const types = [...CONTACT_TYPES.filter((one) => !others.some((other) => other.key === one)), ...OWN_TYPES];
  return (
    <div class="question">
      <div class="form-row">
        <select
          aria-label={t("forms.type")}
          value={type}
          disabled={isFixed}
          onChange={(event) =>
            change(toType(question, event.currentTarget.value as Question["type"], others))
          }
        >
          {types.map((one) => (
            <option key={one} value={one}>
              {t(`forms.type_${one}`)}
            </option>
          ))}
        </select>
        <input
          required={!isContact(type)}
          dir="auto"
          maxLength={200}
          aria-label={t("forms.question")}
          placeholder={t("forms.question")}
          value={label}
          onInput={(event) => change({ ...question, label: event.currentTarget.value })}
        />
        {children}
      </div>
      <div class="form-row">
        {!isFixed && (
          <Switch
            on={required}
            label={t("forms.required")}
            onChange={(on) => change({ ...question, required: on })}
          />
        )}
        {type === "select" && (
          <Options values={question.options} change={(options) => change({ ...question, options })} />
        )}
        {(type === "text" || type === "long_text") && (
          <Field label={t("forms.maxLength")}>
            <input
              type="number"
              class="short"
              min={1}
              max={MAX_LENGTH}
              required
              value={maxLength}
              onInput={(event) =>
                change({ ...question, max_length: event.currentTarget.valueAsNumber || MAX_LENGTH })
              }
            />
          </Field>
        )}
      </div>
    </div>
  );
}

/** One option per line. The text is split only when the field loses the focus, so that a line can be begun. */
function Options({ values, change }: { values: string[]; change(values: string[]): void }) {
  const typed = useSignal<string | null>(null);
  return (
    <Field label={t("forms.options")} hint={t("forms.optionsHint")}>
      <textarea
        required
        rows={3}
        dir="auto"
        value={typed.value ?? values.join("\n")}
        onInput={(event) => (typed.value = event.currentTarget.value)}
        onChange={(event) => {
          typed.value = null;
          const lines = event.currentTarget.value.split("\n").map((line) => line.trim());
          change([...new Set(lines.filter(Boolean))].slice(0, 50));
        }}
      />
    </Field>
  );
}

function newQuestion(fields: readonly Question[]): Question {
  return {
    key: newKey(fields),
    type: "text",
    label: "",
    required: false,
    options: [],
    max_length: MAX_LENGTH,
  };
}

/** A key that no other question has. It stays, whatever the question is called. */
function newKey(fields: readonly Question[]): string {
  let number = fields.length + 1;
  while (fields.some((field) => field.key === `question_${number}`)) number += 1;
  return `question_${number}`;
}

function toType(question: Question, type: Question["type"], others: readonly Question[]): Question {
  const wasContact = isContact(question.type);
  const key = isContact(type) ? type : wasContact ? newKey(others) : question.key;
  return { ...question, type, key };
}

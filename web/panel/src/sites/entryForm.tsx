/** The form of a knowledge entry: a new one, which may begin with a draft to check, or one to change. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Field } from "../components/controls";
import { DialogActions } from "../components/dialog";
import { submitForm } from "../components/forms";
import { t } from "../i18n/i18n";

interface Entry {
  question: string;
  answer: string;
}

interface EntryFormProps {
  draft: Entry;
  notice?: string;
  saveLabel: string;
  savedText: string;
  save: (entry: Entry) => Promise<unknown>;
  onCancel: () => void;
  onSaved: () => void;
  /** Buttons beside that which saves. */
  children?: ComponentChildren;
}

export function EntryForm(props: EntryFormProps) {
  const { draft, notice, save, onCancel, onSaved } = props;
  const question = useSignal(draft.question);
  const answer = useSignal(draft.answer);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const entry = { question: question.value.trim(), answer: answer.value.trim() };
    if (await submitForm(busy, errors, () => save(entry), props.savedText)) onSaved();
  };
  return (
    <form class="stack" onSubmit={submit}>
      {notice && <p class="notice">{notice}</p>}
      <Field label={t("knowledge.question")} error={errors.value["question"]}>
        <input
          required
          maxLength={500}
          dir="auto"
          value={question.value}
          onInput={(event) => (question.value = event.currentTarget.value)}
        />
      </Field>
      <Field label={t("knowledge.answer")} error={errors.value["answer"]}>
        <textarea
          rows={6}
          required
          maxLength={4000}
          dir="auto"
          value={answer.value}
          onInput={(event) => (answer.value = event.currentTarget.value)}
        />
      </Field>
      <DialogActions onCancel={onCancel}>
        {props.children}
        <button type="submit" class="button primary" disabled={busy.value}>
          {props.saveLabel}
        </button>
      </DialogActions>
    </form>
  );
}

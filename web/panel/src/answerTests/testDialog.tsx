/** Adds or changes an answer test. */

import { useSignal } from "@preact/signals";
import { api } from "../api/client";
import { Field, Switch } from "../components/controls";
import { Dialog, DialogActions } from "../components/dialog";
import { submitForm } from "../components/forms";
import { t } from "../i18n/i18n";
import {
  type AnswerTest,
  EXPECTED,
  joinRequirements,
  splitLines,
  splitRequirements,
  TEST,
  TESTS,
  type TestBody,
} from "./tests";

interface TestDialogProps {
  siteId: number;
  /** Null for a new test. */
  test: AnswerTest | null;
  /** What a new test begins with. */
  draft?: Partial<TestBody>;
  onClose: () => void;
  onSaved: () => void;
}

export function TestDialog({ siteId, test, draft, onClose, onSaved }: TestDialogProps) {
  const start = test ?? draft ?? {};
  const question = useSignal(start.question ?? "");
  const language = useSignal(start.language ?? "");
  const expected = useSignal<(typeof EXPECTED)[number]>(start.expected ?? "answer");
  const mustSay = useSignal(joinRequirements(start.must_say ?? []));
  const mustNotSay = useSignal((start.must_not_say ?? []).join("\n"));
  const mustCite = useSignal(joinRequirements(start.must_cite ?? []));
  const enabled = useSignal(start.enabled ?? true);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const isAnswer = expected.value === "answer";
  const submit = async (event: Event) => {
    event.preventDefault();
    const body = {
      question: question.value.trim(),
      language: language.value.trim() || null,
      expected: expected.value,
      must_say: isAnswer ? splitRequirements(mustSay.value) : [],
      must_not_say: expected.value === "handoff" ? [] : splitLines(mustNotSay.value),
      must_cite: isAnswer ? splitRequirements(mustCite.value) : [],
      enabled: enabled.value,
    };
    const save = () =>
      test
        ? api.put(TEST, { path: { site_id: siteId, test_id: test.id }, body })
        : api.post(TESTS, { path: { site_id: siteId }, body: { ...draft, ...body } });
    if (await submitForm(busy, errors, save, t("common.saved"))) onSaved();
  };
  return (
    <Dialog title={test ? t("answerTests.editTitle") : t("answerTests.newTitle")} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        {draft?.conversation_id && <p class="notice">{t("answerTests.personalData")}</p>}
        <Field label={t("answerTests.question")} error={errors.value["question"]}>
          <textarea
            rows={2}
            required
            maxLength={500}
            dir="auto"
            value={question.value}
            onInput={(event) => (question.value = event.currentTarget.value)}
          />
        </Field>
        <div class="columns">
          <Field label={t("answerTests.expected")} error={errors.value["expected"]}>
            <select
              value={expected.value}
              onChange={(event) => (expected.value = event.currentTarget.value as (typeof EXPECTED)[number])}
            >
              {EXPECTED.map((one) => (
                <option key={one} value={one}>
                  {t(`answerTests.expected_${one}`)}
                </option>
              ))}
            </select>
          </Field>
          <Field
            label={t("answerTests.language")}
            hint={t("answerTests.languageHint")}
            error={errors.value["language"]}
          >
            <input
              class="short"
              maxLength={35}
              dir="ltr"
              value={language.value}
              onInput={(event) => (language.value = event.currentTarget.value)}
            />
          </Field>
        </div>
        {isAnswer && (
          <>
            <Lines
              label={t("answerTests.mustSay")}
              hint={t("answerTests.mustSayHint")}
              error={errors.value["must_say"]}
              value={mustSay}
            />
            <Lines
              label={t("answerTests.mustCite")}
              hint={t("answerTests.mustCiteHint")}
              error={errors.value["must_cite"]}
              value={mustCite}
            />
          </>
        )}
        {expected.value !== "handoff" && (
          <Lines
            label={t("answerTests.mustNotSay")}
            hint={t("answerTests.mustNotSayHint")}
            error={errors.value["must_not_say"]}
            value={mustNotSay}
          />
        )}
        <Switch on={enabled.value} label={t("answerTests.enabled")} onChange={(on) => (enabled.value = on)} />
        <DialogActions onCancel={onClose}>
          <button type="submit" class="button primary" disabled={busy.value}>
            {t("common.save")}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface LinesProps {
  label: string;
  hint: string;
  error: string | undefined;
  value: { value: string };
}

const Lines = ({ label, hint, error, value }: LinesProps) => (
  <Field label={label} hint={hint} error={error}>
    <textarea
      rows={2}
      dir="auto"
      value={value.value}
      onInput={(event) => (value.value = event.currentTarget.value)}
    />
  </Field>
);

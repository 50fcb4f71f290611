/** Asks the visitor to rate a closed chat. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { format } from "../i18n/i18n";
import { strings } from "../i18n/lateTexts";
import type { WidgetStore } from "../widgetStore";

export function RatingForm({ store }: { store: WidgetStore }) {
  const score = useSignal(0);
  const comment = useSignal("");
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (score.value) form.current?.scrollIntoView({ block: "end" });
  }, [score.value > 0]);
  if (store.isRated.value) return <p class="notice">{strings.rateThanks}</p>;
  const submit = (event: Event) => {
    event.preventDefault();
    if (score.value) void rate(store, score.value, comment.value.trim());
  };
  return (
    <form class="form-card" ref={form} onSubmit={submit}>
      <fieldset>
        <legend>{strings.ratePrompt}</legend>
        <div class="stars">
          {[1, 2, 3, 4, 5].map((n) => (
            <label key={n} class={n <= score.value ? "on" : ""}>
              <input
                type="radio"
                name="score"
                aria-label={format(strings.scoreOfFive, { n })}
                checked={score.value === n}
                onChange={() => (score.value = n)}
              />
              <span aria-hidden="true">★</span>
            </label>
          ))}
        </div>
      </fieldset>
      {score.value > 0 && (
        <>
          <textarea
            rows={2}
            maxLength={2000}
            dir="auto"
            aria-label={strings.rateComment}
            placeholder={strings.rateComment}
            value={comment.value}
            onInput={(event) => (comment.value = event.currentTarget.value)}
          />
          <button type="submit" class="primary-button">
            {strings.rateSend}
          </button>
        </>
      )}
    </form>
  );
}

export function rate(store: WidgetStore, score: number, comment: string): Promise<void> {
  const rated = store.conversationId.value;
  const body = { score, ...(comment && { comment }), ...(rated && { conversation_id: rated }) };
  return store.runWithError(async (current) => {
    await current.api.post("/chat/rate", body);
    current.setRated(String(rated ?? ""), { score, comment });
  });
}

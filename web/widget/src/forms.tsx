/** What the visitor is asked for: an address when nobody is there, a score at the end. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Store } from "./store";
import { fill, words } from "./words";

export function EmailForm({ store }: { store: Store }) {
  const email = useSignal("");
  const name = useSignal("");
  const busy = useSignal(false);
  const offer = store.config.value?.offline_message ?? "";
  // The server says it in the conversation, too, in the visitor's language: once is enough.
  const said = store.messages.value.some((message) => message.role === "system");
  if (store.email.value) return <p class="line">{fill(words.left, { email: store.email.value })}</p>;
  const send = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    await store.leaveEmail(email.value.trim(), name.value.trim());
    busy.value = false;
  };
  return (
    <form class="card" onSubmit={send}>
      {!said && <p dir="auto">{offer}</p>}
      <input
        type="email"
        required
        maxLength={254}
        autoComplete="email"
        aria-label={words.email}
        placeholder={words.email}
        value={email.value}
        onInput={(event) => (email.value = event.currentTarget.value)}
      />
      <input
        maxLength={200}
        autoComplete="name"
        aria-label={words.name}
        placeholder={words.name}
        dir="auto"
        value={name.value}
        onInput={(event) => (name.value = event.currentTarget.value)}
      />
      <button type="submit" class="solid" disabled={busy.value}>
        {words.leave}
      </button>
    </form>
  );
}

export function RatingForm({ store }: { store: Store }) {
  const score = useSignal(0);
  const comment = useSignal("");
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (score.value) form.current?.scrollIntoView({ block: "end" });
  }, [score.value > 0]);
  if (store.rated.value) return <p class="line">{words.rated}</p>;
  const send = (event: Event) => {
    event.preventDefault();
    if (score.value) void store.rate(score.value, comment.value.trim());
  };
  return (
    <form class="card" ref={form} onSubmit={send}>
      <fieldset>
        <legend>{words.rate}</legend>
        <div class="stars">
          {[1, 2, 3, 4, 5].map((n) => (
            <label key={n} class={n <= score.value ? "on" : ""}>
              <input
                type="radio"
                name="score"
                aria-label={fill(words.stars, { n })}
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
            aria-label={words.comment}
            placeholder={words.comment}
            value={comment.value}
            onInput={(event) => (comment.value = event.currentTarget.value)}
          />
          <button type="submit" class="solid">
            {words.rateSend}
          </button>
        </>
      )}
    </form>
  );
}

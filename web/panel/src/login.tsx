/** The way in: an account's password, or an invitation that makes one. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError, ask, sentence } from "./api/http";
import { farewell, session } from "./api/session";
import { Field } from "./ui/bits";
import { Mark } from "./ui/icon";

type LoginAnswer = Parameters<typeof session.enter>[0];

/** An invitation's token stands behind the #, so that no server on the way sees it. */
const invitation = (): string | undefined => /^#invitation=([\w-]+)$/.exec(location.hash)?.[1];

export function Login() {
  const token = useSignal(invitation());
  return (
    <main class="login">
      <div class="login-card">
        <div class="login-brand">
          <Mark size={36} />
          <span>Parley</span>
        </div>
        {token.value ? <Join token={token.value} onGiveUp={() => (token.value = undefined)} /> : <Enter />}
      </div>
    </main>
  );
}

function Enter() {
  const email = useSignal(localStorage.getItem("parley.email") ?? "");
  const password = useSignal("");
  const problem = useSignal("");
  const busy = useSignal(false);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const submit = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    problem.value = "";
    try {
      const body = { email: email.value.trim(), password: password.value };
      const answer = await ask<LoginAnswer>("/auth/login", { body, open: true });
      localStorage.setItem("parley.email", body.email);
      session.enter(answer);
    } catch (reason) {
      problem.value = told(reason);
      password.value = "";
    }
    busy.value = false;
  };
  return (
    <form onSubmit={submit}>
      <h1>Log in</h1>
      {farewell.value && <p class="notice">{farewell.value}</p>}
      <Field label="E-mail">
        <input
          ref={first}
          type="email"
          autoComplete="username"
          required
          value={email.value}
          onInput={(event) => (email.value = event.currentTarget.value)}
        />
      </Field>
      <Field label="Password">
        <input
          type="password"
          autoComplete="current-password"
          required
          value={password.value}
          onInput={(event) => (password.value = event.currentTarget.value)}
        />
      </Field>
      {problem.value && (
        <p class="bad-text" role="alert">
          {problem.value}
        </p>
      )}
      <button type="submit" class="button primary wide" disabled={busy.value}>
        {busy.value ? "One moment…" : "Log in"}
      </button>
    </form>
  );
}

function Join({ token, onGiveUp }: { token: string; onGiveUp: () => void }) {
  const name = useSignal("");
  const password = useSignal("");
  const problem = useSignal("");
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      const body = { token, password: password.value, name: name.value.trim() };
      const answer = await ask<LoginAnswer>("/invitations/accept", { body, open: true });
      history.replaceState(null, "", location.pathname);
      session.enter(answer);
    } catch (reason) {
      problem.value = told(reason);
    }
  };
  return (
    <form onSubmit={submit}>
      <h1>Join the team</h1>
      <Field label="Your name" hint="Visitors see it when you answer them.">
        <input
          autoComplete="name"
          required
          maxLength={100}
          value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
      </Field>
      <Field label="Choose a password" hint="At least ten characters.">
        <input
          type="password"
          autoComplete="new-password"
          required
          minLength={10}
          maxLength={256}
          value={password.value}
          onInput={(event) => (password.value = event.currentTarget.value)}
        />
      </Field>
      {problem.value && (
        <p class="bad-text" role="alert">
          {problem.value}
        </p>
      )}
      <button type="submit" class="button primary wide">
        Join
      </button>
      <button type="button" class="text-button" onClick={onGiveUp}>
        I have an account already
      </button>
    </form>
  );
}

function told(reason: unknown): string {
  if (reason instanceof ApiError && reason.status === 429) {
    const wait = reason.retryAfter ? ` Try again in ${reason.retryAfter} s.` : "";
    return `Too many tries.${wait}`;
  }
  return sentence(reason);
}

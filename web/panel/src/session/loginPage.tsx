/** The login page: log in to an account, or accept an invitation that creates one. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { LoginResponse } from "../../../shared/apiTypes";
import { ApiError } from "../../../shared/http";
import { readText, writeText } from "../../../shared/storage";
import { api, errorMessage } from "../api/client";
import { Field } from "../components/controls";
import { Logo } from "../components/icon";
import { showToast } from "../components/toasts";
import { t } from "../i18n/i18n";
import { logoutReason, session } from "./session";

const EMAIL_KEY = "parley.email";
/** Makes this browser known to the server, also after a logout: wrong passwords elsewhere do not block it. */
const DEVICE_KEY = "parley.device";

type Team = NonNullable<ApiError["body"]["teams"]>[number];

/** The token of an invitation link. It follows the # so that no server on the way sees it. */
const readInvitation = (): string | undefined => /^#invitation=([\w-]+)$/.exec(location.hash)?.[1];

export function LoginPage() {
  const token = useSignal(readInvitation());
  return (
    <main class="login">
      <div class="login-card">
        <div class="login-brand">
          <Logo size={36} />
          <span>Parley</span>
        </div>
        {token.value ? (
          <InvitationForm token={token.value} onCancel={() => (token.value = undefined)} />
        ) : (
          <LoginForm />
        )}
      </div>
    </main>
  );
}

function logIn(response: LoginResponse): void {
  if (response.device_token) writeText(DEVICE_KEY, response.device_token);
  session.logIn(response);
  const failed = response.failed_attempts;
  if (failed) showToast(t("session.failedAttempts", { number: failed }));
}

function LoginForm() {
  const email = useSignal(readText(EMAIL_KEY) ?? "");
  const password = useSignal("");
  const error = useSignal("");
  const busy = useSignal(false);
  /** The teams to choose from: the address and the password fit an account in each. */
  const teams = useSignal<Team[]>([]);
  const emailField = useRef<HTMLInputElement>(null);
  useEffect(() => emailField.current?.focus(), []);
  const submit = async (team?: Team) => {
    busy.value = true;
    error.value = "";
    try {
      const deviceToken = readText(DEVICE_KEY);
      const body = {
        email: email.value.trim(),
        password: password.value,
        ...(deviceToken && { device_token: deviceToken }),
        ...(team && { tenant_id: team.id }),
      };
      const response = await api.post("/auth/login", { body, anonymous: true });
      writeText(EMAIL_KEY, body.email);
      logIn(response);
    } catch (caught) {
      teams.value = (caught instanceof ApiError && caught.body.teams) || [];
      if (teams.value.length === 0) {
        error.value = describeLoginError(caught);
        password.value = "";
      }
    }
    busy.value = false;
  };
  if (teams.value.length > 0)
    return (
      <TeamChoice
        teams={teams.value}
        disabled={busy.value}
        onChoose={(team) => void submit(team)}
        onCancel={() => (teams.value = [])}
      />
    );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1>{t("session.logIn")}</h1>
      {logoutReason.value && <p class="notice">{logoutReason.value}</p>}
      <Field label={t("common.email")}>
        <input
          ref={emailField}
          type="email"
          autoComplete="username"
          required
          value={email.value}
          onInput={(event) => (email.value = event.currentTarget.value)}
        />
      </Field>
      <Field label={t("common.password")}>
        <input
          type="password"
          autoComplete="current-password"
          required
          value={password.value}
          onInput={(event) => (password.value = event.currentTarget.value)}
        />
      </Field>
      <FormError text={error.value} />
      <button type="submit" class="button primary wide" disabled={busy.value}>
        {busy.value ? t("session.loggingIn") : t("session.logIn")}
      </button>
    </form>
  );
}

interface TeamChoiceProps {
  teams: Team[];
  disabled: boolean;
  onChoose: (team: Team) => void;
  onCancel: () => void;
}

function TeamChoice({ teams, disabled, onChoose, onCancel }: TeamChoiceProps) {
  return (
    <form>
      <h1>{t("session.chooseTeam")}</h1>
      <p>{t("session.chooseTeamText")}</p>
      {teams.map((team) => (
        <button
          key={team.id}
          type="button"
          class="button wide"
          disabled={disabled}
          onClick={() => onChoose(team)}
        >
          {team.name}
        </button>
      ))}
      <button type="button" class="text-button" onClick={onCancel}>
        {t("session.back")}
      </button>
    </form>
  );
}

function InvitationForm({ token, onCancel }: { token: string; onCancel: () => void }) {
  const name = useSignal("");
  const password = useSignal("");
  const error = useSignal("");
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    try {
      const body = { token, password: password.value, name: name.value.trim() };
      const response = await api.post("/invitations/accept", { body, anonymous: true });
      history.replaceState(null, "", location.pathname);
      logIn(response);
    } catch (caught) {
      error.value = describeLoginError(caught);
    }
    busy.value = false;
  };
  return (
    <form onSubmit={submit}>
      <h1>{t("session.joinTeam")}</h1>
      <Field label={t("session.yourName")} hint={t("session.yourNameHint")}>
        <input
          autoComplete="name"
          required
          maxLength={100}
          value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
      </Field>
      <Field label={t("common.password")} hint={t("common.passwordHint")}>
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
      <FormError text={error.value} />
      <button type="submit" class="button primary wide" disabled={busy.value}>
        {t("session.join")}
      </button>
      <button type="button" class="text-button" onClick={onCancel}>
        {t("session.haveAccount")}
      </button>
    </form>
  );
}

function FormError({ text }: { text: string }) {
  if (!text) return null;
  return (
    <p class="error-text" role="alert">
      {text}
    </p>
  );
}

function describeLoginError(error: unknown): string {
  if (!(error instanceof ApiError)) return errorMessage(error);
  if (error.status === 429) {
    const seconds = error.retryAfterSeconds;
    return seconds ? t("session.tooManyAttemptsWait", { seconds }) : t("session.tooManyAttempts");
  }
  if (error.code === "bad_credentials") return t("session.badCredentials");
  return errorMessage(error);
}

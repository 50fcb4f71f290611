/** Who is logged in, and the tokens that prove it: kept across reloads and shared by all tabs of this browser. */
import { computed, signal } from "@preact/signals";

export interface User {
  id: number;
  name: string;
  email: string;
  language?: string | null;
  owner?: boolean;
}

interface Kept {
  token: string;
  expiresAt: number;
  refreshToken: string;
  user: User;
}

interface LoginAnswer {
  token: string;
  expires_in: number;
  refresh_token: string;
  user: User;
}

const KEY = "parley.session";
const EARLY_MS = 60_000;

/** The login has ended and cannot be renewed. */
export class LoggedOut extends Error {}

const kept = signal<Kept | null>(recall());

/** The operator at this panel; null while nobody is logged in. */
export const me = computed<User | null>(() => kept.value?.user ?? null);

/** Why the login screen is shown when it was not asked for. */
export const farewell = signal("");

function recall(): Kept | null {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}

function keep(value: Kept | null): void {
  kept.value = value;
  if (value) localStorage.setItem(KEY, JSON.stringify(value));
  else localStorage.removeItem(KEY);
}

function fromLogin(answer: LoginAnswer): Kept {
  return {
    token: answer.token,
    expiresAt: Date.now() + answer.expires_in * 1000,
    refreshToken: answer.refresh_token,
    user: answer.user,
  };
}

// Another tab logged in, renewed the token, or logged out.
addEventListener("storage", (event) => {
  if (event.key === KEY) kept.value = recall();
});

/** Only one tab at a time may renew: a refresh token that is used twice ends the whole login. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? navigator.locks.request("parley.refresh", work) : work();
}

async function post(path: string, body: unknown): Promise<Response> {
  return fetch(`/api/v1/auth/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    credentials: "omit",
    signal: AbortSignal.timeout(15_000),
  });
}

let renewing: Promise<void> | undefined;

async function renewOnce(stale: string): Promise<void> {
  await alone(async () => {
    const now = recall();
    if (!now) return end("");
    if (now.token !== stale) {
      kept.value = now;
      return;
    }
    const response = await post("refresh", { refresh_token: now.refreshToken });
    if (response.ok) return keep({ ...fromLogin((await response.json()) as LoginAnswer) });
    if (response.status === 401 || response.status === 403 || response.status === 422) {
      end("Your login has ended. What you were writing has been kept.");
      throw new LoggedOut();
    }
    throw new Error(`refresh answered ${response.status}`);
  });
}

function end(reason: string): void {
  farewell.value = reason;
  keep(null);
}

export const session = {
  /** A token that is good for at least another minute. Raises LoggedOut. */
  async token(): Promise<string> {
    if (!kept.value) throw new LoggedOut();
    if (kept.value.expiresAt - Date.now() < EARLY_MS) await session.renew();
    if (!kept.value) throw new LoggedOut();
    return kept.value.token;
  },

  /** Exchanges the token for a new one, once however many ask. Raises LoggedOut. */
  async renew(): Promise<void> {
    if (!kept.value) throw new LoggedOut();
    renewing ??= renewOnce(kept.value.token).finally(() => {
      renewing = undefined;
    });
    await renewing;
  },

  enter(answer: LoginAnswer): void {
    farewell.value = "";
    keep(fromLogin(answer));
  },

  /** The person's own name or language changed. */
  amend(user: Partial<User>): void {
    if (kept.value) keep({ ...kept.value, user: { ...kept.value.user, ...user } });
  },

  async leave(): Promise<void> {
    const now = kept.value;
    end("");
    if (now) await post("logout", { refresh_token: now.refreshToken }).catch(() => undefined);
  },
};

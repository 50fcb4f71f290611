/** The operator's session: who is logged in, and the tokens. Survives a reload; all tabs of the browser share it. */

import { computed, signal } from "@preact/signals";
import type { Account, LoginResponse } from "../../../shared/apiTypes";
import { jsonRequest, readBody, send } from "../../../shared/http";
import { readJson, writeJson, writeText } from "../../../shared/storage";
import { t } from "../i18n/i18n";

type User = Omit<Account, "tenant" | "sites">;

interface StoredSession {
  token: string;
  /** Epoch milliseconds. */
  expiresAt: number;
  /** When to refresh the token. Epoch milliseconds; absent in what an older version stored. */
  refreshAt?: number;
  refreshToken: string;
  user: User;
}

const STORAGE_KEY = "parley.session";
const REFRESH_LOCK = "parley.refresh";
const REFRESH_EARLY_MS = 60_000;
const AUTH_TIMEOUT_MS = 15_000;

/** The session has ended and cannot be renewed. */
export class LoggedOut extends Error {}

const load = (): StoredSession | null => readJson<StoredSession | null>(STORAGE_KEY, null);

const stored = signal<StoredSession | null>(load());

/** The operator who is logged in; null at the login page. */
export const me = computed<User | null>(() => stored.value?.user ?? null);

/** Why the operator was logged out, for the login page; empty when they did it themselves. */
export const logoutReason = signal("");

function store(value: StoredSession | null): void {
  stored.value = value;
  if (value) writeJson(STORAGE_KEY, value);
  else writeText(STORAGE_KEY, null);
}

function toSession(response: LoginResponse): StoredSession {
  const { sites: _, ...user } = response.user;
  const lifetime = response.expires_in * 1000;
  const expiresAt = Date.now() + lifetime;
  return {
    token: response.token,
    expiresAt,
    refreshAt: expiresAt - Math.min(REFRESH_EARLY_MS, lifetime / 2),
    refreshToken: response.refresh_token,
    user,
  };
}

// Another tab logged in, refreshed the token or logged out.
addEventListener("storage", (event) => {
  if (event.key === STORAGE_KEY) stored.value = load();
});

/**
 * Runs in one tab at a time. Without locks (plain HTTP) tabs may refresh at the same moment: the server then gives all
 * of them the same tokens.
 */
async function withRefreshLock<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? navigator.locks.request(REFRESH_LOCK, work) : work();
}

const postAuth = (path: "refresh" | "logout", refreshToken: string): Promise<Response> =>
  send(`/api/v1/auth/${path}`, jsonRequest("POST", { refresh_token: refreshToken }), AUTH_TIMEOUT_MS);

let refreshing: Promise<void> | undefined;

async function refreshOnce(staleToken: string): Promise<void> {
  await withRefreshLock(async () => {
    const latest = load();
    if (!latest) return end("");
    // Another tab has already refreshed it.
    if (latest.token !== staleToken) {
      stored.value = latest;
      return;
    }
    const response = await postAuth("refresh", latest.refreshToken);
    const meanwhile = load();
    // Another tab was faster, and what it stored may be newer than this answer.
    if (meanwhile && meanwhile.refreshToken !== latest.refreshToken) {
      stored.value = meanwhile;
      return;
    }
    if (response.status === 401 || response.status === 403 || response.status === 422) {
      end(t("session.expired"));
      throw new LoggedOut();
    }
    store(toSession(await readBody<LoginResponse>(response)));
  });
}

function end(reason: string): void {
  logoutReason.value = reason;
  store(null);
}

export const session = {
  /** A token that is valid for at least another minute, or half its lifetime. Throws ApiError, LoggedOut. */
  async token(): Promise<string> {
    if (!stored.value) throw new LoggedOut();
    const { refreshAt, expiresAt } = stored.value;
    if (Date.now() > (refreshAt ?? expiresAt - REFRESH_EARLY_MS)) await session.refresh();
    if (!stored.value) throw new LoggedOut();
    return stored.value.token;
  },

  /** Exchanges the token for a new one; concurrent calls share one request. Throws ApiError, LoggedOut. */
  async refresh(): Promise<void> {
    if (!stored.value) throw new LoggedOut();
    refreshing ??= refreshOnce(stored.value.token).finally(() => {
      refreshing = undefined;
    });
    await refreshing;
  },

  logIn(response: LoginResponse): void {
    logoutReason.value = "";
    store(toSession(response));
  },

  /** Applies a change of the operator's own name or language. */
  updateUser(fields: Partial<User>): void {
    if (stored.value) store({ ...stored.value, user: { ...stored.value.user, ...fields } });
  },

  async logOut(): Promise<void> {
    const ended = stored.value;
    end("");
    // Without a connection the server ends the session when its refresh token expires.
    if (ended) await postAuth("logout", ended.refreshToken).catch(() => undefined);
  },
};

/** The operator's own settings: profile, notifications, canned replies, password, API keys. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ApiKey, Permission } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { CannedRepliesCard } from "../cannedReplies/cannedRepliesCard";
import { CopyField, Field, IconButton, Switch } from "../components/controls";
import { Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { copyToClipboard, submitForm } from "../components/forms";
import { Icon } from "../components/icon";
import { LANGUAGES, languageName, ownLanguageName } from "../components/languages";
import { confirmAction, showToast } from "../components/toasts";
import { DevicesCard } from "../devices/devicesCard";
import { formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { PANEL_LANGUAGES } from "../i18n/languages";
import { LabelsCard } from "../labels/labelsCard";
import { playSound } from "../notifications/sound";
import { me, session } from "../session/session";
import { desktopNotifications, panelLanguage, singleKeyShortcuts, soundEnabled } from "./preferences";

/** `section` is the id of the card that is scrolled to. */
export function SettingsPage({ section }: { section: string | undefined }) {
  useEffect(() => {
    if (!section) return;
    const card = document.getElementById(section);
    card?.scrollIntoView();
    card?.querySelector<HTMLElement>("input, select, button, textarea")?.focus({ preventScroll: true });
  }, [section]);
  return (
    <main class="page narrow">
      <header class="page-header">
        <h1>{t("settings.title")}</h1>
      </header>
      <ProfileForm />
      <NotificationSettings />
      <DevicesCard />
      <CannedRepliesCard />
      <LabelsCard />
      <PasswordForm />
      <Sessions />
      <ApiKeys />
    </main>
  );
}

function ProfileForm() {
  const name = useSignal(me.value?.name ?? "");
  const language = useSignal(me.value?.language ?? "en");
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = (event: Event) => {
    event.preventDefault();
    const save = async () => {
      const body = { name: name.value.trim(), language: language.value };
      const { user } = await api.put("/auth/me", { body });
      session.updateUser({ name: user.name, language: user.language });
    };
    void submitForm(busy, errors, save, t("common.saved"));
  };
  return (
    <form class="card stack" id="profile" onSubmit={submit}>
      <h2>{t("settings.profile")}</h2>
      <div class="columns">
        <Field label={t("common.name")} hint={t("settings.nameHint")} error={errors.value["name"]}>
          <input
            required
            maxLength={100}
            dir="auto"
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        </Field>
        <Field
          label={t("common.language")}
          hint={t("settings.languageHint")}
          error={errors.value["language"]}
        >
          <select value={language.value} onChange={(event) => (language.value = event.currentTarget.value)}>
            {LANGUAGES.map((tag) => (
              <option key={tag} value={tag}>
                {languageName(tag)}
              </option>
            ))}
          </select>
        </Field>
      </div>
      <div class="form-actions">
        <span class="grow" />
        <button type="submit" class="button primary" disabled={busy.value}>
          {t("common.save")}
        </button>
      </div>
    </form>
  );
}

function NotificationSettings() {
  const setDesktop = async (on: boolean) => {
    if (on && (!("Notification" in window) || (await Notification.requestPermission()) !== "granted")) {
      showToast(t("settings.notificationsBlocked"), "error");
      desktopNotifications.value = false;
      return;
    }
    desktopNotifications.value = on;
  };
  return (
    <section class="card stack" id="notifications">
      <h2>{t("settings.notifications")}</h2>
      <p class="muted">{t("settings.browserOnly")}</p>
      <Field label={t("settings.panelLanguage")}>
        <select
          value={panelLanguage.value}
          onChange={(event) => (panelLanguage.value = event.currentTarget.value)}
        >
          <option value="">{t("settings.browserLanguage")}</option>
          {PANEL_LANGUAGES.map((tag) => (
            <option key={tag} value={tag} lang={tag}>
              {ownLanguageName(tag)}
            </option>
          ))}
        </select>
      </Field>
      <div class="form-row">
        <Switch
          on={soundEnabled.value}
          label={t("settings.sounds")}
          onChange={(on) => (soundEnabled.value = on)}
        />
        <button type="button" class="text-button" onClick={() => playSound("waiting")}>
          {t("settings.play")}
        </button>
      </div>
      <Switch on={desktopNotifications.value} label={t("settings.desktop")} onChange={setDesktop} />
      <Switch
        on={singleKeyShortcuts.value}
        label={t("settings.singleKeys")}
        onChange={(on) => (singleKeyShortcuts.value = on)}
      />
    </section>
  );
}

function RevokeKeysCheckbox({ checked }: { checked: Signal<boolean> }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={checked.value}
        onChange={(event) => (checked.value = event.currentTarget.checked)}
      />
      {t("settings.revokeKeys")}
    </label>
  );
}

function PasswordForm() {
  const current = useSignal("");
  const next = useSignal("");
  const revokeKeys = useSignal(true);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const body = {
      current_password: current.value,
      new_password: next.value,
      revoke_api_keys: revokeKeys.value,
    };
    const successText = t("settings.passwordChanged");
    if (await submitForm(busy, errors, () => api.post("/auth/change-password", { body }), successText)) {
      current.value = "";
      next.value = "";
    }
  };
  return (
    <form class="card stack" id="password" onSubmit={submit}>
      <h2>{t("common.password")}</h2>
      <div class="columns">
        <Field label={t("settings.currentPassword")} error={errors.value["current_password"]}>
          <input
            type="password"
            autoComplete="current-password"
            required
            value={current.value}
            onInput={(event) => (current.value = event.currentTarget.value)}
          />
        </Field>
        <Field
          label={t("settings.newPassword")}
          hint={t("common.passwordHint")}
          error={errors.value["new_password"]}
        >
          <input
            type="password"
            autoComplete="new-password"
            required
            minLength={10}
            maxLength={256}
            value={next.value}
            onInput={(event) => (next.value = event.currentTarget.value)}
          />
        </Field>
      </div>
      <div class="form-actions">
        <RevokeKeysCheckbox checked={revokeKeys} />
        <span class="grow" />
        <button type="submit" class="button" disabled={busy.value}>
          {t("settings.changePassword")}
        </button>
      </div>
    </form>
  );
}

function Sessions() {
  const revokeKeys = useSignal(false);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const endAll = async () => {
    const title = t("settings.logOutAllTitle");
    const text = revokeKeys.value ? t("settings.logOutAllRevoke") : t("settings.logOutAllKeep");
    if (
      !(await confirmAction({ title, text, confirmLabel: t("settings.logOutEverywhere"), destructive: true }))
    )
      return;
    const body = { revoke_api_keys: revokeKeys.value };
    if (await submitForm(busy, errors, () => api.post("/auth/logout-all", { body }), ""))
      await session.logOut();
  };
  return (
    <section class="card stack" id="devices">
      <h2>{t("settings.devices")}</h2>
      <p class="muted">{t("settings.devicesText")}</p>
      <div class="form-actions">
        <RevokeKeysCheckbox checked={revokeKeys} />
        <span class="grow" />
        <button type="button" class="button" disabled={busy.value} onClick={endAll}>
          {t("settings.logOutAll")}
        </button>
      </div>
    </section>
  );
}

const DAY_MS = 86_400_000;

/** What a key may do, by the broadest of its permissions. */
const SCOPES: Record<Permission, Permission[]> = {
  can_view_conversations: ["can_view_conversations"],
  can_chat: ["can_view_conversations", "can_chat"],
  can_manage: ["can_view_conversations", "can_chat", "can_manage"],
};

function describeKey(key: ApiKey): string {
  const access = !key.scopes
    ? t("settings.accessFull")
    : key.scopes.includes("can_manage")
      ? t("settings.accessManage")
      : key.scopes.includes("can_chat")
        ? t("settings.accessReply")
        : t("settings.accessView");
  const used = key.last_used_at
    ? t("settings.lastUsed", { date: formatTimeOrDate(key.last_used_at) })
    : t("settings.neverUsed");
  if (!key.expires_at) return `${access} · ${t("settings.neverExpires")} · ${used}`;
  const isExpired = new Date(key.expires_at) <= new Date();
  const date = formatTimeOrDate(key.expires_at);
  const expiry = isExpired ? t("settings.expired", { date }) : t("settings.expires", { date });
  return `${access} · ${expiry} · ${used}`;
}

function ApiKeys() {
  const fetched = useFetch("/api-keys", () => api.get("/api-keys"));
  const name = useSignal("");
  const scope = useSignal<Permission | "">("can_view_conversations");
  const days = useSignal("90");
  const newKey = useSignal("");
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const create = async (event: Event) => {
    event.preventDefault();
    const save = async () => {
      const body = {
        name: name.value.trim(),
        scopes: scope.value ? SCOPES[scope.value] : null,
        expires_at: days.value ? new Date(Date.now() + Number(days.value) * DAY_MS).toISOString() : null,
      };
      newKey.value = (await api.post("/api-keys", { body })).key;
      name.value = "";
      await fetched.reload();
    };
    await submitForm(busy, errors, save, "");
  };
  const revoke = async (key: ApiKey) => {
    const text = t("settings.revokeText");
    const title = t("settings.revokeTitle", { name: key.name });
    if (!(await confirmAction({ title, text, confirmLabel: t("settings.revoke"), destructive: true })))
      return;
    const save = async () => {
      await api.delete("/api-keys/{id}", { path: { id: key.id } });
      await fetched.reload();
    };
    await submitForm(busy, errors, save, t("settings.revoked"));
  };
  return (
    <section class="card stack" id="api-keys">
      <h2>{t("settings.apiKeys")}</h2>
      {newKey.value && (
        <div class="notice">
          <p>{t("settings.copyKeyNow")}</p>
          <CopyField text={newKey.value} onCopy={() => copyToClipboard(newKey.value, t("settings.key"))} />
        </div>
      )}
      {fetched.error ? (
        <FetchError fetched={fetched} />
      ) : !fetched.value ? (
        <Spinner />
      ) : (
        <ul class="api-keys">
          {fetched.value.api_keys.map((key) => (
            <li key={key.id}>
              <Icon name="key" size={16} />
              <strong dir="auto">{key.name}</strong>
              <code>{key.prefix}…</code>
              <span class="muted">{describeKey(key)}</span>
              <span class="grow" />
              <IconButton
                icon="trash"
                label={t("settings.revokeKey", { name: key.name })}
                onClick={() => revoke(key)}
              />
            </li>
          ))}
        </ul>
      )}
      <form class="form-row" onSubmit={create}>
        <input
          aria-label={t("settings.keyName")}
          placeholder={t("settings.keyName")}
          required
          maxLength={100}
          value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
        <select
          aria-label={t("settings.access")}
          value={scope.value}
          onChange={(event) => (scope.value = event.currentTarget.value as Permission | "")}
        >
          <option value="can_view_conversations">{t("settings.scopeView")}</option>
          <option value="can_chat">{t("settings.scopeReply")}</option>
          <option value="can_manage">{t("settings.scopeManage")}</option>
          <option value="">{t("settings.scopeFull")}</option>
        </select>
        <select
          aria-label={t("settings.expiresLabel")}
          value={days.value}
          onChange={(event) => (days.value = event.currentTarget.value)}
        >
          <option value="30">{t("settings.days30")}</option>
          <option value="90">{t("settings.days90")}</option>
          <option value="365">{t("settings.year")}</option>
          <option value="">{t("settings.never")}</option>
        </select>
        <button type="submit" class="button" disabled={busy.value}>
          {t("settings.createKey")}
        </button>
      </form>
      {errors.value["name"] && <p class="error-text">{errors.value["name"]}</p>}
    </section>
  );
}

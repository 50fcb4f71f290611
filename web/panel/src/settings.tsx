/** What is the operator's own: name, language, password, alerts, canned replies, API keys. */
import { useSignal } from "@preact/signals";
import { copy, submit, useFetched } from "./admin/use";
import { ask } from "./api/http";
import { me, session, type User } from "./api/session";
import { LANGUAGES, languageName } from "./chat/languages";
import { chime } from "./state/alerts";
import { briefly } from "./state/clock";
import { canned, desktop, letterKeys, sounds } from "./state/prefs";
import { confirmed, toast } from "./state/toasts";
import { Field, IconButton, Spinner, Switch } from "./ui/bits";
import { Icon } from "./ui/icon";

export function Settings() {
  return (
    <main class="page narrow">
      <header class="page-head">
        <h1>Settings</h1>
      </header>
      <Profile />
      <Alerts />
      <CannedReplies />
      <Password />
      <ApiKeys />
    </main>
  );
}

function Profile() {
  const name = useSignal(me.value?.name ?? "");
  const language = useSignal(me.value?.language ?? "en");
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const save = (event: Event) => {
    event.preventDefault();
    const work = async () => {
      const body = { name: name.value.trim(), language: language.value };
      const answer = await ask<{ user: User }>("/auth/me", { method: "PUT", body });
      session.amend({ name: answer.user.name, language: answer.user.language ?? null });
    };
    void submit(busy, errors, work, "Saved.");
  };
  return (
    <form class="card stack" onSubmit={save}>
      <h2>You</h2>
      <div class="columns">
        <Field label="Name" hint="Visitors see it." error={errors.value["name"]}>
          <input
            required
            maxLength={100}
            dir="auto"
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        </Field>
        <Field label="Language" hint="Chats are translated into it." error={errors.value["language"]}>
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
          Save
        </button>
      </div>
    </form>
  );
}

function Alerts() {
  const notify = async (on: boolean) => {
    if (on && (!("Notification" in window) || (await Notification.requestPermission()) !== "granted")) {
      toast("This browser does not allow notifications for this page.", "bad");
      desktop.value = false;
      return;
    }
    desktop.value = on;
  };
  return (
    <section class="card stack">
      <h2>Alerts and keys</h2>
      <p class="faint">For this browser only.</p>
      <div class="row-line">
        <Switch on={sounds.value} label="Sounds" onChange={(on) => (sounds.value = on)} />
        <button type="button" class="text-button" onClick={() => chime("waiting")}>
          Try
        </button>
      </div>
      <Switch on={desktop.value} label="Notifications of the desktop" onChange={notify} />
      <Switch
        on={letterKeys.value}
        label="Single letters as shortcuts"
        onChange={(on) => (letterKeys.value = on)}
      />
    </section>
  );
}

function CannedReplies() {
  const change = (index: number, fields: { short?: string; text?: string }) => {
    canned.value = canned.value.map((reply, at) => (at === index ? { ...reply, ...fields } : reply));
  };
  return (
    <section class="card stack">
      <h2>Canned replies</h2>
      <p class="faint">
        Type <kbd>/</kbd> in a chat. {"{name}"} is the visitor, {"{me}"} is you. Kept in this browser.
      </p>
      <ul class="canned">
        {canned.value.map((reply, index) => (
          <li key={index}>
            <input
              aria-label="Short"
              class="canned-short"
              maxLength={30}
              value={reply.short}
              onInput={(event) => change(index, { short: event.currentTarget.value.replace(/[\s/]/g, "") })}
            />
            <textarea
              aria-label={`Text of ${reply.short}`}
              rows={1}
              dir="auto"
              maxLength={2000}
              value={reply.text}
              onInput={(event) => change(index, { text: event.currentTarget.value })}
            />
            <IconButton
              icon="trash"
              label={`Delete ${reply.short}`}
              onClick={() => (canned.value = canned.value.filter((_, at) => at !== index))}
            />
          </li>
        ))}
      </ul>
      <button
        type="button"
        class="text-button"
        onClick={() => (canned.value = [...canned.value, { short: "", text: "" }])}
      >
        <Icon name="plus" size={14} /> Add one
      </button>
    </section>
  );
}

function Password() {
  const current = useSignal("");
  const next = useSignal("");
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const save = async (event: Event) => {
    event.preventDefault();
    const body = { current_password: current.value, new_password: next.value };
    const done = "Password changed. Other devices are logged out.";
    if (await submit(busy, errors, () => ask("/auth/change-password", { body }), done)) {
      current.value = "";
      next.value = "";
    }
  };
  return (
    <form class="card stack" onSubmit={save}>
      <h2>Password</h2>
      <div class="columns">
        <Field label="Now" error={errors.value["current_password"]}>
          <input
            type="password"
            autoComplete="current-password"
            required
            value={current.value}
            onInput={(event) => (current.value = event.currentTarget.value)}
          />
        </Field>
        <Field label="New" hint="At least ten characters." error={errors.value["new_password"]}>
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
        <span class="grow" />
        <button type="submit" class="button" disabled={busy.value}>
          Change password
        </button>
      </div>
    </form>
  );
}

interface Key {
  id: number;
  name: string;
  prefix: string;
  created_at: string;
  last_used_at: string | null;
}

function ApiKeys() {
  const fetched = useFetched<{ api_keys: Key[] }>("/api-keys");
  const name = useSignal("");
  const made = useSignal("");
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const create = async (event: Event) => {
    event.preventDefault();
    const work = async () => {
      made.value = (await ask<{ key: string }>("/api-keys", { body: { name: name.value.trim() } })).key;
      name.value = "";
      await fetched.reload();
    };
    await submit(busy, errors, work, "");
  };
  const revoke = async (key: Key) => {
    const text = "Whatever uses it is refused from now on.";
    if (!(await confirmed({ title: `Revoke ${key.name}?`, text, yes: "Revoke", grave: true }))) return;
    const work = async () => {
      await ask(`/api-keys/${key.id}`, { method: "DELETE" });
      await fetched.reload();
    };
    await submit(busy, errors, work, "Revoked.");
  };
  return (
    <section class="card stack">
      <h2>API keys</h2>
      {made.value && (
        <div class="notice">
          <p>Copy it now; it is not shown again.</p>
          <div class="snippet">
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways. */}
            <pre tabIndex={0}>
              <code>{made.value}</code>
            </pre>
            <button type="button" class="button" onClick={() => copy(made.value, "The key is")}>
              <Icon name="copy" size={16} /> Copy
            </button>
          </div>
        </div>
      )}
      {fetched.problem ? (
        <p class="bad-text">{fetched.problem}</p>
      ) : !fetched.value ? (
        <Spinner />
      ) : (
        <ul class="keys-list">
          {fetched.value.api_keys.map((key) => (
            <li key={key.id}>
              <Icon name="key" size={16} />
              <strong dir="auto">{key.name}</strong>
              <code>{key.prefix}…</code>
              <span class="faint">
                {key.last_used_at ? `last used ${briefly(key.last_used_at)}` : "never used"}
              </span>
              <span class="grow" />
              <IconButton icon="trash" label={`Revoke ${key.name}`} onClick={() => revoke(key)} />
            </li>
          ))}
        </ul>
      )}
      <form class="row-line" onSubmit={create}>
        <input
          aria-label="Name of a new key"
          placeholder="What is it for?"
          required
          maxLength={100}
          value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
        <button type="submit" class="button" disabled={busy.value}>
          Make a key
        </button>
      </form>
      {errors.value["name"] && <p class="bad-text">{errors.value["name"]}</p>}
    </section>
  );
}

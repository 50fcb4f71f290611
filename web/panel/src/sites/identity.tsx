/** By which secrets a site's server proves who its visitors are, and how. */

import { useSignal } from "@preact/signals";
import type { IdentitySecret } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { CopyField, IconButton } from "../components/controls";
import { EmptyState, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { copyToClipboard, submitForm } from "../components/forms";
import { Icon } from "../components/icon";
import { confirmAction } from "../components/toasts";
import { formatTimeOrDate } from "../i18n/formats";
import { t, tx } from "../i18n/i18n";
import { SERVER_SNIPPETS, type ServerLanguage } from "./identitySnippets";

const LIST = "/sites/{site_id}/identity-secrets";
const SECRET = "/sites/{site_id}/identity-secrets/{secret_id}";

export function Identity({ siteId }: { siteId: number }) {
  const path = { site_id: siteId };
  const fetched = useFetch(`identity-secrets/${siteId}`, () => api.get(LIST, { path }));
  const name = useSignal("");
  const created = useSignal("");
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const create = async (event: Event) => {
    event.preventDefault();
    const save = async () => {
      created.value = (await api.post(LIST, { path, body: { name: name.value.trim() } })).secret;
      name.value = "";
      await fetched.reload();
    };
    await submitForm(busy, errors, save, "");
  };
  const revoke = async (secret: IdentitySecret) => {
    const title = t("identity.revokeTitle", { name: secret.name });
    const confirmed = await confirmAction({
      title,
      text: t("identity.revokeText"),
      confirmLabel: t("identity.revoke"),
      destructive: true,
    });
    if (!confirmed) return;
    const save = async () => {
      await api.delete(SECRET, { path: { site_id: siteId, secret_id: secret.id } });
      await fetched.reload();
    };
    await submitForm(busy, errors, save, t("identity.revoked"));
  };
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!fetched.value) return <Spinner />;
  const secrets = fetched.value.identity_secrets;
  return (
    <div class="stack">
      <p class="muted">{t("identity.hint")}</p>
      {created.value && (
        <div class="notice">
          <p>{t("identity.copyNow")}</p>
          <CopyField
            text={created.value}
            onCopy={() => copyToClipboard(created.value, t("identity.secret"))}
          />
        </div>
      )}
      {secrets.length === 0 ? (
        <EmptyState icon="key" title={t("identity.none")}>
          {t("identity.noneText")}
        </EmptyState>
      ) : (
        <ul class="api-keys">
          {secrets.map((secret) => (
            <li key={secret.id}>
              <Icon name="key" size={16} />
              <strong dir="auto">{secret.name}</strong>
              <code>kid {secret.id}</code>
              <span class="muted">{describeUse(secret)}</span>
              <span class="grow" />
              <IconButton
                icon="trash"
                label={t("identity.revokeSecret", { name: secret.name })}
                onClick={() => revoke(secret)}
              />
            </li>
          ))}
        </ul>
      )}
      <form class="form-row" onSubmit={create}>
        <input
          aria-label={t("identity.name")}
          placeholder={t("identity.name")}
          required
          maxLength={100}
          value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
        <button type="submit" class="button" disabled={busy.value}>
          {t("identity.create")}
        </button>
      </form>
      {errors.value["name"] && <p class="error-text">{errors.value["name"]}</p>}
      <Snippets />
    </div>
  );
}

function describeUse({ created_at, last_used_at }: IdentitySecret): string {
  const made = t("identity.createdAt", { date: formatTimeOrDate(created_at) });
  const used = last_used_at
    ? t("identity.lastUsed", { date: formatTimeOrDate(last_used_at) })
    : t("identity.neverUsed");
  return `${made} · ${used}`;
}

const PAGE_SNIPPET = `<script>
  window.parley = window.parley || function () { (parley.q = parley.q || []).push(arguments); };
  parley("identify", "TOKEN FROM YOUR SERVER");
</script>`;

function Snippets() {
  const language = useSignal<ServerLanguage>("Node.js");
  const code = SERVER_SNIPPETS[language.value];
  return (
    <>
      <h3>{t("identity.onServer")}</h3>
      <p class="muted">{tx("identity.onServerText", { sub: <code>sub</code>, exp: <code>exp</code> })}</p>
      <nav class="tabs" aria-label={t("identity.serverLanguage")}>
        {(Object.keys(SERVER_SNIPPETS) as ServerLanguage[]).map((name) => (
          <button
            key={name}
            type="button"
            class="tab"
            aria-pressed={name === language.value}
            onClick={() => (language.value = name)}
          >
            {name}
          </button>
        ))}
      </nav>
      <CopyField text={code} onCopy={() => copyToClipboard(code, t("sites.snippet"))} />
      <h3>{t("identity.onPage")}</h3>
      <CopyField text={PAGE_SNIPPET} onCopy={() => copyToClipboard(PAGE_SNIPPET, t("sites.snippet"))} />
      <p class="muted">{tx("identity.onLogout", { code: <code>parley("reset")</code> })}</p>
    </>
  );
}

/** Adds or changes an MCP server. */

import { useSignal } from "@preact/signals";
import type { McpServer } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { Field } from "../components/controls";
import { Dialog, DialogActions } from "../components/dialog";
import { submitForm } from "../components/forms";
import { t } from "../i18n/i18n";
import { AuthorizationField } from "./credentials";
import { MCP_SERVER, MCP_SERVERS } from "./tools";

interface McpServerDialogProps {
  siteId: number;
  /** Null for a new server. */
  server: McpServer | null;
  onClose: () => void;
  /** With the server's secret, if it has a new one. */
  onSaved: (server: McpServer, secret?: string | null) => void;
}

export function McpServerDialog({ siteId, server, onClose, onSaved }: McpServerDialogProps) {
  const name = useSignal(server?.name ?? "");
  const url = useSignal(server?.url ?? "");
  const authorization = useSignal("");
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const body = {
      name: name.value,
      url: url.value,
      enabled: server?.enabled ?? true,
      ...(authorization.value && { authorization: authorization.value }),
    };
    const save = async () => {
      const path = { site_id: siteId };
      const saved = server
        ? await api.put(MCP_SERVER, { path: { ...path, server_id: server.id }, body })
        : await api.post(MCP_SERVERS, { path, body });
      onSaved(saved.server, saved.secret);
    };
    await submitForm(busy, errors, save, t("common.saved"));
  };
  return (
    <Dialog title={server ? t("tools.editServerTitle") : t("tools.addServerTitle")} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <Field label={t("tools.name")} hint={t("tools.serverNameHint")} error={errors.value["name"]}>
          <input
            required
            maxLength={20}
            dir="ltr"
            pattern="[a-z][a-z0-9_]*"
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        </Field>
        <Field label={t("tools.url")} hint={t("tools.serverUrlHint")} error={errors.value["url"]}>
          <input
            required
            maxLength={1000}
            dir="ltr"
            placeholder="https://"
            value={url.value}
            onInput={(event) => (url.value = event.currentTarget.value.trim())}
          />
        </Field>
        <AuthorizationField
          value={authorization}
          isSet={server?.has_authorization}
          error={errors.value["authorization"]}
        />
        <DialogActions onCancel={onClose}>
          <button type="submit" class="button primary" disabled={busy.value}>
            {t("common.save")}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

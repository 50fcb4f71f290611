/** The MCP servers of a site: servers of tools, of which a manager allows some. */

import { useSignal } from "@preact/signals";
import type { McpServer } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { IconButton } from "../components/controls";
import { FetchError } from "../components/fetchError";
import { Icon } from "../components/icon";
import { t } from "../i18n/i18n";
import { NewSecret } from "./credentials";
import { McpServerDialog } from "./mcpServerDialog";
import { McpToolsDialog } from "./mcpToolsDialog";
import { RowActions } from "./rowActions";
import { describeOutcome, MCP_SERVER, MCP_SERVERS } from "./tools";

export function McpServers({ siteId }: { siteId: number }) {
  const fetched = useFetch(`mcp/${siteId}`, async () => {
    return (await api.get(MCP_SERVERS, { path: { site_id: siteId } })).servers;
  });
  const editing = useSignal<McpServer | "new" | null>(null);
  const choosing = useSignal<McpServer | null>(null);
  const secret = useSignal("");
  const reload = (created?: string | null) => {
    secret.value = created ?? secret.value;
    void fetched.reload();
  };
  if (fetched.error) return <FetchError fetched={fetched} />;
  return (
    <section class="stack" aria-labelledby="mcp-servers">
      <div class="form-row">
        <div>
          <h2 id="mcp-servers">{t("tools.servers")}</h2>
          <p class="muted">{t("tools.serversHint")}</p>
        </div>
        <span class="grow" />
        <button type="button" class="button" onClick={() => (editing.value = "new")}>
          <Icon name="plus" size={16} /> {t("tools.addServer")}
        </button>
      </div>
      {secret.value && <NewSecret secret={secret.value} />}
      <ul class="knowledge-list">
        {fetched.value?.map((server) => (
          <ServerRow
            key={server.id}
            siteId={siteId}
            server={server}
            onEdit={() => (editing.value = server)}
            onChoose={() => (choosing.value = server)}
            onChanged={reload}
          />
        ))}
      </ul>
      {editing.value && (
        <McpServerDialog
          siteId={siteId}
          server={editing.value === "new" ? null : editing.value}
          onClose={() => (editing.value = null)}
          onSaved={(server, created) => {
            if (editing.value === "new") choosing.value = server;
            editing.value = null;
            reload(created);
          }}
        />
      )}
      {choosing.value && (
        <McpToolsDialog
          siteId={siteId}
          server={choosing.value}
          onClose={() => {
            choosing.value = null;
            // The check has noted what has changed.
            reload();
          }}
        />
      )}
    </section>
  );
}

interface ServerRowProps {
  siteId: number;
  server: McpServer;
  onEdit: () => void;
  onChoose: () => void;
  onChanged: (secret?: string | null) => void;
}

function ServerRow({ siteId, server, onEdit, onChoose, onChanged }: ServerRowProps) {
  const path = { site_id: siteId, server_id: server.id };
  const { name, url, enabled } = server;
  return (
    <li class={enabled ? "" : "tool-off"}>
      <div>
        <strong>{name}</strong> <code class="tool-facts">{url}</code>
        <ul class="tool-names">
          {server.tools.map((tool) => (
            <li key={tool.name} class={tool.state === "ok" ? "" : "error-text"}>
              <span dir="auto">{tool.title}</span>
              {[
                tool.state === "changed" && t("tools.changed"),
                tool.state === "missing" && t("tools.missing"),
                tool.writes && t("tools.asks"),
                tool.identified_only && t("tools.forIdentified"),
              ]
                .filter(Boolean)
                .map((fact) => ` · ${fact}`)}
            </li>
          ))}
        </ul>
        {server.tools.length === 0 && <p class="muted">{t("tools.noneAllowed")}</p>}
        {server.failure && (
          <p class="error-text">
            {t("tools.lastFailure")}: {describeOutcome(server.failure)}
          </p>
        )}
      </div>
      <RowActions
        name={name}
        enabled={enabled}
        deleteTitle={t("tools.deleteServerTitle")}
        deletedText={t("tools.serverDeleted")}
        setEnabled={(on) => api.put(MCP_SERVER, { path, body: { name, url, enabled: on } })}
        replaceSecret={() => api.post(`${MCP_SERVER}/secret`, { path })}
        remove={() => api.delete(MCP_SERVER, { path })}
        onEdit={onEdit}
        onChanged={onChanged}
      >
        <IconButton icon="bolt" label={t("tools.choose", { name })} onClick={onChoose} />
      </RowActions>
    </li>
  );
}

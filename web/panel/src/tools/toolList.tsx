/** The tools that a site's assistant can call. */

import { useSignal } from "@preact/signals";
import type { Tool } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { IconButton } from "../components/controls";
import { EmptyState, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { Icon } from "../components/icon";
import { t } from "../i18n/i18n";
import { NewSecret } from "./credentials";
import { RowActions } from "./rowActions";
import { ToolDialog } from "./toolDialog";
import "./tools.css";
import { CALL_TIMEOUT_MS, TOOL, TOOLS, toBody } from "./tools";
import { TryDialog } from "./tryDialog";

export function ToolList({ siteId }: { siteId: number }) {
  const fetched = useFetch(`tools/${siteId}`, async () => {
    return (await api.get(TOOLS, { path: { site_id: siteId } })).tools;
  });
  const editing = useSignal<Tool | "new" | null>(null);
  const trying = useSignal<Tool | null>(null);
  const tried = trying.value;
  const secret = useSignal("");
  const reload = (created?: string | null) => {
    secret.value = created ?? secret.value;
    void fetched.reload();
  };
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!fetched.value) return <Spinner />;
  return (
    <section class="stack" aria-label={t("tools.title")}>
      <div class="form-row">
        <p class="muted">{t("tools.hint")}</p>
        <span class="grow" />
        <button type="button" class="button" onClick={() => (editing.value = "new")}>
          <Icon name="plus" size={16} /> {t("tools.add")}
        </button>
      </div>
      {secret.value && <NewSecret secret={secret.value} />}
      {fetched.value.length === 0 && (
        <EmptyState icon="bolt" title={t("tools.none")}>
          {t("tools.noneText")}
        </EmptyState>
      )}
      <ul class="knowledge-list">
        {fetched.value.map((tool) => (
          <ToolRow
            key={tool.id}
            siteId={siteId}
            tool={tool}
            onEdit={() => (editing.value = tool)}
            onTry={() => (trying.value = tool)}
            onChanged={reload}
          />
        ))}
      </ul>
      {editing.value && (
        <ToolDialog
          siteId={siteId}
          tool={editing.value === "new" ? null : editing.value}
          onClose={() => (editing.value = null)}
          onSaved={(created) => {
            editing.value = null;
            reload(created);
          }}
        />
      )}
      {tried && (
        <TryDialog
          tool={tried}
          call={(args) =>
            api.post(`${TOOL}/try`, {
              path: { site_id: siteId, tool_id: tried.id },
              body: { arguments: args },
              timeoutMs: CALL_TIMEOUT_MS,
            })
          }
          onClose={() => (trying.value = null)}
        />
      )}
    </section>
  );
}

interface ToolRowProps {
  siteId: number;
  tool: Tool;
  onEdit: () => void;
  onTry: () => void;
  onChanged: (secret?: string | null) => void;
}

function ToolRow({ siteId, tool, onEdit, onTry, onChanged }: ToolRowProps) {
  const path = { site_id: siteId, tool_id: tool.id };
  const name = tool.title;
  const facts = [
    `${tool.method} ${tool.url}`,
    tool.writes && t("tools.asks"),
    tool.identified_only && t("tools.forIdentified"),
    !tool.enabled && t("tools.off"),
  ];
  return (
    <li class={tool.enabled ? "" : "tool-off"}>
      <div>
        <strong dir="auto">{name}</strong> <code>{tool.name}</code>
        <p dir="auto">{tool.description}</p>
        <p class="tool-facts">{facts.filter(Boolean).join(" · ")}</p>
      </div>
      <RowActions
        name={name}
        enabled={tool.enabled}
        deleteTitle={t("tools.deleteTitle")}
        deletedText={t("tools.deleted")}
        setEnabled={(enabled) => api.put(TOOL, { path, body: { ...toBody(tool), enabled } })}
        replaceSecret={() => api.post(`${TOOL}/secret`, { path })}
        remove={() => api.delete(TOOL, { path })}
        onEdit={onEdit}
        onChanged={onChanged}
      >
        <IconButton icon="send" label={t("tools.try", { name })} onClick={onTry} />
      </RowActions>
    </li>
  );
}

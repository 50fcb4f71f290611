/** The tools that a site's assistant can call. */

import { useSignal } from "@preact/signals";
import type { Tool } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { CopyField, IconButton, Switch } from "../components/controls";
import { EmptyState, Spinner } from "../components/display";
import { copyToClipboard } from "../components/forms";
import { Icon } from "../components/icon";
import { confirmAction, runWithToast } from "../components/toasts";
import { t } from "../i18n/i18n";
import { ToolDialog } from "./toolDialog";
import "./tools.css";
import { TOOL, TOOLS, toBody } from "./tools";
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
  if (fetched.error) return <p class="error-text">{fetched.error}</p>;
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
      {secret.value && (
        <div class="notice" role="status">
          <p>{t("tools.copyNow")}</p>
          <CopyField text={secret.value} onCopy={() => copyToClipboard(secret.value, t("tools.secret"))} />
        </div>
      )}
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
  onChanged: (secret?: string) => void;
}

function ToolRow({ siteId, tool, onEdit, onTry, onChanged }: ToolRowProps) {
  const path = { site_id: siteId, tool_id: tool.id };
  const name = tool.title;
  const replaceSecret = async () => {
    const confirmed = await confirmAction({
      title: t("tools.newSecretTitle"),
      text: t("tools.newSecretText"),
      confirmLabel: t("tools.replace"),
      destructive: true,
    });
    if (!confirmed) return;
    await runWithToast(async () => {
      const { secret } = await api.post(`${TOOL}/secret`, { path });
      onChanged(secret ?? undefined);
    }, t("common.saved"));
  };
  const remove = async () => {
    const confirmed = await confirmAction({
      title: t("tools.deleteTitle"),
      text: name,
      confirmLabel: t("common.delete"),
      destructive: true,
    });
    if (confirmed && (await runWithToast(() => api.delete(TOOL, { path }), t("tools.deleted")))) onChanged();
  };
  const toggle = async (enabled: boolean) => {
    const save = () => api.put(TOOL, { path, body: { ...toBody(tool), enabled } });
    if (await runWithToast(save, t("common.saved"))) onChanged();
  };
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
      <Switch on={tool.enabled} label={t("tools.enabled")} onChange={toggle} />
      <IconButton icon="send" label={t("tools.try", { name })} onClick={onTry} />
      <IconButton icon="key" label={t("tools.newSecret", { name })} onClick={replaceSecret} />
      <IconButton icon="pencil" label={t("tools.edit", { name })} onClick={onEdit} />
      <IconButton icon="trash" label={t("tools.delete", { name })} onClick={remove} />
    </li>
  );
}

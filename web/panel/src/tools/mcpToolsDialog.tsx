/** Asks an MCP server for its tools, of which some are tried and allowed. */

import { useSignal } from "@preact/signals";
import type { ListedTool, McpServer } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { IconButton, Switch } from "../components/controls";
import { Dialog, DialogActions } from "../components/dialog";
import { Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { submitForm } from "../components/forms";
import { type TextKey, t } from "../i18n/i18n";
import { CALL_TIMEOUT_MS, describeOutcome, MCP_SERVER } from "./tools";
import { TryDialog } from "./tryDialog";

const FAULTS = {
  name: "tools.fault_name",
  no_description: "tools.fault_no_description",
  long_description: "tools.fault_long_description",
  schema: "tools.fault_schema",
} as const satisfies Record<NonNullable<ListedTool["fault"]>, TextKey>;

interface Choice {
  allowed: boolean;
  title: string;
  writes: boolean;
  identified_only: boolean;
}

interface McpToolsDialogProps {
  siteId: number;
  server: McpServer;
  onClose: () => void;
}

export function McpToolsDialog({ siteId, server, onClose }: McpToolsDialogProps) {
  const path = { site_id: siteId, server_id: server.id };
  const choices = useSignal<Record<string, Choice>>({});
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const trying = useSignal<ListedTool | null>(null);
  const checked = useFetch(`mcp-tools/${server.id}`, async () => {
    const found = await api.post(`${MCP_SERVER}/check`, { path, timeoutMs: CALL_TIMEOUT_MS });
    choices.value = Object.fromEntries(found.tools.map((tool) => [tool.name, choiceOf(tool, found.server)]));
    return found;
  });
  const tools = checked.value?.tools ?? [];
  const submit = async (event: Event) => {
    event.preventDefault();
    const chosen = tools.flatMap(({ name, fingerprint }) => {
      const { allowed = false, ...choice } = choices.value[name] ?? {};
      return allowed ? [{ name, fingerprint, ...(choice as Omit<Choice, "allowed">) }] : [];
    });
    const save = () => api.put(`${MCP_SERVER}/tools`, { path, body: { tools: chosen } });
    if (await submitForm(busy, errors, save, t("common.saved"))) onClose();
  };
  const outcome = checked.value?.outcome;
  const tried = trying.value;
  return (
    <>
      <Dialog title={t("tools.chooseTitle", { name: server.name })} onClose={onClose}>
        <form class="stack" onSubmit={submit}>
          <p class="muted">{t("tools.chooseHint")}</p>
          <div role="status">
            {checked.error && <FetchError fetched={checked} />}
            {!checked.value && !checked.error && <Spinner />}
            {outcome && outcome !== "ok" && <p class="error-text">{describeOutcome(outcome)}</p>}
            {outcome === "ok" && tools.length === 0 && <p>{t("tools.noneListed")}</p>}
          </div>
          {errors.value["tools"] && <p class="error-text">{errors.value["tools"]}</p>}
          <ul class="mcp-tools">
            {tools.map((tool) => (
              <ToolChoice
                key={tool.name}
                tool={tool}
                isChanged={checked.value?.server.tools.some(
                  (one) => one.name === tool.name && one.state === "changed",
                )}
                choice={choices.value[tool.name]}
                onTry={() => (trying.value = tool)}
                onChange={(change) => {
                  const before = choices.value[tool.name];
                  if (before) choices.value = { ...choices.value, [tool.name]: { ...before, ...change } };
                }}
              />
            ))}
          </ul>
          <DialogActions onCancel={onClose}>
            <button type="submit" class="button primary" disabled={busy.value || outcome !== "ok"}>
              {t("common.save")}
            </button>
          </DialogActions>
        </form>
      </Dialog>
      {tried && (
        <TryDialog
          tool={tried}
          call={(args) =>
            api.post(`${MCP_SERVER}/try`, {
              path,
              timeoutMs: CALL_TIMEOUT_MS,
              body: { name: tried.name, fingerprint: tried.fingerprint, arguments: args },
            })
          }
          onClose={() => (trying.value = null)}
        />
      )}
    </>
  );
}

/** What is allowed now. A tool that has changed is to be allowed again; a new one asks the visitor first. */
function choiceOf(tool: ListedTool, server: McpServer): Choice {
  const before = server.tools.find((one) => one.name === tool.name);
  return {
    allowed: before?.state === "ok",
    title: before?.title ?? tool.title,
    writes: before?.writes ?? true,
    identified_only: before?.identified_only ?? true,
  };
}

interface ToolChoiceProps {
  tool: ListedTool;
  isChanged: boolean | undefined;
  choice: Choice | undefined;
  onChange: (change: Partial<Choice>) => void;
  onTry: () => void;
}

function ToolChoice({ tool, isChanged, choice, onChange, onTry }: ToolChoiceProps) {
  if (!choice) return null;
  return (
    <li class="stack">
      <div class="form-row">
        <label class="mcp-tool">
          <input
            type="checkbox"
            checked={choice.allowed}
            disabled={tool.fault !== null}
            onChange={(event) => onChange({ allowed: event.currentTarget.checked })}
          />
          <span>
            <strong dir="auto">{tool.title}</strong> <code>{tool.name}</code>
          </span>
        </label>
        <span class="grow" />
        {!tool.fault && (
          <IconButton icon="send" label={t("tools.try", { name: tool.title })} onClick={onTry} />
        )}
      </div>
      {isChanged && <p class="error-text">{t("tools.changedHint")}</p>}
      {tool.fault && <p class="error-text">{t(FAULTS[tool.fault])}</p>}
      <p class="mcp-description" dir="auto">
        {tool.description}
      </p>
      <details>
        <summary>{t("tools.parameters")}</summary>
        <pre class="tool-json" dir="ltr">
          {JSON.stringify(tool.parameters, null, 2)}
        </pre>
      </details>
      {choice.allowed && (
        <>
          <Switch
            on={!choice.writes}
            label={tool.read_only_hint ? t("tools.readsClaimed") : t("tools.reads")}
            onChange={(on) => onChange({ writes: !on })}
          />
          <Switch
            on={choice.identified_only}
            label={t("tools.identifiedServer")}
            onChange={(on) => onChange({ identified_only: on })}
          />
        </>
      )}
    </li>
  );
}

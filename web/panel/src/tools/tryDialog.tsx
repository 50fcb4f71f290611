/** Calls a tool, or one that an MCP server lists, and shows what its system answers. */

import { useSignal } from "@preact/signals";
import type { Tool, ToolResult } from "../../../shared/apiTypes";
import { Field } from "../components/controls";
import { Dialog, DialogActions } from "../components/dialog";
import { submitForm } from "../components/forms";
import { t } from "../i18n/i18n";
import { describeOutcome, parseObject } from "./tools";

type Arguments = Record<string, unknown>;

interface TryDialogProps {
  tool: Pick<Tool, "title" | "parameters">;
  call: (args: Arguments) => Promise<ToolResult>;
  onClose: () => void;
}

export function TryDialog({ tool, call, onClose }: TryDialogProps) {
  const text = useSignal(JSON.stringify(exampleOf(tool), null, 2));
  const result = useSignal<ToolResult | null>(null);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const parsed = parseObject(text.value);
    result.value = null;
    if (!parsed) {
      errors.value = { arguments: t("tools.invalidJson") };
      return;
    }
    const show = async () => {
      result.value = await call(parsed);
    };
    await submitForm(busy, errors, show, "");
  };
  const shown = result.value;
  return (
    <Dialog title={t("tools.tryTitle")} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <p>
          <strong dir="auto">{tool.title}</strong>
        </p>
        <p class="muted">{t("tools.tryText")}</p>
        <Field label={t("tools.arguments")} error={errors.value["arguments"]}>
          <textarea
            class="tool-json"
            rows={5}
            dir="ltr"
            spellcheck={false}
            value={text.value}
            onInput={(event) => (text.value = event.currentTarget.value)}
          />
        </Field>
        <div role="status">
          {shown && (
            <>
              <p class={shown.outcome === "ok" ? "" : "error-text"}>
                {describeOutcome(shown.outcome)}
                {shown.status !== null && ` · ${shown.status}`}
              </p>
              <pre class="tool-json" dir="ltr">
                {shown.content}
              </pre>
            </>
          )}
        </div>
        <DialogActions onCancel={onClose}>
          <button type="submit" class="button primary" disabled={busy.value}>
            {t("tools.call")}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** Empty values of the parameters, to fill in. */
function exampleOf(tool: Pick<Tool, "parameters">): Arguments {
  const properties = (tool.parameters["properties"] ?? {}) as Record<string, { type?: string }>;
  const empty: Arguments = { integer: 0, number: 0, boolean: false, array: [], object: {} };
  return Object.fromEntries(
    Object.entries(properties).map(([name, { type }]) => [name, empty[type ?? ""] ?? ""]),
  );
}

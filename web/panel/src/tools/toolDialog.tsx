/** Adds or changes a tool. */

import { useSignal } from "@preact/signals";
import type { Tool, ToolRequestBody } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { Field, Switch } from "../components/controls";
import { Dialog, DialogActions } from "../components/dialog";
import { submitForm } from "../components/forms";
import { t } from "../i18n/i18n";
import { AuthorizationField } from "./credentials";
import { parseObject, TOOL, TOOLS, toBody } from "./tools";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
type Draft = Required<Omit<ToolRequestBody, "parameters" | "authorization">>;

const NEW: Draft = {
  name: "",
  title: "",
  description: "",
  method: "GET",
  url: "",
  writes: true,
  identified_only: true,
  timeout_seconds: 10,
  enabled: true,
};
const NEW_PARAMETERS = {
  type: "object",
  properties: { order_id: { type: "string", description: "" } },
  required: ["order_id"],
};

interface ToolDialogProps {
  siteId: number;
  /** Null for a new tool. */
  tool: Tool | null;
  onClose: () => void;
  /** With the tool's secret, if it has a new one. */
  onSaved: (secret?: string | null) => void;
}

export function ToolDialog({ siteId, tool, onClose, onSaved }: ToolDialogProps) {
  const draft = useSignal<Draft>(tool ? { ...NEW, ...toBody(tool) } : NEW);
  const parameters = useSignal(JSON.stringify(tool?.parameters ?? NEW_PARAMETERS, null, 2));
  const authorization = useSignal("");
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const parsed = parseObject(parameters.value);
    if (!parsed) {
      errors.value = { parameters: t("tools.invalidJson") };
      return;
    }
    const body = {
      ...draft.value,
      parameters: parsed,
      ...(authorization.value && { authorization: authorization.value }),
    };
    let secret: string | null | undefined;
    const save = async () => {
      const path = { site_id: siteId };
      const saved = tool
        ? await api.put(TOOL, { path: { ...path, tool_id: tool.id }, body })
        : await api.post(TOOLS, { path, body });
      secret = saved.secret;
    };
    if (await submitForm(busy, errors, save, t("common.saved"))) onSaved(secret);
  };
  const set = (change: Partial<Draft>) => {
    draft.value = { ...draft.value, ...change };
  };
  const { name, title, description, method, url, writes, identified_only, timeout_seconds, enabled } =
    draft.value;
  return (
    <Dialog title={tool ? t("tools.editTitle") : t("tools.addTitle")} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <Field label={t("tools.titleLabel")} hint={t("tools.titleHint")} error={errors.value["title"]}>
          <input
            required
            maxLength={100}
            dir="auto"
            value={title}
            onInput={(event) => set({ title: event.currentTarget.value })}
          />
        </Field>
        <Field label={t("tools.name")} hint={t("tools.nameHint")} error={errors.value["name"]}>
          <input
            required
            maxLength={64}
            dir="ltr"
            pattern="[a-z][a-z0-9_]*"
            value={name}
            onInput={(event) => set({ name: event.currentTarget.value })}
          />
        </Field>
        <Field
          label={t("tools.description")}
          hint={t("tools.descriptionHint")}
          error={errors.value["description"]}
        >
          <textarea
            required
            rows={2}
            maxLength={1000}
            dir="auto"
            value={description}
            onInput={(event) => set({ description: event.currentTarget.value })}
          />
        </Field>
        <div class="form-row">
          <Field label={t("tools.method")} error={errors.value["method"]}>
            <select
              value={method}
              onChange={(event) => set({ method: event.currentTarget.value as Draft["method"] })}
            >
              {METHODS.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </Field>
          <Field label={t("tools.timeout")} error={errors.value["timeout_seconds"]}>
            <input
              type="number"
              min={1}
              max={20}
              required
              value={timeout_seconds}
              onInput={(event) => set({ timeout_seconds: event.currentTarget.valueAsNumber })}
            />
          </Field>
        </div>
        <Field label={t("tools.url")} hint={t("tools.urlHint")} error={errors.value["url"]}>
          <input
            required
            maxLength={1000}
            dir="ltr"
            placeholder="https://"
            value={url}
            onInput={(event) => set({ url: event.currentTarget.value.trim() })}
          />
        </Field>
        <Field label={t("tools.parameters")} error={errors.value["parameters"]}>
          <textarea
            class="tool-json"
            rows={7}
            dir="ltr"
            spellcheck={false}
            value={parameters.value}
            onInput={(event) => (parameters.value = event.currentTarget.value)}
          />
        </Field>
        <AuthorizationField
          value={authorization}
          isSet={tool?.has_authorization}
          error={errors.value["authorization"]}
        />
        <Switch on={writes} label={t("tools.writes")} onChange={(on) => set({ writes: on })} />
        <Switch
          on={identified_only}
          label={t("tools.identifiedOnly")}
          onChange={(on) => set({ identified_only: on })}
        />
        <Switch on={enabled} label={t("tools.enabled")} onChange={(on) => set({ enabled: on })} />
        <DialogActions onCancel={onClose}>
          <button type="submit" class="button primary" disabled={busy.value}>
            {t("common.save")}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

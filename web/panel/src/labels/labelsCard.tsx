/** The settings' card of labels: a list to edit for those who may, and a form. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Label } from "../../../shared/apiTypes";
import { api, errorMessage } from "../api/client";
import { useRequest } from "../commands/registry";
import { Field, IconButton } from "../components/controls";
import { submitForm } from "../components/forms";
import { Icon } from "../components/icon";
import { confirmAction, runWithToast } from "../components/toasts";
import { t } from "../i18n/i18n";
import { LoggedOut, me } from "../session/session";
import { getSiteName, managedSites } from "../sites/sites";
import { labels, loadLabels, mayChangeLabel } from "./labels";

const DEFAULT_COLOUR = "#2563eb";

export function LabelsCard() {
  const editing = useSignal<Label | "new" | null>(null);
  const error = useSignal("");
  useRequest("label.add", () => (editing.value = "new"));
  useEffect(() => {
    loadLabels().catch((caught) => {
      if (!(caught instanceof LoggedOut)) error.value = errorMessage(caught);
    });
  }, []);
  if (managedSites.value.length === 0) return null;
  const remove = async (label: Label) => {
    const title = t("labels.deleteTitle", { name: label.name });
    const text = t("labels.deleteText");
    if (!(await confirmAction({ title, text, confirmLabel: t("common.delete"), destructive: true }))) return;
    await runWithToast(async () => {
      await api.delete("/labels/{id}", { path: { id: label.id } });
      await loadLabels();
    });
  };
  return (
    <section class="card stack" id="labels" aria-label={t("labels.labels")}>
      <h2>{t("labels.labels")}</h2>
      {error.value && <p class="error-text">{error.value}</p>}
      <ul class="labels-list">
        {labels.value.map((label) => (
          <li key={label.id}>
            <span class="tag label-chip" style={{ "--label": label.colour }}>
              <span dir="auto">{label.name}</span>
            </span>
            <span class="muted" dir="auto">
              {label.site_id === null ? t("labels.forTeam") : getSiteName(label.site_id)}
            </span>
            {mayChangeLabel(label) && (
              <>
                <IconButton
                  icon="pencil"
                  label={t("labels.editLabel", { name: label.name })}
                  onClick={() => (editing.value = label)}
                />
                <IconButton
                  icon="trash"
                  label={t("labels.deleteLabel", { name: label.name })}
                  onClick={() => remove(label)}
                />
              </>
            )}
          </li>
        ))}
      </ul>
      {editing.value ? (
        <LabelForm key={editing.value === "new" ? 0 : editing.value.id} editing={editing} />
      ) : (
        <button type="button" class="text-button" onClick={() => (editing.value = "new")}>
          <Icon name="plus" size={14} /> {t("labels.add")}
        </button>
      )}
    </section>
  );
}

function LabelForm({ editing }: { editing: Signal<Label | "new" | null> }) {
  const before = editing.value === "new" ? null : editing.value;
  const name = useSignal(before?.name ?? "");
  const colour = useSignal(before?.colour ?? DEFAULT_COLOUR);
  const audience = useSignal(me.value?.owner ? "all" : String(managedSites.value[0]?.id ?? ""));
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const save = async () => {
      const body = { name: name.value, colour: colour.value };
      if (before) {
        await api.put("/labels/{id}", { path: { id: before.id }, body });
      } else {
        const isAll = audience.value === "all";
        const scope = isAll ? ("all" as const) : ("site" as const);
        await api.post("/labels", {
          body: { ...body, scope, site_id: isAll ? null : Number(audience.value) },
        });
      }
      await loadLabels();
    };
    if (await submitForm(busy, errors, save, t("common.saved"))) editing.value = null;
  };
  return (
    <form class="stack" onSubmit={submit}>
      <div class="columns">
        <Field label={t("common.name")} error={errors.value["name"]}>
          <input
            required
            maxLength={40}
            dir="auto"
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        </Field>
        <Field label={t("labels.colour")} error={errors.value["colour"]}>
          <input
            type="color"
            value={colour.value}
            onInput={(event) => (colour.value = event.currentTarget.value)}
          />
        </Field>
        {!before && (
          <Field label={t("labels.for")} error={errors.value["site_id"]}>
            <select value={audience.value} onChange={(event) => (audience.value = event.currentTarget.value)}>
              {me.value?.owner && <option value="all">{t("labels.forTeam")}</option>}
              {managedSites.value.map((site) => (
                <option key={site.id} value={String(site.id)}>
                  {site.name}
                </option>
              ))}
            </select>
          </Field>
        )}
      </div>
      <div class="form-actions">
        <button type="button" class="button" onClick={() => (editing.value = null)}>
          {t("common.cancel")}
        </button>
        <button type="submit" class="button primary" disabled={busy.value}>
          {t("common.save")}
        </button>
      </div>
    </form>
  );
}

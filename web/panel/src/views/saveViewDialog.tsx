/** Saves a filter as a view, for oneself or for others. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { SavedView } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { Field } from "../components/controls";
import { Dialog, DialogActions } from "../components/dialog";
import { submitForm } from "../components/forms";
import { t } from "../i18n/i18n";
import { me } from "../session/session";
import { managedSites } from "../sites/sites";
import { activeView, loadViews } from "./views";

interface SaveViewDialogProps {
  filter: SavedView["filter"];
  onClose: () => void;
}

export function SaveViewDialog({ filter, onClose }: SaveViewDialogProps) {
  const name = useSignal("");
  const audience = useSignal("mine");
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  useEffect(() => document.getElementById("view-name")?.focus(), []);
  const submit = async (event: Event) => {
    event.preventDefault();
    const save = async () => {
      const isSite = audience.value !== "mine" && audience.value !== "all";
      const { view } = await api.post("/views", {
        body: {
          name: name.value,
          filter,
          scope: isSite ? "site" : (audience.value as "mine" | "all"),
          site_id: isSite ? Number(audience.value) : null,
        },
      });
      await loadViews();
      activeView.value = view.id;
    };
    if (await submitForm(busy, errors, save, t("common.saved"))) onClose();
  };
  return (
    <Dialog title={t("labels.saveView")} onClose={onClose}>
      <form onSubmit={submit}>
        <Field label={t("common.name")} error={errors.value["name"]}>
          <input
            id="view-name"
            required
            maxLength={100}
            dir="auto"
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        </Field>
        <Field label={t("labels.for")} error={errors.value["scope"]}>
          <select value={audience.value} onChange={(event) => (audience.value = event.currentTarget.value)}>
            <option value="mine">{t("labels.forMe")}</option>
            {managedSites.value.map((site) => (
              <option key={site.id} value={String(site.id)}>
                {site.name}
              </option>
            ))}
            {me.value?.owner && <option value="all">{t("labels.forTeam")}</option>}
          </select>
        </Field>
        <DialogActions onCancel={onClose}>
          <button type="submit" class="button primary" disabled={busy.value}>
            {t("common.save")}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

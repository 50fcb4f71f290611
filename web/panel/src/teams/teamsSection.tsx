/** The teams that conversations are routed to, and the dialog that changes one. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Member, Team } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { useRequest } from "../commands/registry";
import { Field, IconButton } from "../components/controls";
import { Dialog, DialogActions } from "../components/dialog";
import { submitForm } from "../components/forms";
import { Icon } from "../components/icon";
import { isolate } from "../components/isolate";
import { confirmAction, runWithToast } from "../components/toasts";
import { t } from "../i18n/i18n";
import { getSiteName, hasPermission, managedSites } from "../sites/sites";
import { loadTeams, teams } from "./teams";

export function TeamsSection({ members }: { members: readonly Member[] }) {
  const editing = useSignal<Team | "new" | null>(null);
  useRequest("team.add", () => (editing.value = "new"));
  useEffect(() => void runWithToast(loadTeams), []);
  const remove = async (team: Team) => {
    const confirmed = await confirmAction({
      title: t("teams.deleteTitle", { name: team.name }),
      text: t("teams.deleteText"),
      confirmLabel: t("teams.delete"),
      destructive: true,
    });
    if (!confirmed) return;
    await runWithToast(async () => {
      await api.delete("/teams/{id}", { path: { id: team.id } });
      await loadTeams();
    }, t("teams.deleted"));
  };
  return (
    <section class="card" aria-label={t("teams.title")}>
      <header class="card-header">
        <h2>{t("teams.title")}</h2>
        <span class="grow" />
        <button type="button" class="button" onClick={() => (editing.value = "new")}>
          <Icon name="plus" size={16} /> {t("teams.add")}
        </button>
      </header>
      <p class="muted">{t("teams.hint")}</p>
      <ul class="members">
        {teams.value.map((team) => (
          <li key={team.id} class="member">
            <div class="member-identity">
              <strong dir="auto">{team.name}</strong>
              <span class="muted">{t("teams.members", { count: team.operator_ids.length })}</span>
            </div>
            <div class="member-access">
              {team.site_ids.map((siteId) => (
                <span key={siteId} class="tag plain" dir="auto">
                  {getSiteName(siteId)}
                </span>
              ))}
            </div>
            {team.site_ids.every((siteId) => hasPermission(siteId, "can_manage")) && (
              <div class="member-actions">
                <IconButton
                  icon="pencil"
                  label={t("teams.edit", { name: team.name })}
                  onClick={() => (editing.value = team)}
                />
                <IconButton
                  icon="trash"
                  label={t("teams.deleteNamed", { name: team.name })}
                  onClick={() => remove(team)}
                />
              </div>
            )}
          </li>
        ))}
      </ul>
      {editing.value && (
        <TeamDialog
          team={editing.value === "new" ? null : editing.value}
          members={members}
          onClose={() => (editing.value = null)}
        />
      )}
    </section>
  );
}

interface TeamDialogProps {
  /** Null for a new team. */
  team: Team | null;
  members: readonly Member[];
  onClose: () => void;
}

function TeamDialog({ team, members, onClose }: TeamDialogProps) {
  const first = managedSites.value[0];
  const name = useSignal(team?.name ?? "");
  const siteIds = useSignal<readonly number[]>(team?.site_ids ?? (first ? [first.id] : []));
  const operatorIds = useSignal<readonly number[]>(team?.operator_ids ?? []);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const possible = members.filter(
    (member) => member.owner || siteIds.value.some((siteId) => String(siteId) in member.sites),
  );
  const submit = async (event: Event) => {
    event.preventDefault();
    const body = {
      name: name.value.trim(),
      site_ids: [...siteIds.value],
      operator_ids: [...operatorIds.value],
    };
    const save = async () => {
      if (team) await api.put("/teams/{id}", { path: { id: team.id }, body });
      else await api.post("/teams", { body });
      await loadTeams();
    };
    if (await submitForm(busy, errors, save, t("teams.saved"))) onClose();
  };
  return (
    <Dialog title={team ? t("teams.edit", { name: team.name }) : t("teams.add")} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <Field label={t("teams.name")} error={errors.value["name"]}>
          <input
            required
            maxLength={100}
            dir="auto"
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        </Field>
        <Choices
          legend={t("teams.sites")}
          options={managedSites.value}
          chosen={siteIds.value}
          onChange={(chosen) => (siteIds.value = chosen)}
        />
        <Choices
          legend={t("teams.operators")}
          options={possible}
          chosen={operatorIds.value}
          onChange={(chosen) => (operatorIds.value = chosen)}
        />
        {errors.value["operator_ids"] && (
          <p class="error-text" role="alert">
            {isolate(errors.value["operator_ids"])}
          </p>
        )}
        <DialogActions onCancel={onClose}>
          <button type="submit" class="button primary" disabled={busy.value || !siteIds.value.length}>
            {t("teams.save")}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface ChoicesProps {
  legend: string;
  options: readonly { id: number; name: string }[];
  chosen: readonly number[];
  onChange: (chosen: number[]) => void;
}

function Choices({ legend, options, chosen, onChange }: ChoicesProps) {
  const set = (id: number, on: boolean) => {
    const others = chosen.filter((one) => one !== id);
    onChange(on ? [...others, id] : others);
  };
  return (
    <fieldset>
      <legend>{legend}</legend>
      {options.map((option) => (
        <label key={option.id} class="choice">
          <input
            type="checkbox"
            checked={chosen.includes(option.id)}
            onChange={(event) => set(option.id, event.currentTarget.checked)}
          />{" "}
          <span dir="auto">{option.name}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** How a site's waiting chats are given to operators: by hand, in turn, to who is least busy; teams and fallbacks. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Routing } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { Field, IconButton } from "../components/controls";
import { submitForm } from "../components/forms";
import { Icon } from "../components/icon";
import { runWithToast } from "../components/toasts";
import { type TextKey, t } from "../i18n/i18n";
import { useUnsavedChanges } from "../navigation/unsavedChanges";
import { loadTeams, teams, teamsLoaded } from "../teams/teams";
import { loadSites, type Site } from "./sites";

const MODES: Record<Routing["routing"], TextKey> = {
  manual: "teams.manual",
  round_robin: "teams.roundRobin",
  least_busy: "teams.leastBusy",
};
const DEFAULT_FALLBACK_SECONDS = 60;

/** A team that was deleted, or left the site, counts as anyone, and is refused when the routing is saved. */
function withoutDeletedTeams(routing: Routing, siteId: number): Routing {
  if (!teamsLoaded.value) return routing;
  const known = new Set(teams.value.filter((team) => team.site_ids.includes(siteId)).map(({ id }) => id));
  const keep = (id: number | null) => (id !== null && known.has(id) ? id : null);
  const fallbacks = routing.fallbacks.map((one) => ({ ...one, team_id: keep(one.team_id) }));
  return { ...routing, team_id: keep(routing.team_id), fallbacks };
}

export function RoutingForm({ site }: { site: Site }) {
  const routing = useSignal<Routing>(site.assignment);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  useEffect(() => void runWithToast(loadTeams), []);
  useUnsavedChanges(JSON.stringify(routing.value) !== JSON.stringify(site.assignment));
  const { routing: mode, capacity } = routing.value;
  const { team_id: teamId, fallbacks } = withoutDeletedTeams(routing.value, site.id);
  const set = (fields: Partial<Routing>) => {
    routing.value = { ...routing.value, ...fields };
  };
  const setFallback = (index: number, fields: Partial<Routing["fallbacks"][number]>) =>
    set({ fallbacks: fallbacks.map((one, at) => (at === index ? { ...one, ...fields } : one)) });
  const submit = async (event: Event) => {
    event.preventDefault();
    const options = { path: { site_id: site.id }, body: withoutDeletedTeams(routing.value, site.id) };
    const save = async () => {
      await api.put("/sites/{site_id}/routing", options);
      await loadSites();
    };
    await submitForm(busy, errors, save, t("teams.saved"));
  };
  return (
    <form class="stack" onSubmit={submit}>
      <Field label={t("teams.routing")} hint={t("teams.routingHint")}>
        <select
          value={mode}
          onChange={(event) => set({ routing: event.currentTarget.value as Routing["routing"] })}
        >
          {Object.entries(MODES).map(([name, key]) => (
            <option key={name} value={name}>
              {t(key)}
            </option>
          ))}
        </select>
      </Field>
      {mode !== "manual" && (
        <>
          <Field label={t("teams.capacity")} hint={t("teams.capacityHint")} error={errors.value["capacity"]}>
            <input
              type="number"
              class="short"
              min={1}
              max={100}
              required
              value={capacity}
              onInput={(event) => set({ capacity: event.currentTarget.valueAsNumber || 1 })}
            />
          </Field>
          <Field label={t("teams.first")} error={errors.value["team_id"]}>
            <TeamSelect siteId={site.id} value={teamId} onChange={(team_id) => set({ team_id })} />
          </Field>
          <fieldset>
            <legend>{t("teams.fallbacks")}</legend>
            {fallbacks.map((fallback, index) => (
              <div key={index} class="columns">
                <Field label={t("teams.after")}>
                  <input
                    type="number"
                    class="short"
                    min={0}
                    max={86400}
                    required
                    value={fallback.after_seconds}
                    onInput={(event) =>
                      setFallback(index, { after_seconds: event.currentTarget.valueAsNumber || 0 })
                    }
                  />
                </Field>
                <Field label={t("teams.to")}>
                  <TeamSelect
                    siteId={site.id}
                    value={fallback.team_id}
                    onChange={(team_id) => setFallback(index, { team_id })}
                  />
                </Field>
                <IconButton
                  icon="trash"
                  label={t("teams.removeFallback")}
                  onClick={() => set({ fallbacks: fallbacks.filter((_, at) => at !== index) })}
                />
              </div>
            ))}
            <button
              type="button"
              class="button small"
              disabled={fallbacks.length >= 10}
              onClick={() =>
                set({ fallbacks: [...fallbacks, { team_id: null, after_seconds: DEFAULT_FALLBACK_SECONDS }] })
              }
            >
              <Icon name="plus" size={14} /> {t("teams.addFallback")}
            </button>
          </fieldset>
        </>
      )}
      <div>
        <button type="submit" class="button primary" disabled={busy.value}>
          {t("teams.save")}
        </button>
      </div>
    </form>
  );
}

interface TeamSelectProps {
  siteId: number;
  /** Null is anyone. */
  value: number | null;
  onChange: (teamId: number | null) => void;
}

function TeamSelect({ siteId, value, onChange }: TeamSelectProps) {
  return (
    <select
      value={value ?? ""}
      onChange={(event) => onChange(event.currentTarget.value ? Number(event.currentTarget.value) : null)}
    >
      <option value="">{t("teams.anyone")}</option>
      {teams.value
        .filter((team) => team.site_ids.includes(siteId))
        .map((team) => (
          <option key={team.id} value={team.id}>
            {team.name}
          </option>
        ))}
    </select>
  );
}

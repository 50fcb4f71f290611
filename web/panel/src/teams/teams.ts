/** The teams that conversations can be transferred to, of all the operator's sites. */
import { computed, signal } from "@preact/signals";
import type { Conversation, Team } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { fetchAllPages } from "../api/pages";
import { me } from "../session/session";
import { hasPermission } from "../sites/sites";

export const teams = signal<Team[]>([]);
export const teamsLoaded = signal(false);

const teamsById = computed(() => new Map(teams.value.map((team) => [team.id, team])));

/** The name of a team; undefined for one that was deleted. */
export function getTeamName(id: number | null | undefined): string | undefined {
  return id ? teamsById.value.get(id)?.name : undefined;
}

/** Whether the operator is to be notified of a waiting conversation: it waits for anyone, their team, or they manage. */
export function isForMe({ team_id: teamId, site_id: siteId }: Conversation): boolean {
  const team = teamId ? teamsById.value.get(teamId) : undefined;
  if (!team?.operator_ids.length || hasPermission(siteId, "can_manage")) return true;
  return me.value !== null && team.operator_ids.includes(me.value.id);
}

/** Removes the teams of the operator who logs out. */
export function clearTeams(): void {
  teams.value = [];
  teamsLoaded.value = false;
}

/** Fetches all of them. Throws ApiError, LoggedOut. */
export async function loadTeams(): Promise<void> {
  teams.value = await fetchAllPages(async (cursor) => {
    const page = await api.get("/teams", { query: { limit: 100, cursor } });
    return { items: page.teams, nextCursor: page.next_cursor };
  });
  teamsLoaded.value = true;
}

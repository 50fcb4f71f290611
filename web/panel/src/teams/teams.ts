/** The teams that conversations can be transferred to, of all the operator's sites. */
import { computed, signal } from "@preact/signals";
import type { Conversation, Team } from "../../../shared/apiTypes";
import { api } from "../api/client";
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

export async function loadTeams(): Promise<void> {
  const loaded: Team[] = [];
  let cursor: string | null = null;
  do {
    const page: { teams: Team[]; next_cursor: string | null } = await api.get("/teams", {
      query: { limit: 100, cursor },
    });
    loaded.push(...page.teams);
    cursor = page.next_cursor;
  } while (cursor);
  teams.value = loaded;
  teamsLoaded.value = true;
}

/** The state of the first run for the managers of an installation. */
import { computed, signal } from "@preact/signals";
import { api } from "../api/client";
import { me } from "../session/session";
import { persistedSignal } from "../settings/preferences";
import {
  hasPermission,
  isManager,
  loadSites,
  managedSites,
  type Site,
  sites,
  sitesLoaded,
} from "../sites/sites";
import { NO_SITE, nextStep, SerializedState, type SetupFacts } from "./steps";

/** Undefined until they are fetched. */
export const setupFacts = signal<SetupFacts | undefined>(undefined);

const chosenSite = signal<number | null>(null);

/** The site that is set up: the one that was chosen, or else the newest. */
export const setupSite = computed(
  () =>
    managedSites.value.find((site) => site.id === chosenSite.value) ??
    managedSites.value.reduce<Site | undefined>((a, b) => (a && a.id > b.id ? a : b), undefined),
);

export function chooseSetupSite(id: number): void {
  chosenSite.value = id;
}

const state = new SerializedState(fetchFacts, (facts) => {
  setupFacts.value = facts;
});

/** Whether the sidebar offers the first run: a manager has steps left. */
export const isSetupOpen = computed(
  () => isManager.value && setupFacts.value !== undefined && nextStep(setupFacts.value) !== null,
);

/** The operators who have left the first run; it opens by itself for everybody else without a site. */
const leftBy = persistedSignal<number[]>("setupLeft", []);

export function leaveSetup(): void {
  const id = me.value?.id;
  if (id !== undefined && !leftBy.value.includes(id)) leftBy.value = [...leftBy.value, id];
}

/** Whether the first run opens by itself: for an owner of an empty installation who has not left it. */
export const opensByItself = computed(
  () =>
    sitesLoaded.value &&
    me.value?.owner === true &&
    sites.value.length === 0 &&
    !leftBy.value.includes(me.value.id),
);

export const refreshSetup = (): Promise<void> => state.refresh();

/** Saves a step, one after another, and shows what is done then. Throws ApiError, LoggedOut. */
export const saveStep = (save: () => Promise<unknown>): Promise<void> => state.change(save);

/** Forgets the facts of the operator who has logged out. */
export function resetSetup(): void {
  state.reset();
  chosenSite.value = null;
  setupFacts.value = undefined;
}

async function fetchFacts(): Promise<SetupFacts> {
  const site = setupSite.value;
  if (!site) return NO_SITE;
  const path = { site_id: site.id };
  const visitors = hasPermission(site.id, "can_view_conversations")
    ? api.get("/operator/online-visitors", { query: { site_id: site.id, limit: 1 } })
    : undefined;
  const [online, team, knowledge, { chatbot }, archive] = await Promise.all([
    visitors,
    api.get("/team", { query: { limit: 2 } }),
    api.get("/sites/{site_id}/chatbot/knowledge", { path, query: { limit: 1 } }),
    api.get("/sites/{site_id}/chatbot", { path }),
    api.get("/sites/{site_id}/conversations", { path, query: { per_page: 10 } }),
  ]);
  return {
    siteId: site.id,
    widget: online?.widget ?? null,
    members: team.team.length,
    knowledgeEntries: knowledge.knowledge.length,
    hasEndpoint: chatbot.engine !== "builtin",
    hasAcceptedChat: archive.conversations.some((conversation) => conversation.operator !== null),
  };
}

/** Adds the first site and fetches what the panel knows of sites. */
export async function addSite(name: string, domain: string, idempotencyKey: string): Promise<void> {
  await api.post("/sites", { body: { name, domains: [domain] }, idempotencyKey });
  await loadSites();
}

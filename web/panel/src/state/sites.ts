/** The sites that the operator may see, and what they may do on each. */
import { computed, signal } from "@preact/signals";
import { ask } from "../api/http";
import { me, session, type User } from "../api/session";

export type Permission = "can_chat" | "can_view_conversations" | "can_manage";

export interface Site {
  id: number;
  name: string;
  site_key?: string;
  domains?: string[];
  any_origin?: boolean;
  language?: string;
  routing?: string;
  permissions: Permission[];
}

export const sites = signal<Site[]>([]);

export const siteById = computed(() => new Map(sites.value.map((site) => [site.id, site])));

export function may(siteId: number, permission: Permission): boolean {
  return me.value?.owner === true || siteById.value.get(siteId)?.permissions.includes(permission) === true;
}

export const managed = computed(() => sites.value.filter((site) => may(site.id, "can_manage")));
export const chatting = computed(() => sites.value.filter((site) => may(site.id, "can_chat")));

export function siteName(siteId: number): string {
  return siteById.value.get(siteId)?.name ?? `Site ${siteId}`;
}

interface MeAnswer {
  user: User & { sites?: Record<string, Permission[]> };
}

/** Fetches who I am and my sites anew. */
export async function loadSites(): Promise<void> {
  const [mine, list] = await Promise.all([
    ask<MeAnswer>("/auth/me"),
    ask<{ sites: (Omit<Site, "permissions"> & { permissions?: Permission[] })[] }>("/sites", {
      query: { limit: 100 },
    }),
  ]);
  const { sites: access = {}, ...user } = mine.user;
  session.amend(user);
  sites.value = list.sites.map((site) => ({
    ...site,
    permissions: site.permissions ?? access[String(site.id)] ?? [],
  }));
}

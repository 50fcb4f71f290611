/** The sites that the operator may see, and what they may do on each. */

import { computed, signal } from "@preact/signals";
import type { Permission, SiteFields } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { fetchAllPages } from "../api/pages";
import { t } from "../i18n/i18n";
import { me, session } from "../session/session";

export interface Site extends SiteFields {
  permissions: Permission[];
}

export const sites = signal<Site[]>([]);

/** Whether the sites have been fetched. */
export const sitesLoaded = signal(false);

export const sitesById = computed(() => new Map(sites.value.map((site) => [site.id, site])));

/** Whether the operator has a permission on a site. An owner has every permission. */
export function hasPermission(siteId: number, permission: Permission): boolean {
  return me.value?.owner === true || sitesById.value.get(siteId)?.permissions.includes(permission) === true;
}

/** The sites that the operator manages. */
export const managedSites = computed(() =>
  sites.value.filter((site) => hasPermission(site.id, "can_manage")),
);

/** Whether the operator manages anything. An owner does, also without a site. */
export const isManager = computed(() => me.value?.owner === true || managedSites.value.length > 0);

/** The sites on which the operator answers visitors. */
export const chatSites = computed(() => sites.value.filter((site) => hasPermission(site.id, "can_chat")));

/** Whether the operator may send a site's chats by e-mail, and the installation sends mail. */
export function maySendTranscripts(siteId: number): boolean {
  const site = sitesById.value.get(siteId);
  return Boolean(site?.sends_mail && site.transcript_email) && hasPermission(siteId, "can_chat");
}

export function getSiteName(siteId: number): string {
  return sitesById.value.get(siteId)?.name ?? t("common.siteNumber", { id: String(siteId) });
}

/** Removes the sites of the operator who logs out. */
export function clearSites(): void {
  sites.value = [];
  sitesLoaded.value = false;
}

/** Fetches the operator's account and all their sites. Throws ApiError, LoggedOut. */
export async function loadSites(): Promise<void> {
  const [{ user }, list] = await Promise.all([
    api.get("/auth/me"),
    fetchAllPages(async (cursor) => {
      const page = await api.get("/sites", { query: { limit: 100, cursor } });
      return { items: page.sites, nextCursor: page.next_cursor };
    }),
  ]);
  const { sites: permissions, tenant: _, ...account } = user;
  session.updateUser(account);
  sites.value = list.map((site) => ({ ...site, permissions: permissions[String(site.id)] ?? [] }));
  sitesLoaded.value = true;
}

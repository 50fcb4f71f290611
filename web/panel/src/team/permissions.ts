/** The permissions that an operator may have on a site, with their labels. */

import type { Permission } from "../../../shared/apiTypes";
import { t } from "../i18n/i18n";

export const PERMISSIONS: Permission[] = ["can_chat", "can_view_conversations", "can_manage"];

export const permissionName = (permission: Permission): string => t(`team.permission_${permission}`);

/** Granted permissions, by site. */
export type Access = Record<string, Permission[]>;

export const DEFAULT_PERMISSIONS: Permission[] = ["can_chat", "can_view_conversations"];

/** Permissions as the API takes them: a flag for each. */
export const toFlags = (granted: Permission[]): Record<Permission, boolean> => ({
  can_chat: granted.includes("can_chat"),
  can_view_conversations: granted.includes("can_view_conversations"),
  can_manage: granted.includes("can_manage"),
});

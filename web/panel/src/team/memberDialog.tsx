/** Invites a teammate, or changes a member's name, sites and permissions. */

import { useSignal } from "@preact/signals";
import type { Invitation, Member, Permission } from "../../../shared/apiTypes";
import { randomId } from "../../../shared/storage";
import { api } from "../api/client";
import { Field, Switch } from "../components/controls";
import { Dialog, DialogActions } from "../components/dialog";
import { submitForm } from "../components/forms";
import { runWithToast } from "../components/toasts";
import { t } from "../i18n/i18n";
import { me } from "../session/session";
import { managedSites } from "../sites/sites";
import { type Access, DEFAULT_PERMISSIONS, PERMISSIONS, permissionName, toFlags } from "./permissions";

interface MemberDialogProps {
  /** Null for a new member. */
  member: Member | null;
  onClose: () => void;
  onSaved: (invitation: Invitation | null) => void;
}

interface MemberFields {
  name: string;
  owner: boolean;
  access: Access;
  /** Null: the default of the site. */
  capacity: number | null;
}

export function MemberDialog({ member, onClose, onSaved }: MemberDialogProps) {
  const name = useSignal(member?.name ?? "");
  const email = useSignal("");
  const owner = useSignal(member?.owner ?? false);
  const capacity = useSignal(member?.capacity ?? null);
  const access = useSignal<Access>(member?.sites ?? defaultAccess());
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    let invitation: Invitation | null = null;
    const fields = {
      name: name.value.trim(),
      owner: owner.value,
      access: access.value,
      capacity: capacity.value,
    };
    const save = async () => {
      if (member) await updateMember(member, fields);
      else invitation = await inviteMember(email.value.trim(), fields);
    };
    if (await submitForm(busy, errors, save, member ? t("common.saved") : "")) onSaved(invitation);
  };
  return (
    <Dialog
      title={member ? t("team.edit", { name: member.name }) : t("team.inviteTeammate")}
      onClose={onClose}
    >
      <form class="stack" onSubmit={submit}>
        <Field label={t("common.name")} error={errors.value["name"]}>
          <input
            required
            maxLength={100}
            dir="auto"
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        </Field>
        {!member && (
          <Field label={t("common.email")} hint={t("team.emailHint")} error={errors.value["email"]}>
            <input
              type="email"
              required
              maxLength={254}
              value={email.value}
              onInput={(event) => (email.value = event.currentTarget.value)}
            />
          </Field>
        )}
        {member && (
          <Field label={t("teams.memberCapacity")} hint={t("teams.memberCapacityHint")}>
            <input
              type="number"
              class="short"
              min={1}
              max={100}
              value={capacity.value ?? ""}
              onInput={(event) => (capacity.value = event.currentTarget.valueAsNumber || null)}
            />
          </Field>
        )}
        {me.value?.owner && (
          <Switch on={owner.value} label={t("team.ownerSwitch")} onChange={(on) => (owner.value = on)} />
        )}
        {!owner.value && (
          <AccessTable access={access.value} onChange={(changed) => (access.value = changed)} />
        )}
        <DialogActions onCancel={onClose}>
          <button type="submit" class="button primary" disabled={busy.value}>
            {member ? t("common.save") : t("team.invite")}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

function defaultAccess(): Access {
  const first = managedSites.value[0];
  return first ? { [first.id]: DEFAULT_PERMISSIONS } : {};
}

async function inviteMember(
  email: string,
  { name, owner, access }: MemberFields,
): Promise<Invitation | null> {
  const [first, ...others] = owner ? [] : Object.entries(access);
  const { member, invitation } = await api.post("/team", {
    body: {
      email,
      name,
      owner,
      site_ids: first ? [Number(first[0])] : [],
      permissions: toFlags(first?.[1] ?? []),
    },
    idempotencyKey: randomId(),
  });
  // The member is there, and so is their invitation: what fails now is shown, and can be set later.
  await runWithToast(async () => {
    for (const [siteId, granted] of others) await setPermissions(siteId, member.id, granted);
  });
  return invitation;
}

async function updateMember(member: Member, { name, owner, access, capacity }: MemberFields): Promise<void> {
  const body = {
    ...(name !== member.name && { name }),
    ...(owner !== member.owner && { owner }),
    ...(capacity !== member.capacity && { capacity: capacity ?? 0 }),
  };
  if (Object.keys(body).length) await api.put("/team/{id}", { path: { id: member.id }, body });
  if (owner) return;
  for (const [siteId, granted] of Object.entries(access)) {
    if (String(member.sites[siteId]) !== String(granted)) await setPermissions(siteId, member.id, granted);
  }
  for (const siteId of Object.keys(member.sites)) {
    if (!(siteId in access)) await api.delete(MEMBER_OF_SITE, { path: toPath(siteId, member.id) });
  }
}

const MEMBER_OF_SITE = "/sites/{site_id}/team/{operator_id}";

const toPath = (siteId: string, operatorId: number) => ({ site_id: Number(siteId), operator_id: operatorId });

const setPermissions = (siteId: string, operatorId: number, granted: Permission[]) =>
  api.put(MEMBER_OF_SITE, { path: toPath(siteId, operatorId), body: toFlags(granted) });

interface AccessTableProps {
  access: Access;
  onChange: (access: Access) => void;
}

function AccessTable({ access, onChange }: AccessTableProps) {
  const setPermission = (siteId: string, permission: Permission, on: boolean) => {
    const granted = (access[siteId] ?? []).filter((one) => one !== permission);
    onChange({ ...access, [siteId]: on ? [...granted, permission] : granted });
  };
  const setSite = (siteId: string, on: boolean) => {
    const { [siteId]: _removed, ...others } = access;
    onChange(on ? { ...access, [siteId]: DEFAULT_PERMISSIONS } : others);
  };
  return (
    <table class="access">
      <caption class="visually-hidden">{t("team.accessTable")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("common.site")}</th>
          {PERMISSIONS.map((permission) => (
            <th key={permission} scope="col" title={t(`team.describe_${permission}`)}>
              {permissionName(permission)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {managedSites.value.map((site) => {
          const id = String(site.id);
          return (
            <tr key={id}>
              <th scope="row">
                <label>
                  <input
                    type="checkbox"
                    checked={id in access}
                    onChange={(event) => setSite(id, event.currentTarget.checked)}
                  />
                  <span dir="auto">{site.name}</span>
                </label>
              </th>
              {PERMISSIONS.map((permission) => (
                <td key={permission}>
                  <input
                    type="checkbox"
                    aria-label={t("team.permissionOn", {
                      permission: permissionName(permission),
                      site: site.name,
                    })}
                    disabled={!(id in access)}
                    checked={access[id]?.includes(permission) ?? false}
                    onChange={(event) => setPermission(id, permission, event.currentTarget.checked)}
                  />
                </td>
              ))}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** The team: its members, their sites and permissions. */

import { useSignal } from "@preact/signals";
import type { Invitation, Member } from "../../../shared/apiTypes";
import { api } from "../api/client";
import { usePagedFetch } from "../api/useFetch";
import { useRequest } from "../commands/registry";
import { IconButton } from "../components/controls";
import { Avatar, EmptyState, LoadMoreButton, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { Icon } from "../components/icon";
import { confirmAction, runWithToast } from "../components/toasts";
import { locale, t } from "../i18n/i18n";
import { me } from "../session/session";
import { getSiteName, managedSites } from "../sites/sites";
import { TeamsSection } from "../teams/teamsSection";
import { InvitationDialog } from "./invitationDialog";
import { MemberDialog } from "./memberDialog";
import { PERMISSIONS, permissionName } from "./permissions";

const PAGE_SIZE = 100;

export function TeamPage() {
  const fetched = usePagedFetch("team", async (cursor) => {
    const page = await api.get("/team", { query: { limit: PAGE_SIZE, cursor } });
    return { items: page.team, nextCursor: page.next_cursor };
  });
  const editing = useSignal<Member | "new" | null>(null);
  const invitation = useSignal<Invitation | null>(null);
  useRequest("member.invite", () => (editing.value = "new"));
  const onSaved = (created: Invitation | null) => {
    editing.value = null;
    invitation.value = created;
    void fetched.reload();
  };
  return (
    <main class="page">
      <header class="page-header">
        <h1>{t("team.title")}</h1>
        <span class="grow" />
        <button type="button" class="button primary" onClick={() => (editing.value = "new")}>
          <Icon name="plus" size={16} /> {t("team.inviteTeammate")}
        </button>
      </header>
      {fetched.error ? (
        <FetchError fetched={fetched} />
      ) : !fetched.items ? (
        <Spinner />
      ) : fetched.items.length === 0 ? (
        <EmptyState icon="team" title={t("team.none")} />
      ) : (
        <ul class="members card">
          {fetched.items.map((member) => (
            <MemberRow
              key={member.id}
              member={member}
              onEdit={() => (editing.value = member)}
              onInvited={(created) => (invitation.value = created)}
              onChanged={fetched.reload}
            />
          ))}
        </ul>
      )}
      <LoadMoreButton onClick={fetched.loadMore} />
      {fetched.items && <TeamsSection members={fetched.items} />}
      {editing.value && (
        <MemberDialog
          member={editing.value === "new" ? null : editing.value}
          onClose={() => (editing.value = null)}
          onSaved={onSaved}
        />
      )}
      {invitation.value && (
        <InvitationDialog invitation={invitation.value} onClose={() => (invitation.value = null)} />
      )}
    </main>
  );
}

interface MemberRowProps {
  member: Member;
  onEdit: () => void;
  onInvited: (invitation: Invitation) => void;
  onChanged: () => Promise<void>;
}

function MemberRow({ member, onEdit, onInvited, onChanged }: MemberRowProps) {
  const { id, name, status } = member;
  const isSelf = id === me.value?.id;
  const isSuspended = status === "suspended";
  const setSuspended = async (suspended: boolean) => {
    const title = t("team.suspendTitle", { name });
    const text = t("team.suspendText", { name });
    if (
      suspended &&
      !(await confirmAction({ title, text, confirmLabel: t("team.suspendConfirm"), destructive: true }))
    )
      return;
    await runWithToast(() => api.put("/team/{id}", { path: { id }, body: { suspended } }), t("common.saved"));
    await onChanged();
  };
  const remove = async () => {
    const title = t("team.removeTitle", { name });
    const text = t("team.removeText");
    if (!(await confirmAction({ title, text, confirmLabel: t("common.remove"), destructive: true }))) return;
    await runWithToast(() => api.delete("/team/{id}", { path: { id } }), t("team.removed"));
    await onChanged();
  };
  const renewInvitation = () =>
    runWithToast(async () => {
      const response = await api.post("/team/{id}/invitation", { path: { id } });
      onInvited(response.invitation);
    });
  return (
    <li class="member">
      <Avatar name={name} />
      <div class="member-identity">
        <strong dir="auto">{name}</strong>
        <span class="muted">{member.email}</span>
      </div>
      <MemberAccess member={member} />
      <div class="member-actions">
        {status === "invited" && (
          <button type="button" class="button small" onClick={renewInvitation}>
            {t("team.newInvitation")}
          </button>
        )}
        <IconButton icon="pencil" label={t("team.edit", { name })} onClick={onEdit} />
        {!isSelf && (
          <IconButton
            icon={isSuspended ? "retry" : "block"}
            label={isSuspended ? t("team.reactivate", { name }) : t("team.suspend", { name })}
            onClick={() => setSuspended(!isSuspended)}
          />
        )}
        {!isSelf && <IconButton icon="trash" label={t("team.remove", { name })} onClick={remove} />}
      </div>
    </li>
  );
}

function MemberAccess({ member }: { member: Member }) {
  const access = Object.entries(member.sites);
  return (
    <div class="member-access">
      {member.status !== "active" && (
        <span class={`tag ${member.status === "suspended" ? "error" : "warn"}`}>
          {t(`team.status_${member.status}`)}
        </span>
      )}
      {member.owner ? (
        <span class="tag mine">{t("team.owner")}</span>
      ) : access.length === 0 ? (
        <span class="muted">{t("team.noSites")}</span>
      ) : (
        access.map(([siteId, granted]) => (
          <span key={siteId} class="tag plain">
            {managedSites.value.length > 1 && `${getSiteName(Number(siteId))}: `}
            {PERMISSIONS.filter((permission) => granted.includes(permission))
              .map((permission) => permissionName(permission).toLocaleLowerCase(locale.value))
              .join(", ") || t("team.noPermissions")}
          </span>
        ))
      )}
    </div>
  );
}

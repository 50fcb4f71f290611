/** The team: who is on it, on which sites, and what they may do there. */
import { useSignal } from "@preact/signals";
import { ask } from "../api/http";
import { me } from "../api/session";
import { managed, type Permission, siteName } from "../state/sites";
import { attempt, confirmed } from "../state/toasts";
import { Avatar, Empty, IconButton, Spinner } from "../ui/bits";
import { Icon } from "../ui/icon";
import { type Invitation, InvitationDialog, MemberDialog } from "./member";
import { useFetched } from "./use";

export interface Member {
  id: number;
  email: string;
  name: string;
  owner: boolean;
  status: "active" | "invited" | "suspended";
  sites: Record<string, Permission[]>;
}

interface Page {
  team: Member[];
  next_cursor: string | null;
}

export const PERMISSIONS: [Permission, string, string][] = [
  ["can_chat", "Chat", "Answer visitors"],
  ["can_view_conversations", "View", "Read all conversations"],
  ["can_manage", "Manage", "Change the site and its team"],
];

export function TeamScreen() {
  const fetched = useFetched<Page>("/team?limit=100");
  const editing = useSignal<Member | "new" | null>(null);
  const invitation = useSignal<Invitation | null>(null);
  const page = fetched.value;
  const more = async () => {
    if (!page?.next_cursor) return;
    const next = await ask<Page>("/team", { query: { limit: 100, cursor: page.next_cursor } });
    fetched.set({ ...next, team: [...page.team, ...next.team] });
  };
  const saved = (invited: Invitation | null) => {
    editing.value = null;
    invitation.value = invited;
    void fetched.reload();
  };
  return (
    <main class="page">
      <header class="page-head">
        <h1>Team</h1>
        <span class="grow" />
        <button type="button" class="button primary" onClick={() => (editing.value = "new")}>
          <Icon name="plus" size={16} /> Add somebody
        </button>
      </header>
      {fetched.problem ? (
        <p class="bad-text">{fetched.problem}</p>
      ) : !page ? (
        <Spinner />
      ) : page.team.length === 0 ? (
        <Empty icon="team" title="Nobody is here yet" />
      ) : (
        <ul class="members card">
          {page.team.map((member) => (
            <Row
              key={member.id}
              member={member}
              onEdit={() => (editing.value = member)}
              onInvited={(invited) => (invitation.value = invited)}
              onChanged={fetched.reload}
            />
          ))}
        </ul>
      )}
      {page?.next_cursor && (
        <button type="button" class="button" onClick={more}>
          Show more
        </button>
      )}
      {editing.value && (
        <MemberDialog
          member={editing.value === "new" ? null : editing.value}
          onClose={() => (editing.value = null)}
          onSaved={saved}
        />
      )}
      {invitation.value && (
        <InvitationDialog invitation={invitation.value} onClose={() => (invitation.value = null)} />
      )}
    </main>
  );
}

interface RowProps {
  member: Member;
  onEdit: () => void;
  onInvited: (invitation: Invitation) => void;
  onChanged: () => Promise<void>;
}

function Row({ member, onEdit, onInvited, onChanged }: RowProps) {
  const self = member.id === me.value?.id;
  const suspend = async (suspended: boolean) => {
    const text = `${member.name} is logged out everywhere at once, and their chats stay theirs until you pass them on.`;
    if (
      suspended &&
      !(await confirmed({ title: `Suspend ${member.name}?`, text, yes: "Suspend", grave: true }))
    )
      return;
    await attempt(() => ask(`/team/${member.id}`, { method: "PUT", body: { suspended } }), "Saved.");
    await onChanged();
  };
  const remove = async () => {
    const text = "They lose access at once. What they have written stays.";
    if (!(await confirmed({ title: `Remove ${member.name}?`, text, yes: "Remove", grave: true }))) return;
    await attempt(() => ask(`/team/${member.id}`, { method: "DELETE" }), "Removed.");
    await onChanged();
  };
  const again = () =>
    attempt(async () => {
      const answer = await ask<{ invitation: Invitation }>(`/team/${member.id}/invitation`, {
        method: "POST",
      });
      onInvited(answer.invitation);
    });
  return (
    <li class="member">
      <Avatar name={member.name} />
      <div class="member-who">
        <strong dir="auto">{member.name}</strong>
        <span class="faint">{member.email}</span>
      </div>
      <Access member={member} />
      <div class="member-actions">
        {member.status === "invited" && (
          <button type="button" class="button small" onClick={again}>
            New invitation
          </button>
        )}
        <IconButton icon="pencil" label={`Change ${member.name}`} onClick={onEdit} />
        {!self && (
          <IconButton
            icon={member.status === "suspended" ? "retry" : "block"}
            label={`${member.status === "suspended" ? "Let in again" : "Suspend"}: ${member.name}`}
            onClick={() => suspend(member.status !== "suspended")}
          />
        )}
        {!self && <IconButton icon="trash" label={`Remove ${member.name}`} onClick={remove} />}
      </div>
    </li>
  );
}

function Access({ member }: { member: Member }) {
  const sites = Object.entries(member.sites);
  return (
    <div class="member-access">
      {member.status !== "active" && (
        <span class={`tag ${member.status === "suspended" ? "bad" : "warn"}`}>{member.status}</span>
      )}
      {member.owner ? (
        <span class="tag mine">owner of everything</span>
      ) : sites.length === 0 ? (
        <span class="faint">on no site</span>
      ) : (
        sites.map(([id, granted]) => (
          <span key={id} class="tag plain" title={granted.join(", ") || "no permission"}>
            {managed.value.length > 1 && `${siteName(Number(id))}: `}
            {PERMISSIONS.filter(([name]) => granted.includes(name))
              .map(([, label]) => label.toLowerCase())
              .join(", ") || "nothing"}
          </span>
        ))
      )}
    </div>
  );
}

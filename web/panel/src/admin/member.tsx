/** One member of the team: added, or given other sites and permissions; and the link that an invitation is. */
import { useSignal } from "@preact/signals";
import { ask } from "../api/http";
import { me } from "../api/session";
import { exactly } from "../state/clock";
import { managed, type Permission } from "../state/sites";
import { Dialog, Field, Switch } from "../ui/bits";
import { Icon } from "../ui/icon";
import { type Member, PERMISSIONS } from "./team";
import { copy, submit } from "./use";

export interface Invitation {
  token: string;
  link: string;
  expires_at: string;
}

type Access = Record<string, Permission[]>;

interface MemberProps {
  member: Member | null;
  onClose: () => void;
  onSaved: (invitation: Invitation | null) => void;
}

export function MemberDialog({ member, onClose, onSaved }: MemberProps) {
  const name = useSignal(member?.name ?? "");
  const email = useSignal("");
  const owner = useSignal(member?.owner ?? false);
  const access = useSignal<Access>(member?.sites ?? firstAccess());
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const save = async (event: Event) => {
    event.preventDefault();
    let invitation: Invitation | null = null;
    const work = async () => {
      if (member) await change(member, name.value.trim(), owner.value, access.value);
      else invitation = await add(email.value.trim(), name.value.trim(), owner.value, access.value);
    };
    if (await submit(busy, errors, work, member ? "Saved." : "")) onSaved(invitation);
  };
  return (
    <Dialog title={member ? `Change ${member.name}` : "Add somebody to the team"} onClose={onClose}>
      <form class="stack" onSubmit={save}>
        <Field label="Name" error={errors.value["name"]}>
          <input
            required
            maxLength={100}
            dir="auto"
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        </Field>
        {!member && (
          <Field
            label="E-mail"
            hint="You get a link to pass on; they choose their own password."
            error={errors.value["email"]}
          >
            <input
              type="email"
              required
              maxLength={254}
              value={email.value}
              onInput={(event) => (email.value = event.currentTarget.value)}
            />
          </Field>
        )}
        {me.value?.owner && (
          <Switch
            on={owner.value}
            label="Owner: may do everything, everywhere"
            onChange={(on) => (owner.value = on)}
          />
        )}
        {!owner.value && <AccessTable access={access.value} change={(after) => (access.value = after)} />}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={busy.value}>
            {member ? "Save" : "Invite"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function firstAccess(): Access {
  const first = managed.value[0];
  return first ? { [first.id]: ["can_chat", "can_view_conversations"] } : {};
}

async function add(email: string, name: string, owner: boolean, access: Access): Promise<Invitation | null> {
  const [first, ...others] = Object.entries(access);
  const body = {
    email,
    name,
    owner,
    site_ids: first && !owner ? [Number(first[0])] : [],
    permissions: asFlags(first?.[1] ?? []),
  };
  const answer = await ask<{ member: Member; invitation: Invitation | null }>("/team", {
    body,
    key: crypto.randomUUID(),
  });
  if (!owner) for (const [site, granted] of others) await grant(site, answer.member.id, granted);
  return answer.invitation;
}

async function change(member: Member, name: string, owner: boolean, access: Access): Promise<void> {
  const body: Record<string, unknown> = {};
  if (name !== member.name) body["name"] = name;
  if (owner !== member.owner) body["owner"] = owner;
  if (Object.keys(body).length) await ask(`/team/${member.id}`, { method: "PUT", body });
  if (owner) return;
  for (const [site, granted] of Object.entries(access)) {
    if (String(member.sites[site]) !== String(granted)) await grant(site, member.id, granted);
  }
  for (const site of Object.keys(member.sites)) {
    if (!(site in access)) await ask(`/sites/${site}/team/${member.id}`, { method: "DELETE" });
  }
}

const grant = (site: string, member: number, granted: Permission[]) =>
  ask(`/sites/${site}/team/${member}`, { method: "PUT", body: asFlags(granted) });

const asFlags = (granted: Permission[]) =>
  Object.fromEntries(PERMISSIONS.map(([name]) => [name, granted.includes(name)]));

function AccessTable({ access, change }: { access: Access; change: (access: Access) => void }) {
  const flip = (site: string, permission: Permission, on: boolean) => {
    const had = access[site] ?? [];
    change({ ...access, [site]: on ? [...had, permission] : had.filter((one) => one !== permission) });
  };
  const put = (site: string, on: boolean) => {
    const { [site]: _gone, ...others } = access;
    change(on ? { ...access, [site]: ["can_chat", "can_view_conversations"] } : others);
  };
  return (
    <table class="access">
      <caption class="sr">Sites and permissions</caption>
      <thead>
        <tr>
          <th scope="col">Site</th>
          {PERMISSIONS.map(([name, label, what]) => (
            <th key={name} scope="col" title={what}>
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {managed.value.map((site) => {
          const id = String(site.id);
          return (
            <tr key={id}>
              <th scope="row">
                <label>
                  <input
                    type="checkbox"
                    checked={id in access}
                    onChange={(event) => put(id, event.currentTarget.checked)}
                  />
                  <span dir="auto">{site.name}</span>
                </label>
              </th>
              {PERMISSIONS.map(([name, label]) => (
                <td key={name}>
                  <input
                    type="checkbox"
                    aria-label={`${label} on ${site.name}`}
                    disabled={!(id in access)}
                    checked={access[id]?.includes(name) ?? false}
                    onChange={(event) => flip(id, name, event.currentTarget.checked)}
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

export function InvitationDialog({ invitation, onClose }: { invitation: Invitation; onClose: () => void }) {
  return (
    <Dialog title="Pass this link on" onClose={onClose}>
      <div class="stack">
        <p>
          Whoever opens it joins the team. It is shown this once, is good for one person, and ends on{" "}
          {exactly(invitation.expires_at)}.
        </p>
        <div class="snippet">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways. */}
          <pre tabIndex={0}>
            <code>{invitation.link}</code>
          </pre>
          <button type="button" class="button primary" onClick={() => copy(invitation.link, "The link is")}>
            <Icon name="copy" size={16} /> Copy
          </button>
        </div>
      </div>
    </Dialog>
  );
}

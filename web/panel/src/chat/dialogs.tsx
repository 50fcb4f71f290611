/** Decisions about a conversation that need a choice: to whom it goes, and from what a visitor is blocked. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { BlockType, Conversation } from "../../../shared/views";
import { ask, sentence } from "../api/http";
import { me } from "../api/session";
import { visitorName } from "../state/chats";
import { Avatar, Dialog, Empty, Spinner } from "../ui/bits";
import { block, blocking, transfer, transferring } from "./actions";

interface Colleague {
  id: number;
  name: string;
  online: boolean;
  active_chats: number;
}

export function TransferDialog({ row }: { row: Conversation }) {
  const people = useSignal<Colleague[] | null>(null);
  const problem = useSignal("");
  useEffect(() => {
    ask<{ operators: Colleague[] }>("/operator/operators", { query: { site_id: row.site_id } }).then(
      (answer) => {
        people.value = answer.operators.filter((one) => one.id !== me.value?.id);
      },
      (reason) => {
        problem.value = sentence(reason);
      },
    );
  }, [row.site_id]);
  const done = () => {
    transferring.value = null;
  };
  const choose = async (one: Colleague) => {
    if (await transfer(row.id, one)) done();
  };
  return (
    <Dialog title={`Transfer ${visitorName(row)}`} onClose={done}>
      {problem.value ? (
        <p class="bad-text">{problem.value}</p>
      ) : people.value === null ? (
        <Spinner />
      ) : people.value.length === 0 ? (
        <Empty icon="team" title="Nobody else is on this site’s team" />
      ) : (
        <ul class="pick-list">
          {people.value.map((one) => (
            <li key={one.id}>
              <button type="button" onClick={() => choose(one)}>
                <Avatar name={one.name} online={one.online} small />
                <span class="pick-name" dir="auto">
                  {one.name}
                </span>
                <span class="faint">
                  {one.online ? "online" : "offline, gets a push"} · {one.active_chats}{" "}
                  {one.active_chats === 1 ? "chat" : "chats"}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}

const KINDS: [BlockType, string, string][] = [
  ["both", "Everything", "Neither the AI nor a person answers."],
  ["operator", "People", "The AI still answers; nobody is asked for."],
  ["ai", "The AI", "Only people answer; the AI costs nothing more."],
];

export function BlockDialog({ row }: { row: Conversation }) {
  const kind = useSignal<BlockType>("both");
  if (blocking.value !== row.id) return null;
  const done = () => {
    blocking.value = null;
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    if (await block(row.id, true, kind.value)) done();
  };
  return (
    <Dialog title={`Block ${visitorName(row)}`} onClose={done}>
      <form onSubmit={submit}>
        <fieldset class="choices">
          <legend class="faint">From what?</legend>
          {KINDS.map(([value, label, what]) => (
            <label key={value} class="choice">
              <input
                type="radio"
                name="block"
                value={value}
                checked={kind.value === value}
                onChange={() => {
                  kind.value = value;
                }}
              />
              <span>
                <strong>{label}</strong>
                <span class="faint">{what}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <div class="dialog-actions">
          <button type="button" class="button" onClick={done}>
            Cancel
          </button>
          <button type="submit" class="button grave">
            Block
          </button>
        </div>
      </form>
    </Dialog>
  );
}

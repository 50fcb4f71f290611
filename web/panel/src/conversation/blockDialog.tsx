/** Chooses what a visitor is blocked from. */
import { useSignal } from "@preact/signals";
import type { BlockType, Conversation } from "../../../shared/apiTypes";
import { Dialog, DialogActions } from "../components/dialog";
import { visitorName } from "../inbox/conversations";
import { blockDialogFor, setBlocked } from "./actions";

const BLOCK_TYPES: [BlockType, string, string][] = [
  ["both", "AI and operators", "Nobody replies."],
  ["operator", "Operators", "The AI still replies; operators are not notified."],
  ["ai", "AI", "Only operators reply; the AI uses no tokens."],
];

export function BlockDialog({ conversation }: { conversation: Conversation }) {
  const blockType = useSignal<BlockType>("both");
  if (blockDialogFor.value !== conversation.id) return null;
  const close = () => {
    blockDialogFor.value = null;
  };
  const submit = async (event: Event) => {
    event.preventDefault();
    if (await setBlocked(conversation.id, true, blockType.value)) close();
  };
  return (
    <Dialog title={`Block ${visitorName(conversation)}`} onClose={close}>
      <form onSubmit={submit}>
        <fieldset class="radio-group">
          <legend class="muted">Block from</legend>
          {BLOCK_TYPES.map(([value, label, effect]) => (
            <label key={value} class="radio-option">
              <input
                type="radio"
                name="block"
                value={value}
                checked={blockType.value === value}
                onChange={() => {
                  blockType.value = value;
                }}
              />
              <span>
                <strong>{label}</strong>
                <span class="muted">{effect}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <DialogActions onCancel={close}>
          <button type="submit" class="button danger">
            Block
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** Chooses what a visitor is blocked from. */

import { useSignal } from "@preact/signals";
import type { BlockType, Conversation } from "../../../shared/apiTypes";
import { Dialog, DialogActions } from "../components/dialog";
import { t } from "../i18n/i18n";
import { visitorName } from "../inbox/conversations";
import { blockDialogFor, setBlocked } from "./actions";

const BLOCK_TYPES: BlockType[] = ["both", "operator", "ai"];

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
    <Dialog title={t("conversation.blockTitle", { name: visitorName(conversation) })} onClose={close}>
      <form onSubmit={submit}>
        <fieldset class="radio-group">
          <legend class="muted">{t("conversation.blockFrom")}</legend>
          {BLOCK_TYPES.map((value) => (
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
                <strong>{t(`conversation.block_${value}`)}</strong>
                <span class="muted">{t(`conversation.blockText_${value}`)}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <DialogActions onCancel={close}>
          <button type="submit" class="button danger">
            {t("conversation.block")}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

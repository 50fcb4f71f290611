/** The labels of a conversation, as chips in their colours. */
import type { Conversation } from "../../../shared/apiTypes";
import { labelsById } from "./labels";

export function LabelChips({ conversation, max = 20 }: { conversation: Conversation; max?: number }) {
  const known = conversation.labels.map((id) => labelsById.value.get(id)).filter((label) => !!label);
  const hidden = known.length - max;
  return (
    <>
      {known.slice(0, max).map((label) => (
        <span key={label.id} class="tag label-chip" style={{ "--label": label.colour }} title={label.name}>
          <span dir="auto">{label.name}</span>
        </span>
      ))}
      {hidden > 0 && <span class="tag plain">+{hidden}</span>}
    </>
  );
}

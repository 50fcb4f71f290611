/** Shows which other operators look at a conversation or write in it. */
import { useEffect } from "preact/hooks";
import { Avatar } from "../components/display";
import { formatList } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { getViewers, otherWriters, startViewing, type Viewer } from "./viewers";
import "./viewers.css";

function describe(viewer: Viewer): string {
  const { name } = viewer.operator;
  return viewer.isWriting ? t("viewers.writing", { name }) : t("viewers.viewing", { name });
}

/** Avatars with who does what; for the header of a chat, and small for its row. */
export function ViewerList({ id, small }: { id: number; small?: boolean }) {
  const viewers = getViewers(id);
  if (viewers.length === 0) return null;
  return (
    <span class={`viewers${small ? " small" : ""}`} role="group" aria-label={t("viewers.others")}>
      {viewers.map((viewer) => (
        <span
          key={viewer.operator.id}
          class={`viewer${viewer.isWriting ? " writing" : ""}`}
          title={describe(viewer)}
        >
          <Avatar name={viewer.operator.name} small />
          <span class={small ? "visually-hidden" : "viewer-text"}>{describe(viewer)}</span>
        </span>
      ))}
    </span>
  );
}

/** Reports this operator as a viewer, and warns while somebody else writes too. */
export function ViewingReporter({ id }: { id: number }) {
  useEffect(() => startViewing(id), [id]);
  const writers = otherWriters(id);
  return (
    <div role="status" class={writers.length ? "viewers-warning" : "visually-hidden"}>
      {writers.length > 0 &&
        t("viewers.bothWrite", {
          count: writers.length,
          names: formatList(writers.map((viewer) => viewer.operator.name)),
        })}
    </div>
  );
}

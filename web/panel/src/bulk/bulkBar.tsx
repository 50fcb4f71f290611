/** What can be done to the selected conversations, below the inbox. */
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { toKeyCaps } from "../commands/keys";
import { IconButton } from "../components/controls";
import { FetchError } from "../components/fetchError";
import { PopupMenu } from "../components/popupMenu";
import { SnoozeMenu } from "../conversation/snooze";
import { t } from "../i18n/i18n";
import { activeTab } from "../inbox/conversations";
import { LabelMenu } from "../labels/labelMenu";
import { labels } from "../labels/labels";
import { clearSelection, performBulk, selectAll, selectedSites, selection } from "./selection";

export function BulkBar() {
  const selected = selection.value;
  if (selected.length === 0) return null;
  const sites = selectedSites.value;
  const usable = labels.value.filter((label) => label.site_id === null || sites.has(label.site_id));
  const givenToAll = usable.filter((label) => selected.every((one) => one.labels.includes(label.id)));
  return (
    <section class="bulk-bar" aria-label={t("labels.bulk")}>
      <strong role="status">{t("labels.selected", { count: selected.length })}</strong>
      <IconButton
        icon="done"
        label={t("labels.bulkClose")}
        onClick={() => performBulk({ action: "close" })}
      />
      <PopupMenu icon="transfer" label={t("labels.bulkAssign")} upwards>
        {() => <AssigneeMenu siteIds={[...sites]} />}
      </PopupMenu>
      <PopupMenu icon="bookmark" label={t("labels.labels")} upwards>
        {() => (
          <LabelMenu
            labels={usable}
            given={givenToAll.map((label) => label.id)}
            onToggle={(label, give) =>
              performBulk({ action: give ? "label" : "unlabel", label_ids: [label.id] })
            }
          />
        )}
      </PopupMenu>
      {activeTab.value === "snoozed" ? (
        <IconButton
          icon="clock"
          label={t("labels.snoozeEnd")}
          onClick={() => performBulk({ action: "unsnooze" })}
        />
      ) : (
        <PopupMenu icon="clock" label={t("labels.snooze")} upwards>
          {() => (
            <SnoozeMenu onChoose={(until) => performBulk({ action: "snooze", until: until.toISOString() })} />
          )}
        </PopupMenu>
      )}
      <button type="button" class="button small" onClick={selectAll}>
        {t("labels.selectAll")}
      </button>
      <IconButton
        icon="close"
        label={t("labels.clearSelection")}
        hint={toKeyCaps("Escape").join("")}
        onClick={clearSelection}
      />
    </section>
  );
}

/** Operators who may chat on all sites of the selected conversations. */
function AssigneeMenu({ siteIds }: { siteIds: number[] }) {
  const fetched = useFetch(`assignees/${siteIds.join()}`, async () => {
    const lists = await Promise.all(
      siteIds.map((site_id) => api.get("/operator/operators", { query: { site_id } })),
    );
    const [first, ...others] = lists.map((list) => list.operators);
    return (first ?? []).filter((one) => others.every((list) => list.some((other) => other.id === one.id)));
  });
  const candidates = fetched.value;
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!candidates) return <p class="muted empty">{t("common.loading")}</p>;
  if (candidates.length === 0) return <p class="muted empty">{t("conversation.noOtherOperators")}</p>;
  return (
    <>
      {candidates.map((operator) => (
        <button
          key={operator.id}
          type="button"
          onClick={() => performBulk({ action: "assign", operator_id: operator.id })}
        >
          <span dir="auto">{operator.name}</span>
          <span>{operator.online ? t("common.online") : t("common.offline")}</span>
        </button>
      ))}
    </>
  );
}

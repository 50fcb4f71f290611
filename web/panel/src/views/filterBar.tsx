/** The fields by which the inbox is filtered, and saving them as a view. */
import { useSignal } from "@preact/signals";
import { api } from "../api/client";
import { useActions } from "../commands/registry";
import { confirmAction, runWithToast } from "../components/toasts";
import { formatDuration } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { conversations, inboxFilter, isFiltered, searchText, siteFilter } from "../inbox/conversations";
import { labels } from "../labels/labels";
import { me } from "../session/session";
import { teams } from "../teams/teams";
import { FilterSelect, labelOptions, languageOptions, ratingOptions } from "./filterSelect";
import { SaveViewDialog } from "./saveViewDialog";
import { activeView, changeFilter, clearFilter, currentFilter, loadViews, views } from "./views";

const WAITING_SECONDS = [60, 300, 900, 3600];

export function FilterBar() {
  const saving = useSignal(false);
  const isAny = isFiltered.value || siteFilter.value !== undefined || searchText.value !== "";
  const view = views.value.find((one) => one.id === activeView.value);
  useActions(() => ({ "view.save": isAny && (() => (saving.value = true)) }), [isAny]);
  return (
    <section class="filter-bar" aria-label={t("labels.filter")}>
      <FilterFields />
      <div class="wide">
        <button type="button" class="button small" disabled={!isAny} onClick={() => (saving.value = true)}>
          {t("labels.saveView")}
        </button>
        <button type="button" class="button small" disabled={!isAny} onClick={clearFilter}>
          {t("labels.clear")}
        </button>
        {view && (
          <button type="button" class="button small" onClick={() => removeView(view)}>
            {t("labels.deleteView")}
          </button>
        )}
      </div>
      {saving.value && <SaveViewDialog filter={currentFilter()} onClose={() => (saving.value = false)} />}
    </section>
  );
}

function FilterFields() {
  const filter = inboxFilter.value;
  const operators = new Map<number, string>();
  if (me.value) operators.set(me.value.id, me.value.name);
  for (const { operator } of conversations.value.values())
    if (operator) operators.set(operator.id, operator.name);
  return (
    <>
      <FilterSelect
        label={t("labels.label")}
        any={t("labels.anyLabel")}
        value={filter.label_id}
        options={labelOptions(labels.value)}
        onChange={(label_id) => changeFilter({ label_id })}
      />
      {teams.value.length > 0 && (
        <FilterSelect
          label={t("teams.team")}
          any={t("labels.anyTeam")}
          value={filter.team_id}
          options={teams.value.map(({ id, name }) => [id, name] as const)}
          onChange={(team_id) => changeFilter({ team_id })}
        />
      )}
      <FilterSelect
        label={t("common.operator")}
        any={t("labels.anyOperator")}
        value={filter.operator_id}
        options={[...operators]}
        onChange={(operator_id) => changeFilter({ operator_id })}
      />
      <FilterSelect
        label={t("common.language")}
        any={t("labels.anyLanguage")}
        value={filter.language}
        options={languageOptions()}
        onChange={(language) => changeFilter({ language })}
      />
      <FilterSelect
        label={t("conversation.rating")}
        any={t("labels.anyRating")}
        value={filter.rating}
        options={ratingOptions()}
        onChange={(rating) => changeFilter({ rating })}
      />
      <FilterSelect
        label={t("labels.waits")}
        any={t("labels.anyWait")}
        value={filter.waiting}
        options={WAITING_SECONDS.map(
          (seconds) => [seconds, t("labels.waitsFor", { duration: formatDuration(seconds * 1000) })] as const,
        )}
        onChange={(waiting) => changeFilter({ waiting })}
      />
    </>
  );
}

async function removeView(view: { id: number; name: string; scope: string }): Promise<void> {
  const title = t("labels.deleteViewTitle", { name: view.name });
  const text = view.scope === "mine" ? t("labels.deletedForGood") : t("labels.deletedForAll");
  if (!(await confirmAction({ title, text, confirmLabel: t("common.delete"), destructive: true }))) return;
  await runWithToast(async () => {
    await api.delete("/views/{id}", { path: { id: view.id } });
    clearFilter();
    await loadViews();
  });
}

/** The fields by which the inbox is filtered, and saving them as a view. */
import { useSignal } from "@preact/signals";
import { api } from "../api/client";
import { useActions } from "../commands/registry";
import { LANGUAGES, languageName } from "../components/languages";
import { confirmAction, runWithToast } from "../components/toasts";
import { formatDuration, formatNumber } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { conversations, inboxFilter, isFiltered, searchText, siteFilter } from "../inbox/conversations";
import { labels } from "../labels/labels";
import { me } from "../session/session";
import { teams } from "../teams/teams";
import { SaveViewDialog } from "./saveViewDialog";
import { activeView, changeFilter, clearFilter, currentFilter, loadViews, views } from "./views";

const WAITING_SECONDS = [60, 300, 900, 3600];
const RATINGS = [1, 2, 3, 4, 5];

export function FilterBar() {
  const saving = useSignal(false);
  const filter = inboxFilter.value;
  const operators = new Map<number, string>();
  if (me.value) operators.set(me.value.id, me.value.name);
  for (const { operator } of conversations.value.values())
    if (operator) operators.set(operator.id, operator.name);
  const isAny = isFiltered.value || siteFilter.value !== undefined || searchText.value !== "";
  const view = views.value.find((one) => one.id === activeView.value);
  useActions(() => ({ "view.save": isAny && (() => (saving.value = true)) }), [isAny]);
  const toNumber = (value: string): number | null => (value ? Number(value) : null);
  return (
    <section class="filter-bar" aria-label={t("labels.filter")}>
      <select
        aria-label={t("labels.label")}
        value={filter.label_id ?? ""}
        onChange={(event) => changeFilter({ label_id: toNumber(event.currentTarget.value) })}
      >
        <option value="">{t("labels.anyLabel")}</option>
        {labels.value.map((label) => (
          <option key={label.id} value={label.id}>
            {label.name}
          </option>
        ))}
      </select>
      {teams.value.length > 0 && (
        <select
          aria-label={t("teams.team")}
          value={filter.team_id ?? ""}
          onChange={(event) => changeFilter({ team_id: toNumber(event.currentTarget.value) })}
        >
          <option value="">{t("labels.anyTeam")}</option>
          {teams.value.map((team) => (
            <option key={team.id} value={team.id}>
              {team.name}
            </option>
          ))}
        </select>
      )}
      <select
        aria-label={t("common.operator")}
        value={filter.operator_id ?? ""}
        onChange={(event) => changeFilter({ operator_id: toNumber(event.currentTarget.value) })}
      >
        <option value="">{t("labels.anyOperator")}</option>
        {[...operators].map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label={t("common.language")}
        value={filter.language ?? ""}
        onChange={(event) => changeFilter({ language: event.currentTarget.value || null })}
      >
        <option value="">{t("labels.anyLanguage")}</option>
        {LANGUAGES.map((tag) => (
          <option key={tag} value={tag}>
            {languageName(tag)}
          </option>
        ))}
      </select>
      <select
        aria-label={t("conversation.rating")}
        value={filter.rating ?? ""}
        onChange={(event) => changeFilter({ rating: toNumber(event.currentTarget.value) })}
      >
        <option value="">{t("labels.anyRating")}</option>
        {RATINGS.map((rating) => (
          <option key={rating} value={rating}>
            {formatNumber(rating)}★
          </option>
        ))}
      </select>
      <select
        aria-label={t("labels.waits")}
        value={filter.waiting ?? ""}
        onChange={(event) => changeFilter({ waiting: toNumber(event.currentTarget.value) })}
      >
        <option value="">{t("labels.anyWait")}</option>
        {WAITING_SECONDS.map((seconds) => (
          <option key={seconds} value={seconds}>
            {t("labels.waitsFor", { duration: formatDuration(seconds * 1000) })}
          </option>
        ))}
      </select>
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

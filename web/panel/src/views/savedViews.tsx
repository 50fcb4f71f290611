/** The saved views above the inbox, each with the number of its conversations. */

import { formatNumber } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { activeView, clearFilter, openView, viewCounts, views } from "./views";

export function SavedViews() {
  if (views.value.length === 0) return null;
  return (
    <nav class="saved-views" aria-label={t("labels.views")}>
      {views.value.map((view) => {
        const count = viewCounts.value.get(view.id);
        const isActive = activeView.value === view.id;
        return (
          <button
            key={view.id}
            type="button"
            aria-pressed={isActive}
            onClick={() => {
              if (isActive) clearFilter();
              else openView(view);
            }}
          >
            <span dir="auto">{view.name}</span>
            {count && (
              <span class="count">
                {formatNumber(count.count)}
                {count.capped && "+"}
              </span>
            )}
          </button>
        );
      })}
    </nav>
  );
}

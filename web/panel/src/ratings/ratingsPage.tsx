/** Visitors' ratings of a site: average, scores, trend, comments. */
import { api } from "../api/client";
import { useFetch, usePagedFetch } from "../api/useFetch";
import { EmptyState, LoadMoreButton, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { formatNumber, formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { routeHref } from "../navigation/route";
import { SitePills } from "../sites/sitePills";
import { type Site, sites } from "../sites/sites";
import { ScoreBars, TrendLine } from "./charts";

const PAGE_SIZE = 100;
const ONE_DIGIT = { minimumFractionDigits: 1, maximumFractionDigits: 1 };

export function RatingsPage({ id }: { id: number | undefined }) {
  const site = sites.value.find((one) => one.id === id) ?? sites.value[0];
  return (
    <main class="page">
      <header class="page-header">
        <h1>{t("ratings.title")}</h1>
      </header>
      <SitePills sites={sites.value} selected={site} href={(one) => routeHref("ratings", one.id)} />
      {site ? <SiteRatings key={site.id} site={site} /> : <Spinner />}
    </main>
  );
}

function SiteRatings({ site }: { site: Site }) {
  const path = { site_id: site.id };
  const stats = useFetch(`stats/${site.id}`, () => api.get("/sites/{site_id}/ratings/stats", { path }));
  const ratings = usePagedFetch(`ratings/${site.id}`, async (cursor) => {
    const page = await api.get("/sites/{site_id}/ratings", { path, query: { limit: PAGE_SIZE, cursor } });
    return { items: page.ratings, nextCursor: page.next_cursor };
  });
  if (stats.error) return <FetchError fetched={stats} />;
  if (ratings.error) return <FetchError fetched={ratings} />;
  if (!stats.value || !ratings.items) return <Spinner />;
  if (stats.value.count === 0) {
    return (
      <EmptyState icon="star" title={t("ratings.emptyTitle")}>
        {t("ratings.emptyText")}
      </EmptyState>
    );
  }
  const { average, count, by_score: byScore } = stats.value;
  return (
    <>
      <section class="cards" aria-label={t("ratings.overview")}>
        <div class="card metric">
          <p class="metric-value">{average === null ? "–" : formatNumber(average, ONE_DIGIT)}</p>
          <p class="muted">{t("ratings.ofFive", { count })}</p>
        </div>
        <div class="card">
          <h2>{t("ratings.scores")}</h2>
          <ScoreBars byScore={byScore} />
        </div>
        <div class="card">
          <h2>{t("ratings.overTime")}</h2>
          <TrendLine
            ratings={ratings.items.map(({ rated_at, score }) => ({ at: Date.parse(rated_at), score }))}
          />
        </div>
      </section>
      <ul class="card ratings">
        {ratings.items.map((rating) => (
          <li key={rating.conversation_id}>
            <span class="stars" role="img" aria-label={t("ratings.scoreOfFive", { score: rating.score })}>
              {"★".repeat(rating.score)}
              <span class="off">{"★".repeat(5 - rating.score)}</span>
            </span>
            <p class="rating-comment" dir="auto">
              {rating.comment || <span class="muted">{t("ratings.noComment")}</span>}
            </p>
            <span class="muted" dir="auto">
              {rating.operator?.name ?? t("ratings.ai")}
            </span>
            <a href={routeHref("chats", rating.conversation_id)}>#{rating.conversation_id}</a>
            <span class="muted">{formatTimeOrDate(rating.rated_at)}</span>
          </li>
        ))}
      </ul>
      <LoadMoreButton onClick={ratings.loadMore} />
    </>
  );
}

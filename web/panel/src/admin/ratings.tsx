/** What visitors thought: the average, how often each score, how it went over time, and their words. */
import { ask } from "../api/http";
import { briefly } from "../state/clock";
import { link } from "../state/route";
import { sites } from "../state/sites";
import { Empty, Spinner } from "../ui/bits";
import { ScoreBars, TrendLine } from "./chart";
import { useFetched } from "./use";

interface Rating {
  conversation_id: number;
  score: number;
  comment: string | null;
  operator: { id: number; name: string } | null;
  rated_at: string;
}

interface Page {
  ratings: Rating[];
  next_cursor: string | null;
}

interface Stats {
  count: number;
  average: number | null;
  by_score: Record<string, number>;
}

export function RatingsScreen({ id }: { id: number | undefined }) {
  const site = sites.value.find((one) => one.id === id) ?? sites.value[0];
  const stats = useFetched<Stats>(site ? `/sites/${site.id}/ratings/stats` : null);
  const list = useFetched<Page>(site ? `/sites/${site.id}/ratings?limit=100` : null);
  const page = list.value;
  const more = async () => {
    if (!site || !page?.next_cursor) return;
    const query = { limit: 100, cursor: page.next_cursor };
    const next = await ask<Page>(`/sites/${site.id}/ratings`, { query });
    list.set({ ...next, ratings: [...page.ratings, ...next.ratings] });
  };
  return (
    <main class="page">
      <header class="page-head">
        <h1>Ratings</h1>
      </header>
      {sites.value.length > 1 && (
        <nav class="pills" aria-label="Sites">
          {sites.value.map((one) => (
            <a
              key={one.id}
              href={link("ratings", one.id)}
              aria-current={one.id === site?.id ? "page" : undefined}
              dir="auto"
            >
              {one.name}
            </a>
          ))}
        </nav>
      )}
      {stats.problem || list.problem ? (
        <p class="bad-text">{stats.problem || list.problem}</p>
      ) : !stats.value || !page ? (
        <Spinner />
      ) : stats.value.count === 0 ? (
        <Empty icon="star" title="No ratings yet">
          Visitors are asked for one when a chat is closed.
        </Empty>
      ) : (
        <>
          <section class="cards" aria-label="Overview">
            <div class="card figure">
              <p class="figure-number">{stats.value.average?.toFixed(1) ?? "–"}</p>
              <p class="faint">
                of 5, from {stats.value.count} {stats.value.count === 1 ? "rating" : "ratings"}
              </p>
            </div>
            <div class="card">
              <h2>Scores</h2>
              <ScoreBars byScore={stats.value.by_score} />
            </div>
            <div class="card">
              <h2>Over time</h2>
              <TrendLine
                ratings={page.ratings.map((one) => ({ at: Date.parse(one.rated_at), score: one.score }))}
              />
            </div>
          </section>
          <ul class="card ratings">
            {page.ratings.map((one) => (
              <li key={one.conversation_id}>
                <span class="stars" role="img" aria-label={`${one.score} of 5`}>
                  {"★".repeat(one.score)}
                  <span class="off">{"★".repeat(5 - one.score)}</span>
                </span>
                <p class="rating-words" dir="auto">
                  {one.comment || <span class="faint">No words</span>}
                </p>
                <span class="faint" dir="auto">
                  {one.operator?.name ?? "AI"}
                </span>
                <a href={link("chats", one.conversation_id)}>#{one.conversation_id}</a>
                <span class="faint">{briefly(one.rated_at)}</span>
              </li>
            ))}
          </ul>
          {page.next_cursor && (
            <button type="button" class="button" onClick={more}>
              Show more
            </button>
          )}
        </>
      )}
    </main>
  );
}

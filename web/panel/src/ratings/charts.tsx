/** Two SVG charts: the number of ratings per score, and the average over time. */
import { formatDate, formatNumber } from "../i18n/formats";
import { t } from "../i18n/i18n";

const DAY_MS = 86_400_000;
const MAX_POINTS = 12;
const ONE_DIGIT = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
const SCORES = [5, 4, 3, 2, 1];

export function ScoreBars({ byScore }: { byScore: Record<string, number> }) {
  const counts = SCORES.map((score) => [score, byScore[String(score)] ?? 0] as const);
  const maxCount = Math.max(1, ...counts.map(([, count]) => count));
  const label = counts
    .map(([score, count]) => t("ratings.countOfScore", { number: count, score }))
    .join(", ");
  return (
    <svg class="chart" viewBox="0 0 300 130" role="img" aria-label={label}>
      {counts.map(([score, count], index) => (
        <g key={score} transform={`translate(0 ${index * 26})`}>
          <text x="8" y="16" class="chart-text">
            {score}
          </text>
          <rect x="24" y="5" width="230" height="14" rx="4" class="chart-back" />
          <rect
            x="24"
            y="5"
            width={(230 * count) / maxCount}
            height="14"
            rx="4"
            class={`chart-bar score-${score}`}
          />
          <text x="262" y="16" class="chart-text strong">
            {count}
          </text>
        </g>
      ))}
    </svg>
  );
}

interface Rating {
  /** Epoch milliseconds. */
  at: number;
  score: number;
}

export function TrendLine({ ratings }: { ratings: Rating[] }) {
  const points = averageBySpan(ratings);
  const [left, top, width, height] = [26, 8, 266, 92];
  const x = (index: number) => left + (points.length < 2 ? width / 2 : (index * width) / (points.length - 1));
  const y = (score: number) => top + height - ((score - 1) / 4) * height;
  const path = points.map(
    (point, index) => `${index ? "L" : "M"}${x(index).toFixed(1)} ${y(point.score).toFixed(1)}`,
  );
  const label = points
    .map((point) => `${formatDate(point.at)}: ${formatNumber(point.score, ONE_DIGIT)}`)
    .join(", ");
  return (
    <svg
      class="chart"
      viewBox="0 0 300 130"
      role="img"
      aria-label={t("ratings.averageOverTime", { points: label })}
    >
      {[1, 3, 5].map((score) => (
        <g key={score}>
          <line x1={left} x2={left + width} y1={y(score)} y2={y(score)} class="chart-grid" />
          <text x="8" y={y(score) + 4} class="chart-text">
            {score}
          </text>
        </g>
      ))}
      <path d={path.join("")} class="chart-line" />
      {points.map((point, index) => (
        <circle key={point.at} cx={x(index)} cy={y(point.score)} r="3.5" class="chart-dot">
          <title>{`${formatDate(point.at)}: ${formatNumber(point.score, ONE_DIGIT)} (${formatNumber(point.count)})`}</title>
        </circle>
      ))}
      {[points[0], points.length > 1 ? points.at(-1) : undefined].map(
        (point, index) =>
          point && (
            <text
              key={point.at}
              x={index ? left + width : left}
              y="122"
              class="chart-text"
              text-anchor={index ? "end" : "start"}
            >
              {formatDate(point.at)}
            </text>
          ),
      )}
    </svg>
  );
}

/** Averages over spans of equal length, at least a day each and at most MAX_POINTS of them. */
function averageBySpan(ratings: Rating[]): { at: number; score: number; count: number }[] {
  if (ratings.length === 0) return [];
  const times = ratings.map((rating) => rating.at);
  const first = Math.min(...times);
  const span = Math.max(DAY_MS, (Math.max(...times) - first + 1) / MAX_POINTS);
  const buckets = new Map<number, Rating[]>();
  for (const rating of ratings) {
    const index = Math.floor((rating.at - first) / span);
    buckets.set(index, [...(buckets.get(index) ?? []), rating]);
  }
  return [...buckets.entries()]
    .sort(([a], [b]) => a - b)
    .map(([index, bucket]) => ({
      at: first + index * span,
      score: bucket.reduce((sum, rating) => sum + rating.score, 0) / bucket.length,
      count: bucket.length,
    }));
}

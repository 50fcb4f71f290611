/** The charts of the reports, as SVG. Each has its values in its label, and a table behind it. */
import { formatDate, formatNumber, formatWeekday } from "../i18n/formats";
import { t } from "../i18n/i18n";
import {
  currencyOf,
  FIGURES,
  type FigureName,
  type GroupBy,
  type Row,
  rowTitle,
  TIME_GROUPS,
} from "./figures";
import { parseDay } from "./periods";

interface ChartProps {
  groupBy: GroupBy;
  figure: FigureName;
  rows: readonly Row[];
}

const MAX_BARS = 20;
const WEEKDAYS = [0, 1, 2, 3, 4, 5, 6];
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

export function Chart({ groupBy, figure, rows }: ChartProps) {
  return TIME_GROUPS.includes(groupBy) ? (
    <Columns groupBy={groupBy} figure={figure} rows={rows} />
  ) : (
    <Bars groupBy={groupBy} figure={figure} rows={rows.slice(0, MAX_BARS)} />
  );
}

/** One column for each day, hour or weekday. */
function Columns({ groupBy, figure, rows }: ChartProps) {
  const { value, format, title } = FIGURES[figure];
  const highest = Math.max(...rows.map((row) => value(row) ?? 0)) || 1;
  const [left, top, width, height] = [4, 18, 792, 180];
  const step = width / Math.max(1, rows.length);
  const marked = Math.ceil(rows.length / 8);
  return (
    <svg
      class="report-chart"
      viewBox="0 0 800 224"
      role="img"
      aria-label={chartLabel(t(title), groupBy, figure, rows)}
    >
      <text x={left} y="12" class="chart-text">
        {format(highest, currencyOf(rows[0]))}
      </text>
      {[0, 0.5, 1].map((part) => (
        <line
          key={part}
          x1={left}
          x2={left + width}
          y1={top + part * height}
          y2={top + part * height}
          class="chart-grid"
        />
      ))}
      {rows.map((row, index) => {
        const size = ((value(row) ?? 0) / highest) * height;
        return (
          <g key={row.key}>
            <rect
              x={left + index * step + step * 0.1}
              y={top + height - size}
              width={step * 0.8}
              height={size}
              rx={Math.min(3, step * 0.3)}
              class="chart-bar"
            >
              <title>{`${rowTitle(groupBy, row)}: ${valueText(figure, row)}`}</title>
            </rect>
            {index % marked === 0 && (
              <text x={left + (index + 0.5) * step} y="216" text-anchor="middle" class="chart-text">
                {groupBy === "weekday" ? formatWeekday(Number(row.key), "short") : shortTitle(groupBy, row)}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}

/** One bar for each site, team, operator or label. */
function Bars({ groupBy, figure, rows }: ChartProps) {
  const { value, title } = FIGURES[figure];
  const highest = Math.max(...rows.map((row) => value(row) ?? 0)) || 1;
  return (
    <ul class="report-bars" aria-label={t(title)}>
      {rows.map((row) => (
        <li key={row.key}>
          <span class="report-bar-title" dir="auto">
            {rowTitle(groupBy, row)}
          </span>
          <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
            <rect width="100" height="10" class="chart-back" />
            <rect width={(100 * (value(row) ?? 0)) / highest} height="10" class="chart-bar" />
          </svg>
          <span class="report-bar-value">{valueText(figure, row)}</span>
        </li>
      ))}
    </ul>
  );
}

/** The chats of each hour of the week, as shades; `rows` by weekday and hour. */
export function HeatMap({ rows }: { rows: readonly Row[] }) {
  const highest = Math.max(...rows.map((row) => row.chats)) || 1;
  const busiest = rows.reduce((a, b) => (b.chats > a.chats ? b : a));
  const label = t("reports.heatMapLabel", {
    hour: hourOfWeek(Number(busiest.key)),
    chats: formatNumber(busiest.chats),
  });
  return (
    <svg class="report-chart" viewBox="0 0 800 190" role="img" aria-label={label}>
      {HOURS.filter((hour) => hour % 3 === 0).map((hour) => (
        <text key={hour} x={64 + hour * 30.5 + 14} y="10" text-anchor="middle" class="chart-text">
          {hour}
        </text>
      ))}
      {WEEKDAYS.map((weekday) => (
        <text key={weekday} x="0" y={34 + weekday * 24} class="chart-text">
          {formatWeekday(weekday, "short")}
        </text>
      ))}
      {rows.map((row) => {
        const key = Number(row.key);
        const [weekday, hour] = [Math.floor(key / 24), key % 24];
        return (
          <rect
            key={key}
            x={64 + hour * 30.5}
            y={18 + weekday * 24}
            width="28"
            height="21"
            rx="4"
            class={row.chats ? "chart-bar" : "chart-back"}
            fill-opacity={row.chats ? 0.12 + (0.88 * row.chats) / highest : 1}
          >
            <title>{`${hourOfWeek(key)}: ${formatNumber(row.chats)}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}

/** The table behind the heat map. */
export function HeatMapTable({ rows }: { rows: readonly Row[] }) {
  const chats = new Map(rows.map((row) => [Number(row.key), row.chats]));
  return (
    <table class="report-table">
      <thead>
        <tr>
          <th scope="col">{t("reports.group_hour")}</th>
          {WEEKDAYS.map((weekday) => (
            <th key={weekday} scope="col">
              {formatWeekday(weekday, "short")}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {HOURS.map((hour) => (
          <tr key={hour}>
            <th scope="row">{`${String(hour).padStart(2, "0")}:00`}</th>
            {WEEKDAYS.map((weekday) => (
              <td key={weekday}>{formatNumber(chats.get(weekday * 24 + hour) ?? 0)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function hourOfWeek(key: number): string {
  return `${formatWeekday(Math.floor(key / 24), "long")} ${String(key % 24).padStart(2, "0")}:00`;
}

function valueText(figure: FigureName, row: Row): string {
  const value = FIGURES[figure].value(row);
  return value === null ? "–" : FIGURES[figure].format(value, currencyOf(row));
}

function shortTitle(groupBy: GroupBy, row: Row): string {
  return groupBy === "day" ? formatDate(parseDay(row.key ?? "")) : String(row.key);
}

/** Many values do not help anybody who listens to them: the ends and the highest do. */
function chartLabel(title: string, groupBy: GroupBy, figure: FigureName, rows: readonly Row[]): string {
  const highest = rows.reduce((a, b) =>
    (FIGURES[figure].value(b) ?? 0) > (FIGURES[figure].value(a) ?? 0) ? b : a,
  );
  return t("reports.chartLabel", {
    figure: title,
    row: rowTitle(groupBy, highest),
    value: valueText(figure, highest),
  });
}

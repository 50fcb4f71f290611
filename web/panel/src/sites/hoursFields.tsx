/** The working hours of a site: time zone, opening times of each weekday, dates on which it is closed. */

import type { Chatbot } from "../../../shared/apiTypes";
import { Field, IconButton, Switch } from "../components/controls";
import { Icon } from "../components/icon";
import { formatWeekday } from "../i18n/formats";
import { t } from "../i18n/i18n";

type BusinessHours = NonNullable<Chatbot["hours"]>;
type TimeRange = BusinessHours["weekly"][number];
type Day = TimeRange["day"];

const DAYS: Day[] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const WORKDAYS: Day[] = ["monday", "tuesday", "wednesday", "thursday", "friday"];
const NINE_TO_FIVE = { from: "09:00", to: "17:00" };
const MAX_RANGES_PER_DAY = 4;
/** The end of a day. A time field cannot show it: there it is 00:00. */
const END_OF_DAY = "24:00";

interface HoursFieldsProps {
  /** Null: always open. */
  value: BusinessHours | null;
  error: string | undefined;
  change: (value: BusinessHours | null) => void;
}

export function HoursFields({ value, error, change }: HoursFieldsProps) {
  const setUp = () =>
    change({
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      weekly: WORKDAYS.map((day) => ({ day, ...NINE_TO_FIVE })),
      closed: [],
    });
  return (
    <fieldset>
      <legend>{t("hours.title")}</legend>
      <Switch on={value !== null} label={t("hours.set")} onChange={(on) => (on ? setUp() : change(null))} />
      {error && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
      {value && <Schedule hours={value} set={(fields) => change({ ...value, ...fields })} />}
    </fieldset>
  );
}

interface ScheduleProps {
  hours: BusinessHours;
  set: (fields: Partial<BusinessHours>) => void;
}

function Schedule({ hours, set }: ScheduleProps) {
  const replaceDay = (day: Day, ranges: TimeRange[]) =>
    set({ weekly: [...hours.weekly.filter((range) => range.day !== day), ...ranges] });
  return (
    <>
      <Field label={t("hours.timeZone")}>
        <select
          value={hours.time_zone}
          onChange={(event) => set({ time_zone: event.currentTarget.value })}
          class="short"
        >
          {listTimeZones(hours.time_zone).map((zone) => (
            <option key={zone} value={zone}>
              {zone.replaceAll("_", " ")}
            </option>
          ))}
        </select>
      </Field>
      <div class="week">
        {DAYS.map((day, index) => (
          <DayRow
            key={day}
            label={formatWeekday(index)}
            ranges={hours.weekly.filter((range) => range.day === day)}
            change={(ranges) =>
              replaceDay(
                day,
                ranges.map((range) => ({ ...range, day })),
              )
            }
          />
        ))}
      </div>
      {hours.weekly.length === 0 && <p class="muted">{t("hours.noDay")}</p>}
      <ClosedDates dates={hours.closed} change={(closed) => set({ closed })} />
    </>
  );
}

type Range = Omit<TimeRange, "day">;

interface DayRowProps {
  label: string;
  ranges: Range[];
  change: (ranges: Range[]) => void;
}

function DayRow({ label, ranges, change }: DayRowProps) {
  const setRange = (index: number, fields: Partial<Range>) =>
    change(ranges.map((range, at) => (at === index ? { ...range, ...fields } : range)));
  const isOnlyRange = ranges.length < 2;
  const nameField = (name: "opens" | "closes", index: number) =>
    isOnlyRange
      ? t(`hours.${name}`, { day: label })
      : t(`hours.${name}Number`, { day: label, number: index + 1 });
  return (
    <div class="week-day" role="group" aria-label={label}>
      <Switch on={ranges.length > 0} label={label} onChange={(on) => change(on ? [NINE_TO_FIVE] : [])} />
      <div class="week-ranges">
        {ranges.length === 0 && <span class="muted">{t("hours.closed")}</span>}
        {ranges.map((range, index) => (
          <div key={index} class="week-range">
            <input
              type="time"
              required
              aria-label={nameField("opens", index)}
              value={range.from}
              onChange={(event) => setRange(index, { from: event.currentTarget.value })}
            />
            <span aria-hidden="true">–</span>
            <input
              type="time"
              required
              aria-label={nameField("closes", index)}
              value={range.to === END_OF_DAY ? "00:00" : range.to}
              onChange={(event) =>
                setRange(index, {
                  to: event.currentTarget.value === "00:00" ? END_OF_DAY : event.currentTarget.value,
                })
              }
            />
            {ranges.length > 1 && (
              <IconButton
                icon="close"
                label={t("hours.removeHours", { number: index + 1, day: label })}
                onClick={() => change(ranges.filter((_, at) => at !== index))}
              />
            )}
          </div>
        ))}
      </div>
      {ranges.length > 0 && ranges.length < MAX_RANGES_PER_DAY && (
        <IconButton
          icon="plus"
          label={t("hours.addHours", { day: label })}
          onClick={() => change([...ranges, { from: ranges.at(-1)?.to ?? "", to: END_OF_DAY }])}
        />
      )}
    </div>
  );
}

function ClosedDates({ dates, change }: { dates: string[]; change: (dates: string[]) => void }) {
  return (
    <div class="field" role="group" aria-label={t("hours.closedOn")}>
      <span class="field-label">{t("hours.closedOn")}</span>
      <div class="closed-dates">
        {dates.map((date, index) => (
          <div key={index} class="week-range">
            <input
              type="date"
              required
              aria-label={t("hours.closedDate", { number: index + 1 })}
              value={date}
              onChange={(event) =>
                change(dates.map((old, at) => (at === index ? event.currentTarget.value : old)))
              }
            />
            <IconButton
              icon="close"
              label={t("hours.removeDate", { date: date || t("hours.date") })}
              onClick={() => change(dates.filter((_, at) => at !== index))}
            />
          </div>
        ))}
        <button type="button" class="text-button" onClick={() => change([...dates, ""])}>
          <Icon name="plus" size={14} /> {t("hours.addDate")}
        </button>
      </div>
    </div>
  );
}

/** All time zones that the browser knows, and the one that is set. */
function listTimeZones(current: string): string[] {
  const zones = new Set([...Intl.supportedValuesOf("timeZone"), "UTC", current]);
  return [...zones].sort();
}

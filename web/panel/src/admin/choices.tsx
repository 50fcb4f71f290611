/** Working hours, translation and an AI of the site's own: parts of the assistant's form. */
import { useSignal } from "@preact/signals";
import { Field } from "../ui/bits";

export interface Span {
  day: string;
  from: string;
  to: string;
}

export interface Hours {
  time_zone: string;
  weekly: Span[];
  closed: string[];
}

export interface Translation {
  engines: string[];
  glossary: string[];
  daily_characters: number | null;
}

/** Its key is sent where one was typed in, and never shown. */
export interface Ai {
  base_url: string | null;
  api_key?: string;
  api_key_set: boolean;
  temperature: number | null;
  seconds: number | null;
  answer_tokens: number | null;
  daily_tokens: number | null;
}

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

interface Part<T> {
  value: T;
  error: string | undefined;
  change: (value: T) => void;
}

export function HoursFields({ value, error, change }: Part<Hours | null>) {
  const hours = value ?? { time_zone: "", weekly: [], closed: [] };
  // No time zone: no hours, which is always open.
  const set = (fields: Partial<Hours>) => {
    const after = { ...hours, ...fields };
    change(after.time_zone ? after : null);
  };
  return (
    <fieldset>
      <legend>Working hours</legend>
      <Field
        label="Time zone"
        hint="Empty: always open. A day without hours is closed; with none on any day, every day is open."
        error={error}
      >
        <input
          list="zones"
          maxLength={64}
          placeholder="Europe/Berlin"
          value={hours.time_zone}
          onChange={(event) => set({ time_zone: event.currentTarget.value.trim() })}
        />
      </Field>
      <datalist id="zones">
        {Intl.supportedValuesOf("timeZone").map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
      {hours.time_zone && (
        <>
          <div class="columns">
            {DAYS.map((name) => (
              <Words
                key={name}
                label={name}
                hint=""
                placeholder="09:00-12:30, 13:00-18:00"
                words={hours.weekly.filter((span) => span.day === name.toLowerCase()).map(shown)}
                change={(words) => {
                  const day = name.toLowerCase();
                  const others = hours.weekly.filter((span) => span.day !== day);
                  set({ weekly: [...others, ...words.map((text) => read(day, text))] });
                }}
              />
            ))}
          </div>
          <Words
            label="Closed on"
            hint="Dates like 2026-12-25, with commas between them."
            placeholder=""
            words={hours.closed}
            change={(closed) => set({ closed })}
          />
        </>
      )}
    </fieldset>
  );
}

export function TranslationFields({ value, error, change }: Part<Translation>) {
  const set = (fields: Partial<Translation>) => change({ ...value, ...fields });
  return (
    <fieldset>
      <legend>Translation</legend>
      <Words
        label="Never translated"
        hint="Names and terms, with commas between them."
        placeholder=""
        error={error}
        words={value.glossary}
        change={(glossary) => set({ glossary })}
      />
      <div class="columns">
        <Words
          label="Engines, first to last"
          hint="Of google, libretranslate and local. Empty: as installed."
          placeholder=""
          words={value.engines}
          change={(engines) => set({ engines })}
        />
        <Limit
          label="Characters a day"
          value={value.daily_characters}
          change={(daily_characters) => set({ daily_characters })}
        />
      </div>
    </fieldset>
  );
}

export function AiFields({ value, error, change }: Part<Ai>) {
  const set = (fields: Partial<Ai>) => change({ ...value, ...fields });
  return (
    <>
      <div class="columns">
        <Field
          label="Endpoint of your own"
          hint="Empty: the installation’s. A new one needs its key again."
          error={error}
        >
          <input
            type="url"
            maxLength={300}
            placeholder="https://ai.example.com/v1"
            value={value.base_url ?? ""}
            onInput={(event) => set({ base_url: event.currentTarget.value.trim() || null })}
          />
        </Field>
        <Field
          label="Key"
          hint={value.api_key_set ? "One is set. Type another to replace it." : "None is set."}
        >
          <input
            type="password"
            autoComplete="off"
            maxLength={500}
            value={value.api_key ?? ""}
            onInput={(event) => {
              const { api_key: _, ...rest } = value;
              const typed = event.currentTarget.value.trim();
              change(typed ? { ...rest, api_key: typed } : rest);
            }}
          />
        </Field>
      </div>
      {value.api_key_set && (
        <button type="button" class="button" onClick={() => set({ api_key: "", api_key_set: false })}>
          Remove the key
        </button>
      )}
      <div class="columns">
        <Limit label="Temperature" value={value.temperature} change={(temperature) => set({ temperature })} />
        <Limit label="Seconds to answer" value={value.seconds} change={(seconds) => set({ seconds })} />
        <Limit
          label="Tokens an answer"
          value={value.answer_tokens}
          change={(answer_tokens) => set({ answer_tokens })}
        />
        <Limit
          label="Tokens a day"
          value={value.daily_tokens}
          change={(daily_tokens) => set({ daily_tokens })}
        />
      </div>
    </>
  );
}

interface WordsProps {
  label: string;
  hint: string;
  placeholder: string;
  words: string[];
  error?: string | undefined;
  change: (words: string[]) => void;
}

/** A list as one line of text; taken apart when the field is left, so that a comma can be typed. */
function Words({ label, hint, placeholder, words, error, change }: WordsProps) {
  const typed = useSignal<string | null>(null);
  return (
    <Field label={label} hint={hint} error={error}>
      <input
        dir="auto"
        placeholder={placeholder}
        value={typed.value ?? words.join(", ")}
        onInput={(event) => (typed.value = event.currentTarget.value)}
        onChange={(event) => {
          typed.value = null;
          const parts = event.currentTarget.value.split(",").map((part) => part.trim());
          change(parts.filter(Boolean));
        }}
      />
    </Field>
  );
}

interface LimitProps {
  label: string;
  value: number | null;
  change: (value: number | null) => void;
}

function Limit({ label, value, change }: LimitProps) {
  return (
    <Field label={label} hint="Empty: as installed.">
      <input
        type="number"
        class="short"
        min={0}
        step="any"
        value={value ?? ""}
        onInput={(event) => {
          const number = event.currentTarget.valueAsNumber;
          change(Number.isNaN(number) ? null : number);
        }}
      />
    </Field>
  );
}

function shown(span: Span): string {
  return `${span.from}-${span.to}`;
}

function read(day: string, text: string): Span {
  const [from = "", to = ""] = text.split(/\s*[-–]\s*/);
  return { day, from, to };
}

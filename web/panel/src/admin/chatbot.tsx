/** How the assistant of a site presents itself, answers, and hands over to people. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask } from "../api/http";
import { Field, Spinner, Switch } from "../ui/bits";
import { type Ai, AiFields, type Hours, HoursFields, type Translation, TranslationFields } from "./choices";
import { submit, useFetched } from "./use";

interface Chatbot {
  name: string;
  welcome: string;
  colours: { primary: string; background: string };
  engine: string;
  model: string | null;
  instructions: string;
  operator_timeout: number;
  on_timeout: string;
  routing: string;
  offline_message: string;
  private_push: boolean;
  hours: Hours | null;
  translation: Translation;
  ai: Ai;
}

export function ChatbotForm({ site }: { site: number }) {
  const path = `/sites/${site}/chatbot`;
  const fetched = useFetched<{ chatbot: Chatbot }>(path);
  const form = useSignal<Chatbot | null>(null);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  useEffect(() => {
    if (fetched.value) form.value = fetched.value.chatbot;
  }, [fetched.value]);
  const bot = form.value;
  if (fetched.problem) return <p class="bad-text">{fetched.problem}</p>;
  if (!bot) return <Spinner />;
  const change = (fields: Partial<Chatbot>) => {
    form.value = { ...bot, ...fields };
  };
  const save = (event: Event) => {
    event.preventDefault();
    const body = { ...bot, model: bot.model ?? "" };
    const put = async () => {
      // What was saved is shown: the key, say, is not there any more, only that there is one.
      fetched.set(await ask<{ chatbot: Chatbot }>(path, { method: "PUT", body }));
    };
    void submit(busy, errors, put, "Saved.");
  };
  const wrong = errors.value;
  return (
    <form class="stack form" onSubmit={save}>
      <fieldset>
        <legend>How it looks</legend>
        <Field label="Name" hint="Shown over the chat." error={wrong["name"]}>
          <input
            required
            maxLength={100}
            dir="auto"
            value={bot.name}
            onInput={(event) => change({ name: event.currentTarget.value })}
          />
        </Field>
        <Field label="Welcome" hint="The first thing a visitor reads." error={wrong["welcome"]}>
          <textarea
            rows={2}
            maxLength={1000}
            dir="auto"
            value={bot.welcome}
            onInput={(event) => change({ welcome: event.currentTarget.value })}
          />
        </Field>
        <div class="columns">
          <Field label="Colour" error={wrong["colours"]}>
            <input
              type="color"
              value={bot.colours.primary}
              onInput={(event) => change({ colours: { ...bot.colours, primary: event.currentTarget.value } })}
            />
          </Field>
          <Field label="Background">
            <input
              type="color"
              value={bot.colours.background}
              onInput={(event) =>
                change({ colours: { ...bot.colours, background: event.currentTarget.value } })
              }
            />
          </Field>
        </div>
      </fieldset>
      <fieldset>
        <legend>How it answers</legend>
        <div class="columns">
          <Field label="Engine" error={wrong["engine"]}>
            <select value={bot.engine} onChange={(event) => change({ engine: event.currentTarget.value })}>
              <option value="builtin">Built in: from the knowledge alone</option>
              <option value="openai">OpenAI-compatible</option>
            </select>
          </Field>
          {bot.engine !== "builtin" && (
            <Field label="Model" hint="Empty: the engine’s default." error={wrong["model"]}>
              <input
                maxLength={100}
                value={bot.model ?? ""}
                onInput={(event) => change({ model: event.currentTarget.value })}
              />
            </Field>
          )}
        </div>
        {bot.engine !== "builtin" && (
          <AiFields value={bot.ai} error={wrong["ai"]} change={(ai) => change({ ai })} />
        )}
        <Field
          label="Instructions"
          hint="What it should know of its task, its tone and its limits."
          error={wrong["instructions"]}
        >
          <textarea
            rows={5}
            maxLength={8000}
            dir="auto"
            value={bot.instructions}
            onInput={(event) => change({ instructions: event.currentTarget.value })}
          />
        </Field>
      </fieldset>
      <fieldset>
        <legend>When people answer</legend>
        <div class="columns">
          <Field
            label="An operator may be silent for"
            hint="In seconds, 30 to 86400."
            error={wrong["operator_timeout"]}
          >
            <input
              type="number"
              class="short"
              min={30}
              max={86400}
              required
              value={bot.operator_timeout}
              onInput={(event) => change({ operator_timeout: event.currentTarget.valueAsNumber || 0 })}
            />
          </Field>
          <Field label="After that it goes" error={wrong["on_timeout"]}>
            <select
              value={bot.on_timeout}
              onChange={(event) => change({ on_timeout: event.currentTarget.value })}
            >
              <option value="queue">to the queue</option>
              <option value="ai">back to the AI</option>
            </select>
          </Field>
          <Field label="Who waits calls" error={wrong["routing"]}>
            <select value={bot.routing} onChange={(event) => change({ routing: event.currentTarget.value })}>
              <option value="all">all operators of the site</option>
              <option value="manual">nobody, until one looks</option>
            </select>
          </Field>
        </div>
        <Field label="When nobody is there" error={wrong["offline_message"]}>
          <textarea
            rows={2}
            maxLength={1000}
            dir="auto"
            value={bot.offline_message}
            onInput={(event) => change({ offline_message: event.currentTarget.value })}
          />
        </Field>
        <Switch
          on={bot.private_push}
          label="Pushes say that there is a message, and not what it says"
          onChange={(on) => change({ private_push: on })}
        />
      </fieldset>
      <HoursFields value={bot.hours} error={wrong["hours"]} change={(hours) => change({ hours })} />
      <TranslationFields
        value={bot.translation}
        error={wrong["translation"]}
        change={(translation) => change({ translation })}
      />
      <div class="form-actions">
        <span class="grow" />
        <button type="submit" class="button primary" disabled={busy.value}>
          Save
        </button>
      </div>
    </form>
  );
}

/** The assistant of a site: appearance, AI, handoff to operators, working hours, translation. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Chatbot as ApiChatbot, ChatbotUpdate } from "../../../shared/apiTypes";
import { contrast, readableColour } from "../../../shared/contrast";
import { ApiError } from "../../../shared/http";
import { RunDialog } from "../answerTests/runDialog";
import type { Candidate } from "../answerTests/tests";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { Field, Switch } from "../components/controls";
import { Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { submitForm } from "../components/forms";
import { Icon } from "../components/icon";
import { resetCopilotAvailability } from "../copilot/copilot";
import { formatNumber, formatTimeOrDate } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { useUnsavedChanges } from "../navigation/unsavedChanges";
import { CapsFields } from "./capsFields";
import { EngineCheck } from "./engineCheck";
import { FailingEngines, type Fallback, FallbackFields } from "./fallbackFields";
import { FilesFields } from "./filesFields";
import { HoursFields } from "./hoursFields";
import { PriceFields } from "./priceFields";
import { AiFields, type AiSettings, EmbeddingFields, TranslationFields } from "./siteSettings";

/** WCAG 2 AA for parts of the user interface. */
const MIN_PART_CONTRAST = 3;

/** The AI settings gain an API key while the form is edited; the API never returns it. */
type Chatbot = Omit<ApiChatbot, "ai" | "fallbacks"> & { ai: AiSettings; fallbacks: Fallback[] };

interface SectionProps {
  chatbot: Chatbot;
  errors: Record<string, string>;
  change: (fields: Partial<Chatbot>) => void;
}

export function ChatbotForm({ siteId }: { siteId: number }) {
  const path = { site_id: siteId };
  const fetched = useFetch(`chatbot/${siteId}`, () => api.get("/sites/{site_id}/chatbot", { path }));
  const form = useSignal<Chatbot | null>(null);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const testing = useSignal(false);
  useEffect(() => {
    if (fetched.value) form.value = fetched.value.chatbot;
  }, [fetched.value]);
  const chatbot = form.value;
  const stored = fetched.value?.chatbot;
  useUnsavedChanges(chatbot !== null && JSON.stringify(chatbot) !== JSON.stringify(stored));
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!chatbot) return <Spinner />;
  const submit = async (event?: Event) => {
    event?.preventDefault();
    const { last_error: _, check: __, failing_engines: ___, ...settings } = chatbot;
    const body = { ...settings, model: chatbot.model ?? "" } as ChatbotUpdate;
    const save = async () => {
      try {
        // Show what was stored: the response says whether there is an API key, and does not contain it.
        fetched.set(await api.put("/sites/{site_id}/chatbot", { path, body }));
        resetCopilotAvailability();
        testing.value = false;
      } catch (error) {
        if (error instanceof ApiError && error.code === "answer_tests_required") testing.value = true;
        throw error;
      }
    };
    await submitForm(busy, errors, save, t("common.saved"));
  };
  const section: SectionProps = {
    chatbot,
    errors: errors.value,
    change: (fields) => {
      form.value = { ...chatbot, ...fields };
    },
  };
  return (
    <form class="stack form" onSubmit={submit}>
      <AppearanceFields {...section} />
      <AnswerFields siteId={siteId} stored={stored} {...section} />
      {/* The previous version of the server has no such settings. */}
      {chatbot.engine !== "builtin" && chatbot.fallbacks && (
        <FallbackFields
          siteId={siteId}
          ai={chatbot.ai}
          value={chatbot.fallbacks}
          errors={errors.value}
          change={(fallbacks) => section.change({ fallbacks })}
        />
      )}
      {chatbot.engine !== "builtin" && chatbot.caps && (
        <CapsFields
          siteId={siteId}
          value={chatbot.caps}
          errors={errors.value}
          change={(caps) => section.change({ caps })}
        />
      )}
      {chatbot.engine !== "builtin" && chatbot.prices && (
        <PriceFields
          value={chatbot.prices}
          errors={errors.value}
          change={(prices) => section.change({ prices })}
        />
      )}
      <HandoffFields {...section} />
      <HoursFields
        value={chatbot.hours}
        error={errors.value["hours"]}
        change={(hours) => section.change({ hours })}
      />
      <TranslationFields
        value={chatbot.translation}
        error={errors.value["translation"]}
        change={(translation) => section.change({ translation })}
      />
      {/* The previous version of the server has no such settings. */}
      {chatbot.files && (
        <FilesFields
          value={chatbot.files}
          error={errors.value["files"]}
          change={(files) => section.change({ files })}
        />
      )}
      <Switch
        on={chatbot.require_answer_tests ?? false}
        label={t("chatbot.requireTests")}
        onChange={(on) => section.change({ require_answer_tests: on })}
      />
      {chatbot.require_answer_tests && <p class="muted">{t("answerTests.gateScope")}</p>}
      {testing.value && (
        <RunDialog
          siteId={siteId}
          run={null}
          candidate={toCandidate(chatbot)}
          onApply={() => submit()}
          onClose={() => (testing.value = false)}
        />
      )}
      <div class="form-actions">
        <button type="button" class="button" onClick={() => (testing.value = true)}>
          {t("chatbot.testSettings")}
        </button>
        <span class="grow" />
        <button type="submit" class="button primary" disabled={busy.value}>
          {t("common.save")}
        </button>
      </div>
    </form>
  );
}

/** What a run of answer tests is about. */
const toCandidate = ({ engine, model, instructions, ai, fallbacks }: Chatbot): Candidate => ({
  engine: engine as NonNullable<Candidate["engine"]>,
  model: model ?? "",
  instructions,
  ai: ai as NonNullable<Candidate["ai"]>,
  // The previous version of the server has no such settings.
  ...(fallbacks && { fallbacks: fallbacks as NonNullable<Candidate["fallbacks"]> }),
});

function AppearanceFields({ chatbot, errors, change }: SectionProps) {
  const { name, welcome, colours } = chatbot;
  return (
    <fieldset>
      <legend>{t("chatbot.appearance")}</legend>
      <Field label={t("chatbot.chatTitle")} hint={t("chatbot.chatTitleHint")} error={errors["name"]}>
        <input
          required
          maxLength={100}
          dir="auto"
          value={name}
          onInput={(event) => change({ name: event.currentTarget.value })}
        />
      </Field>
      <Field label={t("chatbot.welcome")} hint={t("chatbot.welcomeHint")} error={errors["welcome"]}>
        <textarea
          rows={2}
          maxLength={1000}
          dir="auto"
          value={welcome}
          onInput={(event) => change({ welcome: event.currentTarget.value })}
        />
      </Field>
      <div class="columns">
        <Field
          label={t("chatbot.mainColour")}
          error={errors["colours"]}
          hint={describeContrast(colours.primary, colours.background)}
        >
          <input
            type="color"
            value={colours.primary}
            onInput={(event) => change({ colours: { ...colours, primary: event.currentTarget.value } })}
          />
        </Field>
        <Field label={t("chatbot.backgroundColour")} hint={describeContrast(colours.background)}>
          <input
            type="color"
            value={colours.background}
            onInput={(event) => change({ colours: { ...colours, background: event.currentTarget.value } })}
          />
        </Field>
      </div>
    </fieldset>
  );
}

interface AnswerProps extends SectionProps {
  siteId: number;
  stored: ApiChatbot | undefined;
}

function AnswerFields({ siteId, stored, chatbot, errors, change }: AnswerProps) {
  const { engine, model, ai, instructions } = chatbot;
  const isBuiltin = engine === "builtin";
  return (
    <fieldset>
      <legend>{t("chatbot.aiReplies")}</legend>
      <div class="columns">
        <Field label={t("chatbot.engine")} error={errors["engine"]}>
          <select
            value={engine}
            onChange={(event) => change({ engine: event.currentTarget.value as Chatbot["engine"] })}
          >
            <option value="builtin">{t("chatbot.engineBuiltin")}</option>
            <option value="openai">{t("chatbot.engineOpenai")}</option>
          </select>
        </Field>
        {!isBuiltin && (
          <Field label={t("chatbot.model")} hint={t("chatbot.modelHint")} error={errors["model"]}>
            <input
              maxLength={100}
              value={model ?? ""}
              onInput={(event) => change({ model: event.currentTarget.value })}
            />
          </Field>
        )}
      </div>
      {!isBuiltin && (
        <AiFields value={ai} error={errors["ai"]} change={(changed) => change({ ai: changed })} />
      )}
      {!isBuiltin && <EngineCheck siteId={siteId} model={model} ai={ai} stored={chatbot.check} />}
      {!isBuiltin && (
        <Switch
          on={ai.images ?? false}
          label={t("engines.images")}
          onChange={(on) => change({ ai: { ...ai, images: on } })}
        />
      )}
      {!isBuiltin && stored && <FailingEngines chatbot={stored} />}
      <EmbeddingFields value={ai} change={(changed) => change({ ai: changed })} />
      {chatbot.last_error && !isBuiltin && (
        <p class="notice-error" role="status">
          <Icon name="info" size={16} />
          <span>
            <strong>{t("chatbot.aiFails")}</strong> <span lang="en">{chatbot.last_error.message}</span> (
            {formatTimeOrDate(chatbot.last_error.at)})
          </span>
        </p>
      )}
      <Field
        label={t("chatbot.instructions")}
        hint={t("chatbot.instructionsHint")}
        error={errors["instructions"]}
      >
        <textarea
          rows={5}
          maxLength={8000}
          dir="auto"
          value={instructions}
          onInput={(event) => change({ instructions: event.currentTarget.value })}
        />
      </Field>
    </fieldset>
  );
}

function HandoffFields({ chatbot, errors, change }: SectionProps) {
  return (
    <fieldset>
      <legend>{t("chatbot.handoff")}</legend>
      <div class="columns">
        <Field
          label={t("chatbot.replyTimeout")}
          hint={t("chatbot.replyTimeoutHint")}
          error={errors["operator_timeout"]}
        >
          <input
            type="number"
            class="short"
            min={30}
            max={86400}
            required
            value={chatbot.operator_timeout}
            onInput={(event) => change({ operator_timeout: event.currentTarget.valueAsNumber || 0 })}
          />
        </Field>
        <Field label={t("chatbot.afterTimeout")} error={errors["on_timeout"]}>
          <select
            value={chatbot.on_timeout}
            onChange={(event) => change({ on_timeout: event.currentTarget.value as Chatbot["on_timeout"] })}
          >
            <option value="queue">{t("chatbot.toQueue")}</option>
            <option value="ai">{t("chatbot.toAi")}</option>
          </select>
        </Field>
        <Field label={t("chatbot.notify")} error={errors["routing"]}>
          <select
            value={chatbot.routing}
            onChange={(event) => change({ routing: event.currentTarget.value as Chatbot["routing"] })}
          >
            <option value="all">{t("chatbot.notifyAll")}</option>
            <option value="manual">{t("chatbot.notifyNobody")}</option>
          </select>
        </Field>
      </div>
      <div class="columns">
        <Field
          label={t("labels.autoClose")}
          hint={t("labels.autoCloseHint")}
          error={errors["auto_close_minutes"]}
        >
          <input
            type="number"
            class="short"
            min={0}
            max={43200}
            value={chatbot.auto_close_minutes}
            onInput={(event) => change({ auto_close_minutes: event.currentTarget.valueAsNumber || 0 })}
          />
        </Field>
        <Field
          label={t("labels.autoCloseNotice")}
          hint={t("labels.autoCloseNoticeHint")}
          error={errors["auto_close_notice_minutes"]}
        >
          <input
            type="number"
            class="short"
            min={0}
            max={43200}
            value={chatbot.auto_close_notice_minutes}
            onInput={(event) => change({ auto_close_notice_minutes: event.currentTarget.valueAsNumber || 0 })}
          />
        </Field>
      </div>
      <Field
        label={t("chatbot.offlineMessage")}
        hint={t("chatbot.offlineMessageHint")}
        error={errors["offline_message"]}
      >
        <textarea
          rows={2}
          maxLength={1000}
          dir="auto"
          value={chatbot.offline_message}
          onInput={(event) => change({ offline_message: event.currentTarget.value })}
        />
      </Field>
      <Switch
        on={chatbot.private_push}
        label={t("chatbot.privatePush")}
        onChange={(on) => change({ private_push: on })}
      />
    </fieldset>
  );
}

/** The contrast of the text that the widget chooses for a colour, and whether it is hard to tell from another one. */
function describeContrast(colour: string, other?: string): string {
  const text = readableColour(colour, "#ffffff", "#10201d");
  const ratio = formatNumber(Math.floor(contrast(text, colour) * 10) / 10);
  const sentences = [t("chatbot.contrast", { ratio })];
  if (other && contrast(colour, other) < MIN_PART_CONTRAST) sentences.push(t("chatbot.lowContrast"));
  return sentences.join(" ");
}

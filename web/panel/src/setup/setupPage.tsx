/** The first run: from an empty installation to the first chat, in five steps. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Invitation } from "../../../shared/apiTypes";
import { randomId } from "../../../shared/storage";
import { api, errorMessage } from "../api/client";
import { useFetch } from "../api/useFetch";
import { CopyField, Field } from "../components/controls";
import { EmptyState, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { copyToClipboard, submitForm } from "../components/forms";
import { Icon } from "../components/icon";
import { runWithToast } from "../components/toasts";
import { acceptConversation } from "../conversation/actions";
import { formatRelative } from "../i18n/formats";
import { type TextKey, t } from "../i18n/i18n";
import { conversations, visitorName } from "../inbox/conversations";
import { navigate, routeHref } from "../navigation/route";
import { LoggedOut } from "../session/session";
import { isManager, managedSites, type Site, sitesById } from "../sites/sites";
import { DEFAULT_PERMISSIONS, toFlags } from "../team/permissions";
import { onlineVisitors } from "../visitors/presence";
import { addSite, chooseSetupSite, leaveSetup, refreshSetup, saveStep, setupFacts, setupSite } from "./setup";
import { canOpen, findDone, nextStep, type SetupFacts, STEPS, type StepName, toDomain } from "./steps";
import { askAssistant } from "./testAnswer";
import "./setup.css";

const TITLES: Record<StepName, TextKey> = {
  site: "setup.siteTitle",
  snippet: "setup.snippetTitle",
  team: "setup.teamTitle",
  ai: "setup.aiTitle",
  chat: "setup.chatTitle",
};

/** How many of the newest waiting chats are shown: the one that was just begun is among them. */
const MAX_WAITING = 3;

export function SetupPage() {
  const error = useSignal("");
  const refresh = async () => {
    try {
      await refreshSetup();
      error.value = "";
    } catch (caught) {
      if (!(caught instanceof LoggedOut)) error.value = errorMessage(caught);
    }
  };
  // A visitor who comes and a chat that is accepted may complete a step.
  const accepted = [...conversations.value.values()].filter(({ operator }) => operator !== null).length;
  const siteId = setupSite.value?.id;
  useEffect(() => void refresh(), [isManager.value, siteId, onlineVisitors.value.size, accepted]);
  const leave = () => {
    leaveSetup();
    navigate("chats");
  };
  const facts = setupFacts.value;
  return (
    <main class="page narrow">
      <header class="page-header">
        <h1>{t("setup.title")}</h1>
        <span class="grow" />
        <button type="button" class="button" onClick={leave}>
          {facts && nextStep(facts) === null ? t("setup.finish") : t("setup.later")}
        </button>
      </header>
      {managedSites.value.length > 1 && (
        <Field label={t("common.site")}>
          <select value={siteId} onChange={(event) => chooseSetupSite(Number(event.currentTarget.value))}>
            {managedSites.value.map((site) => (
              <option key={site.id} value={site.id}>
                {site.name}
              </option>
            ))}
          </select>
        </Field>
      )}
      {!isManager.value ? (
        <EmptyState icon="info" title={t("setup.managersOnly")} />
      ) : error.value && !facts ? (
        <p class="error-text">{error.value}</p>
      ) : facts ? (
        <Steps key={facts.siteId} facts={facts} />
      ) : (
        <Spinner />
      )}
    </main>
  );
}

function Steps({ facts }: { facts: SetupFacts }) {
  const skipped = useSignal<ReadonlySet<StepName>>(new Set());
  const chosen = useSignal<StepName | null>(null);
  const done = findDone(facts);
  const count = STEPS.filter((step) => done[step]).length;
  const open = chosen.value && canOpen(chosen.value, facts) ? chosen.value : nextStep(facts, skipped.value);
  const skip = (step: StepName) => {
    skipped.value = new Set([...skipped.value, step]);
    chosen.value = null;
  };
  const site = facts.siteId === null ? undefined : sitesById.value.get(facts.siteId);
  return (
    <>
      <p class="muted" role="status">
        {open === null && count === STEPS.length
          ? t("setup.allDone")
          : t("setup.progress", { done: count, all: STEPS.length })}
      </p>
      <ol class="setup-steps">
        {STEPS.map((step, index) => (
          <li key={step} class={`card setup-step${done[step] ? " done" : ""}`}>
            <h2>
              <button
                type="button"
                aria-expanded={open === step}
                disabled={!canOpen(step, facts)}
                onClick={() => (chosen.value = step)}
              >
                <span class="setup-number" aria-hidden="true">
                  {done[step] ? <Icon name="check" size={15} /> : index + 1}
                </span>
                <span>{t(TITLES[step])}</span>
                {done[step] && <span class="tag mine">{t("setup.done")}</span>}
              </button>
            </h2>
            {open === step && (
              <div class="stack">
                <StepBody
                  step={step}
                  facts={facts}
                  site={site}
                  stay={() => (chosen.value = step)}
                  goOn={() => (chosen.value = null)}
                />
                {step !== "site" && !done[step] && (
                  <button type="button" class="text-button" onClick={() => skip(step)}>
                    {t("setup.skip")}
                  </button>
                )}
              </div>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}

interface StepProps {
  step: StepName;
  facts: SetupFacts;
  site: Site | undefined;
  /** Keeps the step open when it is done: what it shows has to be read. */
  stay: () => void;
  /** Opens the next step. */
  goOn: () => void;
}

function StepBody({ step, facts, site, stay, goOn }: StepProps) {
  if (step === "site") return <SiteStep goOn={goOn} />;
  if (!site) return <Spinner />;
  if (step === "snippet") return <SnippetStep facts={facts} site={site} />;
  if (step === "team") return <TeamStep site={site} stay={stay} goOn={goOn} />;
  if (step === "ai") return <AiStep facts={facts} site={site} stay={stay} goOn={goOn} />;
  return <ChatStep site={site} />;
}

function SiteStep({ goOn }: { goOn: () => void }) {
  const name = useSignal("");
  const address = useSignal("");
  const key = useSignal(randomId());
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const save = () => saveStep(() => addSite(name.value.trim(), toDomain(address.value), key.value));
    if (await submitForm(busy, errors, save, "")) goOn();
  };
  return (
    <form class="stack" onSubmit={submit}>
      <Field label={t("setup.siteName")} error={errors.value["name"]}>
        <input
          required
          maxLength={100}
          dir="auto"
          value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
      </Field>
      <Field label={t("setup.siteAddress")} hint={t("setup.siteAddressHint")} error={errors.value["domains"]}>
        <input
          required
          maxLength={300}
          inputMode="url"
          autoCapitalize="off"
          placeholder="https://shop.example.com"
          value={address.value}
          onInput={(event) => (address.value = event.currentTarget.value)}
        />
      </Field>
      <Submit busy={busy.value}>{t("setup.siteSave")}</Submit>
    </form>
  );
}

const Submit = ({ busy, children }: { busy: boolean; children: ComponentChildren }) => (
  <div class="form-actions">
    <button type="submit" class="button primary" disabled={busy}>
      {children}
    </button>
  </div>
);

function SnippetStep({ facts, site }: { facts: SetupFacts; site: Site }) {
  const path = { site_id: site.id };
  const fetched = useFetch(`widget-code/${site.id}`, () => api.get("/sites/{site_id}/widget-code", { path }));
  const checked = useSignal(false);
  const code = fetched.value?.code ?? "";
  const check = async () => {
    checked.value = false;
    checked.value = await runWithToast(refreshSetup);
  };
  const { widget } = facts;
  return (
    <>
      <p>{t("setup.snippetText")}</p>
      {fetched.error && <FetchError fetched={fetched} />}
      <CopyField text={code} onCopy={() => copyToClipboard(code, t("setup.snippet"))} primary />
      <div class="form-row">
        <button type="button" class="button" onClick={check}>
          {t("setup.check")}
        </button>
        <p role="status" class={widget ? "" : "muted"}>
          {widget
            ? t("setup.seen", { origin: widget.origin, when: formatRelative(widget.seen_at) })
            : checked.value && t("setup.notSeen")}
        </p>
      </div>
    </>
  );
}

interface PausingStepProps {
  site: Site;
  stay: () => void;
  goOn: () => void;
}

function TeamStep({ site, stay, goOn }: PausingStepProps) {
  const name = useSignal("");
  const email = useSignal("");
  const invitation = useSignal<Invitation | null>(null);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const body = {
      name: name.value.trim(),
      email: email.value.trim(),
      owner: false,
      site_ids: [site.id],
      permissions: toFlags(DEFAULT_PERMISSIONS),
    };
    const save = async () => {
      const response = await api.post("/team", { body, idempotencyKey: randomId() });
      invitation.value = response.invitation;
      name.value = "";
      email.value = "";
    };
    stay();
    await submitForm(busy, errors, () => saveStep(save), "");
  };
  if (invitation.value) {
    const { link } = invitation.value;
    return (
      <>
        <p>{t("setup.invited")}</p>
        <CopyField text={link} onCopy={() => copyToClipboard(link, t("setup.link"))} primary />
        <div class="form-actions">
          <button type="button" class="button" onClick={() => (invitation.value = null)}>
            {t("setup.inviteAnother")}
          </button>
          <button type="button" class="button primary" onClick={goOn}>
            {t("setup.continue")}
          </button>
        </div>
      </>
    );
  }
  return (
    <form class="stack" onSubmit={submit}>
      <p>{t("setup.teamText")}</p>
      <Field label={t("common.name")} error={errors.value["name"]}>
        <input
          required
          maxLength={100}
          dir="auto"
          value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
      </Field>
      <Field label={t("common.email")} error={errors.value["email"]}>
        <input
          type="email"
          required
          maxLength={254}
          value={email.value}
          onInput={(event) => (email.value = event.currentTarget.value)}
        />
      </Field>
      <Submit busy={busy.value}>{t("setup.invite")}</Submit>
    </form>
  );
}

function AiStep({ facts, site, stay, goOn }: PausingStepProps & { facts: SetupFacts }) {
  const question = useSignal("");
  const answer = useSignal("");
  const tested = useSignal("");
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const path = { site_id: site.id };
  const body = () => ({ question: question.value.trim(), answer: answer.value.trim() });
  const save = async (event: Event) => {
    event.preventDefault();
    const send = async () => {
      await api.post("/sites/{site_id}/chatbot/knowledge", { path, body: body() });
      tested.value = await askAssistant(site.site_key, question.value.trim());
    };
    stay();
    await submitForm(busy, errors, () => saveStep(send), "");
  };
  if (tested.value) {
    return (
      <>
        <p>{t("setup.testAnswer")}</p>
        <blockquote class="setup-answer" dir="auto">
          {tested.value}
        </blockquote>
        <div class="form-actions">
          <button type="button" class="button primary" onClick={goOn}>
            {t("setup.continue")}
          </button>
        </div>
      </>
    );
  }
  return (
    <form class="stack" onSubmit={save}>
      <p>{facts.hasEndpoint ? t("setup.aiEndpoint") : t("setup.aiText")}</p>
      <Field label={t("setup.question")} error={errors.value["question"]}>
        <input
          required
          maxLength={500}
          dir="auto"
          placeholder={t("setup.questionExample")}
          value={question.value}
          onInput={(event) => (question.value = event.currentTarget.value)}
        />
      </Field>
      <Field label={t("setup.answer")} error={errors.value["answer"]}>
        <textarea
          required
          rows={3}
          maxLength={4000}
          dir="auto"
          value={answer.value}
          onInput={(event) => (answer.value = event.currentTarget.value)}
        />
      </Field>
      <p>
        <a href={routeHref("sites", site.id, "assistant")}>{t("setup.useEndpoint")}</a>
      </p>
      <Submit busy={busy.value}>{t("setup.saveAndTest")}</Submit>
    </form>
  );
}

function ChatStep({ site }: { site: Site }) {
  const waiting = [...conversations.value.values()]
    .filter((conversation) => conversation.site_id === site.id && conversation.mode === "pending")
    .sort((a, b) => b.id - a.id)
    .slice(0, MAX_WAITING);
  return (
    <>
      <p>{t("setup.chatText")}</p>
      <p>
        <a
          class="button primary"
          href={`/demo?site_key=${encodeURIComponent(site.site_key)}`}
          target="_blank"
          rel="noopener"
        >
          <Icon name="chats" size={16} /> {t("setup.openPreview")}
        </a>
      </p>
      <div role="status">
        {waiting.length === 0 ? (
          <p class="muted">{t("setup.waitingForChat")}</p>
        ) : (
          waiting.map((conversation) => (
            <p key={conversation.id} class="form-row">
              <span>{t("setup.chatArrived", { name: visitorName(conversation) })}</span>
              <button
                type="button"
                class="button primary"
                onClick={async () => {
                  await saveStep(() => acceptConversation(conversation));
                  navigate("chats", conversation.id);
                }}
              >
                <Icon name="wave" size={16} /> {t("conversation.accept")}
              </button>
            </p>
          ))
        )}
      </div>
    </>
  );
}

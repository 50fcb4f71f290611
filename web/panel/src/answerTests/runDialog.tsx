/** Runs answer tests and shows the answers next to the live and the real ones. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import { useFetch, usePagedFetch } from "../api/useFetch";
import { Field, Switch } from "../components/controls";
import { Dialog, DialogActions } from "../components/dialog";
import { LoadMoreButton, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { runWithToast } from "../components/toasts";
import { formatDuration } from "../i18n/formats";
import { t } from "../i18n/i18n";
import { routeHref } from "../navigation/route";
import { hasPermission } from "../sites/sites";
import "./answerTests.css";
import {
  type Candidate,
  type GivenAnswer,
  isActive,
  type Replay,
  RUN,
  type RunResult,
  TESTS,
  type TestRun,
  VERDICTS,
} from "./tests";

const REFRESH_MS = 1500;
const PAGE_SIZE = 100;
const MAX_REPLAYS = 50;

interface RunDialogProps {
  siteId: number;
  /** Null for one that is to be started. */
  run: TestRun | null;
  /** What is tested; without it, the settings that are live. */
  candidate?: Candidate;
  /** Offered when all tests have passed. */
  onApply?: () => Promise<void>;
  onClose: () => void;
}

export function RunDialog({ siteId, run, candidate, onApply, onClose }: RunDialogProps) {
  const runId = useSignal(run?.id ?? null);
  return (
    <Dialog title={t("answerTests.runTitle")} onClose={onClose} wide>
      {runId.value === null ? (
        <RunForm
          siteId={siteId}
          candidate={candidate}
          onStarted={(id) => (runId.value = id)}
          onClose={onClose}
        />
      ) : (
        <RunView
          siteId={siteId}
          runId={runId.value}
          onApply={onApply}
          onAgain={() => (runId.value = null)}
          onClose={onClose}
        />
      )}
    </Dialog>
  );
}

interface RunFormProps {
  siteId: number;
  candidate: Candidate | undefined;
  onStarted: (runId: number) => void;
  onClose: () => void;
}

function RunForm({ siteId, candidate, onStarted, onClose }: RunFormProps) {
  const pending = useSignal(false);
  const replays = useSignal(0);
  const start = async () => {
    await runWithToast(async () => {
      const body = { ...candidate, pending_changes: pending.value, replays: replays.value };
      onStarted((await api.post(`${TESTS}/run`, { path: { site_id: siteId }, body })).run.id);
    });
  };
  return (
    <div class="stack">
      <p>{candidate ? t("answerTests.runCandidate") : t("answerTests.runLive")}</p>
      {candidate?.fallbacks?.length ? <p class="muted">{t("answerTests.fallbacksToo")}</p> : null}
      <Switch
        on={pending.value}
        label={t("answerTests.pendingChanges")}
        onChange={(on) => (pending.value = on)}
      />
      {hasPermission(siteId, "can_view_conversations") && (
        <Field label={t("answerTests.replays")} hint={t("answerTests.replaysHint")}>
          <input
            type="number"
            class="short"
            min={0}
            max={MAX_REPLAYS}
            value={replays.value}
            onInput={(event) => (replays.value = event.currentTarget.valueAsNumber || 0)}
          />
        </Field>
      )}
      <DialogActions onCancel={onClose}>
        <button type="button" class="button primary" onClick={start}>
          {t("answerTests.run")}
        </button>
      </DialogActions>
    </div>
  );
}

interface RunViewProps {
  siteId: number;
  runId: number;
  onApply: (() => Promise<void>) | undefined;
  onAgain: () => void;
  onClose: () => void;
}

function RunView({ siteId, runId, onApply, onAgain, onClose }: RunViewProps) {
  const path = { site_id: siteId, run_id: runId };
  const fetched = useFetch(`answer-test-run/${runId}`, async () => (await api.get(RUN, { path })).run);
  const run = fetched.value;
  const active = run ? isActive(run) : false;
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(() => void fetched.reload(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [active]);
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!run) return <Spinner />;
  const cancel = async () => {
    if (await runWithToast(() => api.post(`${RUN}/cancel`, { path }))) void fetched.reload();
  };
  const apply = async () => {
    await onApply?.();
    // If it was refused, the run says why.
    await fetched.reload();
  };
  const progress = t("answerTests.progress", { done: run.done, total: run.total });
  return (
    <div class="stack">
      <p role="status">
        <strong>{run.passed ? t("answerTests.passed") : t(`answerTests.state_${run.state}`)}</strong> ·{" "}
        {progress}
      </p>
      {active && <progress max={Math.max(1, run.total)} value={run.done} aria-label={progress} />}
      {run.error && <p class="notice-error">{describeFault(run.error)}</p>}
      {!active && run.entries_changed && <p class="notice">{t("answerTests.entriesChanged")}</p>}
      {run.summary && <SummaryTable run={run} />}
      {!active && <Results key={run.state} run={run} siteId={siteId} />}
      {!active && (run.summary?.replays ?? 0) > 0 && hasPermission(siteId, "can_view_conversations") && (
        <Replays run={run} siteId={siteId} />
      )}
      <DialogActions onCancel={onClose} onlyCloses>
        {active && (
          <button type="button" class="button" onClick={cancel}>
            {t("answerTests.cancelRun")}
          </button>
        )}
        {!active && run.entries_changed && (
          <button type="button" class="button primary" onClick={onAgain}>
            {t("answerTests.run")}
          </button>
        )}
        {run.passed && !run.entries_changed && !run.pending_changes && onApply && (
          <button type="button" class="button primary" onClick={apply}>
            {t("answerTests.apply")}
          </button>
        )}
      </DialogActions>
    </div>
  );
}

const describeFault = (fault: NonNullable<TestRun["error"]>): string =>
  fault.code === "token_limit_reached" ? t("answerTests.noTokens") : fault.message;

type Totals = NonNullable<TestRun["summary"]>["candidate"];

/** "5 right, 1 wrong, 0 unknown". */
export const describeTotals = (totals: Totals): string =>
  VERDICTS.map((verdict) => t(`answerTests.total_${verdict}`, { count: totals[verdict] })).join(", ");

function SummaryTable({ run }: { run: TestRun }) {
  const summary = run.summary;
  if (!summary) return null;
  const columns = [
    { name: t("answerTests.candidate"), totals: summary.candidate },
    ...(summary.live ? [{ name: t("answerTests.live"), totals: summary.live }] : []),
  ];
  return (
    <table class="test-table">
      <thead>
        <tr>
          <td />
          {columns.map(({ name }) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {VERDICTS.map((verdict) => (
          <tr key={verdict}>
            <th scope="row">{t(`answerTests.verdict_${verdict}`)}</th>
            {columns.map(({ name, totals }) => (
              <td key={name}>{totals[verdict]}</td>
            ))}
          </tr>
        ))}
        <tr>
          <th scope="row">{t("answerTests.tokens")}</th>
          {columns.map(({ name, totals }) => (
            <td key={name}>{totals.tokens}</td>
          ))}
        </tr>
        <tr>
          <th scope="row">{t("answerTests.time")}</th>
          {columns.map(({ name, totals }) => (
            <td key={name}>{formatDuration(totals.seconds * 1000)}</td>
          ))}
        </tr>
      </tbody>
    </table>
  );
}

function Results({ run, siteId }: { run: TestRun; siteId: number }) {
  const path = { site_id: siteId, run_id: run.id };
  const fetched = usePagedFetch(`answer-test-results/${run.id}`, async (cursor) => {
    const page = await api.get(`${RUN}/results`, { path, query: { limit: PAGE_SIZE, cursor } });
    return { items: page.results, nextCursor: page.next_cursor };
  });
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!fetched.items) return <Spinner />;
  // What is to be looked at comes first.
  const sorted = [...fetched.items].sort((one, other) => rank(one) - rank(other));
  return (
    <ul class="test-results">
      {sorted.map((result) => (
        <li key={`${result.tested_engine}/${result.test_id}`}>
          <h3 dir="auto">{result.question}</h3>
          <div class="columns">
            <Answer
              title={describeEngine(run, result)}
              answer={result.candidate}
              tested={result.tested_engine}
            />
            {result.live && <Answer title={t("answerTests.live")} answer={result.live} />}
          </div>
        </li>
      ))}
      <LoadMoreButton onClick={fetched.loadMore} />
    </ul>
  );
}

/** What is tested: the settings, or a fallback of them by itself. */
function describeEngine(run: TestRun, result: RunResult): string {
  // The previous version of the server asks no fallbacks.
  const fallback = run.tested_fallbacks?.find(({ id }) => id === result.tested_engine);
  if (!fallback) return t("answerTests.candidate");
  const name = fallback.engine === "builtin" ? t("chatbot.engineBuiltin") : t("chatbot.engineOpenai");
  return t("answerTests.fallbackAlone", { engine: fallback.model ?? name });
}

const ORDER = ["wrong", "unknown", "right"];
const rank = (result: RunResult): number => ORDER.indexOf(result.candidate?.verdict ?? "wrong");

function Replays({ run, siteId }: { run: TestRun; siteId: number }) {
  const path = { site_id: siteId, run_id: run.id };
  const fetched = usePagedFetch(`answer-test-replays/${run.id}`, async (cursor) => {
    const page = await api.get(`${RUN}/replays`, { path, query: { limit: PAGE_SIZE, cursor } });
    return { items: page.replays, nextCursor: page.next_cursor };
  });
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!fetched.items || !run.summary) return <Spinner />;
  const { changed, replays } = run.summary;
  const sorted = [...fetched.items].sort((one, other) => (one.similarity ?? 1) - (other.similarity ?? 1));
  return (
    <section class="stack" aria-label={t("answerTests.replays")}>
      <h3>{t("answerTests.changed", { changed, count: replays })}</h3>
      <ul class="test-results">
        {sorted.map((replay) => (
          <ReplayItem key={`${replay.conversation_id}/${replay.seq}`} replay={replay} />
        ))}
      </ul>
      <LoadMoreButton onClick={fetched.loadMore} />
    </section>
  );
}

function ReplayItem({ replay }: { replay: Replay }) {
  return (
    <li>
      <h3 dir="auto">
        <a href={routeHref("chats", replay.conversation_id)}>
          {replay.question || t("answerTests.chatGone")}
        </a>
      </h3>
      <div class="columns">
        <Answer
          title={replay.changed ? t("answerTests.newAnswer") : t("answerTests.sameAnswer")}
          answer={replay.candidate}
        />
        {replay.live && <Answer title={t("answerTests.realAnswer")} answer={replay.live} />}
      </div>
    </li>
  );
}

interface AnswerProps {
  title: string;
  answer: GivenAnswer | null;
  /** The engine that was to answer. */
  tested?: string | undefined;
}

function Answer({ title, answer, tested = "primary" }: AnswerProps) {
  if (!answer) return null;
  const { verdict, outcome, text, sources, reasons, error, engine } = answer;
  return (
    <div class="test-answer">
      <p class="muted">
        {title}
        {verdict && <strong class={`verdict ${verdict}`}> {t(`answerTests.verdict_${verdict}`)}</strong>}
      </p>
      <p dir="auto">{text || t(`answerTests.outcome_${outcome}`)}</p>
      {error && <p class="muted">{error}</p>}
      {/* The previous version of the server names no engine. */}
      {engine && engine !== "primary" && engine !== tested && (
        <p class="muted">{t("answerTests.byFallback")}</p>
      )}
      {sources.length > 0 && (
        <p class="muted" dir="auto">
          {sources.map((source) => source.title).join(" · ")}
        </p>
      )}
      {reasons.map((reason) => (
        <p key={`${reason.kind}${reason.text}`} class="test-reason" dir="auto">
          {t(`answerTests.reason_${reason.kind}`, { text: reason.text })}
        </p>
      ))}
    </div>
  );
}

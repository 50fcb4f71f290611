/** The answer tests of a site, and their runs. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { saveFile } from "../../../shared/saveFile";
import { api } from "../api/client";
import { usePagedFetch } from "../api/useFetch";
import { IconButton } from "../components/controls";
import { EmptyState, LoadMoreButton, Spinner } from "../components/display";
import { FetchError } from "../components/fetchError";
import { Icon } from "../components/icon";
import { confirmAction, runWithToast, showToast } from "../components/toasts";
import { t } from "../i18n/i18n";
import "./answerTests.css";
import { RunDialog } from "./runDialog";
import { RunList } from "./runList";
import { TestDialog } from "./testDialog";
import { type AnswerTest, TEST, TESTS, type TestRun } from "./tests";

const PAGE_SIZE = 100;

export function AnswerTests({ siteId }: { siteId: number }) {
  const path = { site_id: siteId };
  const fetched = usePagedFetch(`answer-tests/${siteId}`, async (cursor) => {
    const page = await api.get(TESTS, { path, query: { limit: PAGE_SIZE, cursor } });
    return { items: page.tests, nextCursor: page.next_cursor };
  });
  const editing = useSignal<AnswerTest | "new" | null>(null);
  const shownRun = useSignal<TestRun | "new" | null>(null);
  const runs = useSignal(0);
  if (fetched.error) return <FetchError fetched={fetched} />;
  if (!fetched.items) return <Spinner />;
  const remove = async (test: AnswerTest) => {
    const confirmed = await confirmAction({
      title: t("answerTests.deleteTitle"),
      text: test.question,
      confirmLabel: t("common.delete"),
      destructive: true,
    });
    const one = { ...path, test_id: test.id };
    if (confirmed && (await runWithToast(() => api.delete(TEST, { path: one }), t("answerTests.deleted"))))
      void fetched.reload();
  };
  return (
    <div class="stack">
      <div class="form-row">
        <p class="muted">{t("answerTests.hint")}</p>
        <span class="grow" />
        <button type="button" class="button primary" onClick={() => (shownRun.value = "new")}>
          <Icon name="checks" size={16} /> {t("answerTests.run")}
        </button>
      </div>
      <RunList key={runs.value} siteId={siteId} onShow={(run) => (shownRun.value = run)} />
      <div class="form-row">
        <h3>{t("answerTests.title")}</h3>
        <span class="grow" />
        <TransferButtons siteId={siteId} onChanged={() => void fetched.reload()} />
        <button type="button" class="button" onClick={() => (editing.value = "new")}>
          <Icon name="plus" size={16} /> {t("answerTests.add")}
        </button>
      </div>
      {fetched.items.length === 0 && (
        <EmptyState icon="checks" title={t("answerTests.none")}>
          {t("answerTests.noneText")}
        </EmptyState>
      )}
      <ul class="knowledge-list">
        {fetched.items.map((test) => (
          <li key={test.id} class={test.enabled ? "" : "test-off"}>
            <div>
              <strong dir="auto">{test.question}</strong>
              <p>{describeTest(test)}</p>
            </div>
            <IconButton
              icon="pencil"
              label={t("answerTests.edit", { question: test.question })}
              onClick={() => (editing.value = test)}
            />
            <IconButton
              icon="trash"
              label={t("answerTests.delete", { question: test.question })}
              onClick={() => remove(test)}
            />
          </li>
        ))}
      </ul>
      <LoadMoreButton onClick={fetched.loadMore} />
      {editing.value && (
        <TestDialog
          siteId={siteId}
          test={editing.value === "new" ? null : editing.value}
          onClose={() => (editing.value = null)}
          onSaved={() => {
            editing.value = null;
            void fetched.reload();
          }}
        />
      )}
      {shownRun.value && (
        <RunDialog
          siteId={siteId}
          run={shownRun.value === "new" ? null : shownRun.value}
          onClose={() => {
            shownRun.value = null;
            runs.value += 1;
          }}
        />
      )}
    </div>
  );
}

function describeTest(test: AnswerTest): string {
  const parts = [
    !test.enabled && t("answerTests.off"),
    t(`answerTests.expected_${test.expected}`),
    test.must_say.length > 0 && `${t("answerTests.mustSay")}: ${test.must_say.map(joinOr).join(", ")}`,
    test.must_not_say.length > 0 && `${t("answerTests.mustNotSay")}: ${test.must_not_say.join(", ")}`,
    test.must_cite.length > 0 && `${t("answerTests.mustCite")}: ${test.must_cite.map(joinOr).join(", ")}`,
    test.origin !== "manual" && t(`answerTests.origin_${test.origin}`),
    test.language,
  ];
  return parts.filter(Boolean).join(" · ");
}

const joinOr = (alternatives: readonly string[]): string => alternatives.join(" | ");

function TransferButtons({ siteId, onChanged }: { siteId: number; onChanged: () => void }) {
  const path = { site_id: siteId };
  const input = useRef<HTMLInputElement>(null);
  const generate = () =>
    runWithToast(async () => {
      const { created } = await api.post(`${TESTS}/generate`, { path });
      showToast(t("answerTests.generated", { count: created }));
      onChanged();
    });
  const importFile = (file: File) =>
    runWithToast(async () => {
      const text = await file.text();
      const body = file.name.endsWith(".json") ? { tests: JSON.parse(text).tests } : { csv: text };
      const { created, replaced } = await api.post(`${TESTS}/import`, { path, body });
      showToast(t("answerTests.imported", { count: created + replaced }));
      onChanged();
    });
  const exportFile = () =>
    runWithToast(async () => {
      saveFile(await api.download(`${TESTS}/export`, { format: "csv" }, path), "answer-tests.csv");
    });
  return (
    <>
      <button type="button" class="button" onClick={generate}>
        {t("answerTests.generate")}
      </button>
      <button type="button" class="button" onClick={() => input.current?.click()}>
        {t("answerTests.import")}
      </button>
      <button type="button" class="button" onClick={exportFile}>
        {t("answerTests.export")}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".csv,.json"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (file) void importFile(file);
        }}
      />
    </>
  );
}

/** What a site's assistant knows: questions and their answers. */
import { useSignal } from "@preact/signals";
import { ask } from "../api/http";
import { confirmed } from "../state/toasts";
import { Dialog, Empty, Field, IconButton, Spinner } from "../ui/bits";
import { Icon } from "../ui/icon";
import { submit, useFetched } from "./use";

interface Entry {
  id: number;
  question: string;
  answer: string;
}

interface Page {
  knowledge: Entry[];
  next_cursor: string | null;
}

const BLANK: Entry = { id: 0, question: "", answer: "" };

export function Knowledge({ site }: { site: number }) {
  const path = `/sites/${site}/chatbot/knowledge`;
  const fetched = useFetched<Page>(`${path}?limit=50`);
  const editing = useSignal<Entry | null>(null);
  const busy = useSignal(false);
  const errors = useSignal<Record<string, string>>({});
  const page = fetched.value;
  const more = async () => {
    if (!page?.next_cursor) return;
    const next = await ask<Page>(path, { query: { limit: 50, cursor: page.next_cursor } });
    fetched.set({ ...next, knowledge: [...page.knowledge, ...next.knowledge] });
  };
  const remove = async (entry: Entry) => {
    const yes = await confirmed({
      title: "Delete this entry?",
      text: entry.question,
      yes: "Delete",
      grave: true,
    });
    if (!yes) return;
    const work = async () => {
      await ask(`${path}/${entry.id}`, { method: "DELETE" });
      await fetched.reload();
    };
    await submit(busy, errors, work, "Deleted.");
  };
  if (fetched.problem) return <p class="bad-text">{fetched.problem}</p>;
  if (!page) return <Spinner />;
  return (
    <div class="stack">
      <div class="row-line">
        <p class="faint">The assistant answers from these. Write questions as visitors ask them.</p>
        <span class="grow" />
        <button type="button" class="button" onClick={() => (editing.value = BLANK)}>
          <Icon name="plus" size={16} /> Add an entry
        </button>
      </div>
      {page.knowledge.length === 0 && (
        <Empty icon="book" title="It knows nothing yet">
          Begin with the three questions you hear most.
        </Empty>
      )}
      <ul class="knowledge">
        {page.knowledge.map((entry) => (
          <li key={entry.id}>
            <div>
              <strong dir="auto">{entry.question}</strong>
              <p dir="auto">{entry.answer}</p>
            </div>
            <IconButton
              icon="pencil"
              label={`Edit: ${entry.question}`}
              onClick={() => (editing.value = entry)}
            />
            <IconButton icon="trash" label={`Delete: ${entry.question}`} onClick={() => remove(entry)} />
          </li>
        ))}
      </ul>
      {page.next_cursor && (
        <button type="button" class="button" onClick={more}>
          Show more
        </button>
      )}
      {editing.value && (
        <EntryDialog
          path={path}
          entry={editing.value}
          onClose={() => (editing.value = null)}
          onSaved={() => {
            editing.value = null;
            void fetched.reload();
          }}
        />
      )}
    </div>
  );
}

interface EntryProps {
  path: string;
  entry: Entry;
  onClose: () => void;
  onSaved: () => void;
}

function EntryDialog({ path, entry, onClose, onSaved }: EntryProps) {
  const question = useSignal(entry.question);
  const answer = useSignal(entry.answer);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const save = async (event: Event) => {
    event.preventDefault();
    const body = { question: question.value.trim(), answer: answer.value.trim() };
    const work = () => (entry.id ? ask(`${path}/${entry.id}`, { method: "PUT", body }) : ask(path, { body }));
    if (await submit(busy, errors, work, "Saved.")) onSaved();
  };
  return (
    <Dialog title={entry.id ? "Edit entry" : "New entry"} onClose={onClose}>
      <form class="stack" onSubmit={save}>
        <Field label="Question" error={errors.value["question"]}>
          <input
            required
            maxLength={500}
            dir="auto"
            value={question.value}
            onInput={(event) => (question.value = event.currentTarget.value)}
          />
        </Field>
        <Field label="Answer" error={errors.value["answer"]}>
          <textarea
            rows={6}
            required
            maxLength={4000}
            dir="auto"
            value={answer.value}
            onInput={(event) => (answer.value = event.currentTarget.value)}
          />
        </Field>
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={busy.value}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}

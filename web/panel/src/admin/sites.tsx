/** Sites: which there are, how the widget gets onto them, how the assistant behaves there. */
import { useSignal } from "@preact/signals";
import { ask } from "../api/http";
import { me } from "../api/session";
import { go, link } from "../state/route";
import { loadSites, managed, type Site } from "../state/sites";
import { confirmed } from "../state/toasts";
import { Dialog, Empty, Field, Switch } from "../ui/bits";
import { Icon } from "../ui/icon";
import { ChatbotForm } from "./chatbot";
import { Knowledge } from "./knowledge";
import { copy, submit, useFetched } from "./use";

const TABS = [
  ["install", "Install"],
  ["assistant", "Assistant"],
  ["knowledge", "Knowledge"],
  ["settings", "Settings"],
] as const;

export function SitesScreen({ id, tab }: { id: number | undefined; tab: string }) {
  const adding = useSignal(false);
  const list = managed.value;
  const site = list.find((one) => one.id === id) ?? list[0];
  return (
    <main class="page">
      <header class="page-head">
        <h1>Sites</h1>
        <span class="grow" />
        {me.value?.owner && (
          <button type="button" class="button primary" onClick={() => (adding.value = true)}>
            <Icon name="plus" size={16} /> Add a site
          </button>
        )}
      </header>
      {list.length > 1 && (
        <nav class="pills" aria-label="Sites">
          {list.map((one) => (
            <a
              key={one.id}
              href={link("sites", one.id, tab)}
              aria-current={one.id === site?.id ? "page" : undefined}
              dir="auto"
            >
              {one.name}
            </a>
          ))}
        </nav>
      )}
      {!site && (
        <Empty icon="globe" title="No site yet">
          Add the first one, and paste its snippet into your pages.
        </Empty>
      )}
      {site && (
        <section class="card" aria-label={site.name}>
          <header class="card-head">
            <h2 dir="auto">{site.name}</h2>
            <nav class="tabs" aria-label="Parts of the site">
              {TABS.map(([name, label]) => (
                <a
                  key={name}
                  class="tab"
                  href={link("sites", site.id, name)}
                  aria-current={name === tab ? "page" : undefined}
                >
                  {label}
                </a>
              ))}
            </nav>
          </header>
          {tab === "assistant" ? (
            <ChatbotForm key={site.id} site={site.id} />
          ) : tab === "knowledge" ? (
            <Knowledge key={site.id} site={site.id} />
          ) : tab === "settings" ? (
            <SiteForm key={site.id} site={site} />
          ) : (
            <Install key={site.id} site={site} />
          )}
        </section>
      )}
      {adding.value && <NewSite onClose={() => (adding.value = false)} />}
    </main>
  );
}

function Install({ site }: { site: Site }) {
  const fetched = useFetched<{ code: string }>(`/sites/${site.id}/widget-code`);
  const code = fetched.value?.code ?? "";
  return (
    <div class="stack">
      <p>Paste this once into every page that is to have the chat, before the closing body tag:</p>
      {fetched.problem && <p class="bad-text">{fetched.problem}</p>}
      <div class="snippet">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways. */}
        <pre tabIndex={0}>
          <code>{code || "…"}</code>
        </pre>
        <button type="button" class="button" disabled={!code} onClick={() => copy(code, "The snippet is")}>
          <Icon name="copy" size={16} /> Copy
        </button>
      </div>
      <p class="faint">
        {site.any_origin
          ? "The chat opens on any domain."
          : site.domains?.length
            ? `The chat opens on ${site.domains.join(", ")}.`
            : "No domain may open the chat yet: add yours under Settings."}{" "}
        On pages with a content security policy, allow this server in <code>script-src</code>,{" "}
        <code>connect-src</code> and <code>img-src</code>; styles need nothing.
      </p>
      {site.site_key && (
        <p>
          <a
            class="button"
            href={`/demo?site_key=${encodeURIComponent(site.site_key)}`}
            target="_blank"
            rel="noopener"
          >
            <Icon name="chats" size={16} /> Try it on the demo page
          </a>
        </p>
      )}
    </div>
  );
}

interface SiteFields {
  name: string;
  domains: string;
  any_origin: boolean;
  language: string;
}

function body(fields: SiteFields) {
  const domains = fields.domains.split(/[\s,]+/).filter(Boolean);
  return {
    name: fields.name.trim(),
    domains,
    any_origin: fields.any_origin,
    language: fields.language.trim() || "en",
  };
}

interface FieldsProps {
  fields: SiteFields;
  errors: Record<string, string>;
  change: (fields: Partial<SiteFields>) => void;
}

function SiteFieldsForm({ fields, errors, change }: FieldsProps) {
  return (
    <>
      <Field label="Name" error={errors["name"]}>
        <input
          required
          maxLength={100}
          dir="auto"
          value={fields.name}
          onInput={(event) => change({ name: event.currentTarget.value })}
        />
      </Field>
      <Field
        label="Domains"
        hint="One a line. *.example.com stands for all below it."
        error={errors["domains"]}
      >
        <textarea
          rows={3}
          placeholder={"example.com\n*.example.com"}
          value={fields.domains}
          onInput={(event) => change({ domains: event.currentTarget.value })}
        />
      </Field>
      <Switch
        on={fields.any_origin}
        label="Allow the chat on any domain"
        onChange={(on) => change({ any_origin: on })}
      />
      <Field label="Language" hint="The site’s own, as en, de or pt-BR." error={errors["language"]}>
        <input
          class="short"
          maxLength={35}
          value={fields.language}
          onInput={(event) => change({ language: event.currentTarget.value })}
        />
      </Field>
    </>
  );
}

function SiteForm({ site }: { site: Site }) {
  const fields = useSignal<SiteFields>({
    name: site.name,
    domains: (site.domains ?? []).join("\n"),
    any_origin: site.any_origin ?? false,
    language: site.language ?? "en",
  });
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const save = (event: Event) => {
    event.preventDefault();
    const work = async () => {
      await ask(`/sites/${site.id}`, { method: "PUT", body: body(fields.value) });
      await loadSites();
    };
    void submit(busy, errors, work, "Saved.");
  };
  const remove = async () => {
    const text = `${site.name}, with its settings and its team, will be gone, and its widget will fall silent.`;
    if (!(await confirmed({ title: "Delete this site?", text, yes: "Delete", grave: true }))) return;
    const work = async () => {
      await ask(`/sites/${site.id}`, { method: "DELETE" });
      await loadSites();
      go("sites");
    };
    void submit(busy, errors, work, "Site deleted.");
  };
  return (
    <form class="stack form" onSubmit={save}>
      <SiteFieldsForm
        fields={fields.value}
        errors={errors.value}
        change={(some) => (fields.value = { ...fields.value, ...some })}
      />
      <div class="form-actions">
        {me.value?.owner && (
          <button type="button" class="button quiet-grave" onClick={remove}>
            <Icon name="trash" size={16} /> Delete site
          </button>
        )}
        <span class="grow" />
        <button type="submit" class="button primary" disabled={busy.value}>
          Save
        </button>
      </div>
    </form>
  );
}

function NewSite({ onClose }: { onClose: () => void }) {
  const fields = useSignal<SiteFields>({ name: "", domains: "", any_origin: false, language: "en" });
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const save = (event: Event) => {
    event.preventDefault();
    const work = async () => {
      const answer = await ask<{ site: Site }>("/sites", {
        body: body(fields.value),
        key: crypto.randomUUID(),
      });
      await loadSites();
      onClose();
      go("sites", answer.site.id);
    };
    void submit(busy, errors, work, "Site added.");
  };
  return (
    <Dialog title="Add a site" onClose={onClose}>
      <form class="stack" onSubmit={save}>
        <SiteFieldsForm
          fields={fields.value}
          errors={errors.value}
          change={(some) => (fields.value = { ...fields.value, ...some })}
        />
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" disabled={busy.value}>
            Add site
          </button>
        </div>
      </form>
    </Dialog>
  );
}

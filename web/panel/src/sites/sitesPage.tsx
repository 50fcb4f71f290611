/** The sites: installation of the widget, assistant, knowledge, settings. */
import { useSignal } from "@preact/signals";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { useRequest } from "../commands/registry";
import { CopyField } from "../components/controls";
import { EmptyState } from "../components/display";
import { copyToClipboard } from "../components/forms";
import { Icon } from "../components/icon";
import { routeHref } from "../navigation/route";
import { me } from "../session/session";
import { ChatbotForm } from "./chatbotForm";
import { Knowledge } from "./knowledge";
import { NewSiteDialog, SiteForm } from "./siteForm";
import { SitePills } from "./sitePills";
import { managedSites, type Site } from "./sites";

const TABS = [
  ["install", "Install"],
  ["assistant", "Assistant"],
  ["knowledge", "Knowledge"],
  ["settings", "Settings"],
] as const;

export function SitesPage({ id, tab }: { id: number | undefined; tab: string }) {
  const adding = useSignal(false);
  useRequest("site.add", () => (adding.value = true));
  const sites = managedSites.value;
  const site = sites.find((one) => one.id === id) ?? sites[0];
  return (
    <main class="page">
      <header class="page-header">
        <h1>Sites</h1>
        <span class="grow" />
        {me.value?.owner && (
          <button type="button" class="button primary" onClick={() => (adding.value = true)}>
            <Icon name="plus" size={16} /> Add site
          </button>
        )}
      </header>
      <SitePills sites={sites} selected={site} href={(one) => routeHref("sites", one.id, tab)} />
      {!site && (
        <EmptyState icon="globe" title="No sites yet">
          Add a site, then paste its snippet into your pages.
        </EmptyState>
      )}
      {site && (
        <section class="card" aria-label={site.name}>
          <header class="card-header">
            <h2 dir="auto">{site.name}</h2>
            <nav class="tabs" aria-label="Site sections">
              {TABS.map(([name, label]) => (
                <a
                  key={name}
                  class="tab"
                  href={routeHref("sites", site.id, name)}
                  aria-current={name === tab ? "page" : undefined}
                >
                  {label}
                </a>
              ))}
            </nav>
          </header>
          <SiteSection key={site.id} site={site} tab={tab} />
        </section>
      )}
      {adding.value && <NewSiteDialog onClose={() => (adding.value = false)} />}
    </main>
  );
}

function SiteSection({ site, tab }: { site: Site; tab: string }) {
  if (tab === "assistant") return <ChatbotForm siteId={site.id} />;
  if (tab === "knowledge") return <Knowledge siteId={site.id} />;
  if (tab === "settings") return <SiteForm site={site} />;
  return <InstallInstructions site={site} />;
}

function InstallInstructions({ site }: { site: Site }) {
  const fetched = useFetch(`widget-code/${site.id}`, () =>
    api.get("/sites/{site_id}/widget-code", { path: { site_id: site.id } }),
  );
  const code = fetched.value?.code ?? "";
  const tagManagerCode = fetched.value?.tag_manager_code ?? "";
  return (
    <div class="stack">
      <p>
        Paste this snippet into every page that should have the chat, before the closing{" "}
        <code>&lt;/body&gt;</code> tag:
      </p>
      {fetched.error && <p class="error-text">{fetched.error}</p>}
      <CopyField text={code} onCopy={() => copyToClipboard(code, "Snippet")} />
      <p>
        With a tag manager, such as Google Tag Manager, use this snippet as a custom HTML tag on all pages
        instead:
      </p>
      <CopyField text={tagManagerCode} onCopy={() => copyToClipboard(tagManagerCode, "Snippet")} />
      <p class="muted">
        {describeDomains(site)} If your pages have a Content Security Policy, allow this server in{" "}
        <code>script-src</code>, <code>connect-src</code> and <code>img-src</code>. <code>style-src</code> can
        stay as it is.
      </p>
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
    </div>
  );
}

function describeDomains(site: Site): string {
  if (site.any_origin) return "The chat works on any domain.";
  if (site.domains.length) return `The chat works on ${site.domains.join(", ")}.`;
  return "The chat does not work on any domain yet. Add yours under Settings.";
}

/** The sites: installation of the widget, assistant, knowledge, settings. */

import { useSignal } from "@preact/signals";
import { AnswerTests } from "../answerTests/answerTests";
import { GateNotice } from "../answerTests/gateNotice";
import { api } from "../api/client";
import { useFetch } from "../api/useFetch";
import { useRequest } from "../commands/registry";
import { CopyField } from "../components/controls";
import { EmptyState } from "../components/display";
import { FetchError } from "../components/fetchError";
import { copyToClipboard } from "../components/forms";
import { Icon } from "../components/icon";
import { FormsForm } from "../forms/formsForm";
import { t, tx } from "../i18n/i18n";
import { GapList } from "../knowledgeGaps/gapList";
import { SourceList } from "../knowledgeSources/sourceList";
import { routeHref } from "../navigation/route";
import { me } from "../session/session";
import { McpServers } from "../tools/mcpServers";
import { ToolList } from "../tools/toolList";
import { ChatbotForm } from "./chatbotForm";
import { Identity } from "./identity";
import { Knowledge } from "./knowledge";
import { RoutingForm } from "./routingForm";
import { NewSiteDialog, SiteForm } from "./siteForm";
import { SitePills } from "./sitePills";
import { managedSites, type Site } from "./sites";
import { SiteTexts } from "./siteTexts";
import { Triggers } from "./triggers";

const TABS = [
  "install",
  "assistant",
  "knowledge",
  "gaps",
  "tools",
  "tests",
  "routing",
  "forms",
  "triggers",
  "texts",
  "identity",
  "settings",
] as const;

export function SitesPage({ id, tab }: { id: number | undefined; tab: string }) {
  const adding = useSignal(false);
  useRequest("site.add", () => (adding.value = true));
  const sites = managedSites.value;
  const site = sites.find((one) => one.id === id) ?? sites[0];
  return (
    <main class="page">
      <header class="page-header">
        <h1>{t("sites.title")}</h1>
        <span class="grow" />
        {me.value?.owner && (
          <button type="button" class="button primary" onClick={() => (adding.value = true)}>
            <Icon name="plus" size={16} /> {t("sites.add")}
          </button>
        )}
      </header>
      <SitePills sites={sites} selected={site} href={(one) => routeHref("sites", one.id, tab)} />
      {!site && (
        <EmptyState icon="globe" title={t("sites.none")}>
          {t("sites.noneText")}
        </EmptyState>
      )}
      {site && (
        <section class="card" aria-label={site.name}>
          <header class="card-header">
            <h2 dir="auto">{site.name}</h2>
            <nav class="tabs" aria-label={t("sites.sections")}>
              {TABS.map((name) => (
                <a
                  key={name}
                  class="tab"
                  href={routeHref("sites", site.id, name)}
                  aria-current={name === tab ? "page" : undefined}
                >
                  {t(`sites.tab_${name}`)}
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
  if (tab === "knowledge") {
    return (
      <div class="stack">
        <GateNotice siteId={site.id} />
        <SourceList siteId={site.id} />
        <Knowledge siteId={site.id} />
      </div>
    );
  }
  if (tab === "gaps") return <GapList siteId={site.id} />;
  if (tab === "tools") {
    return (
      <div class="stack">
        <ToolList siteId={site.id} />
        <McpServers siteId={site.id} />
      </div>
    );
  }
  if (tab === "tests") return <AnswerTests siteId={site.id} />;
  if (tab === "routing") return <RoutingForm site={site} />;
  if (tab === "forms") return <FormsForm site={site} />;
  if (tab === "triggers") return <Triggers site={site} />;
  if (tab === "texts") return <SiteTexts siteId={site.id} />;
  if (tab === "identity") return <Identity siteId={site.id} />;
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
      <p>{tx("sites.pasteSnippet", { tag: <code>&lt;/body&gt;</code> })}</p>
      {fetched.error && <FetchError fetched={fetched} />}
      <CopyField text={code} onCopy={() => copyToClipboard(code, t("sites.snippet"))} />
      <p>{t("sites.tagManager")}</p>
      <CopyField text={tagManagerCode} onCopy={() => copyToClipboard(tagManagerCode, t("sites.snippet"))} />
      <p class="muted">
        {describeDomains(site)}{" "}
        {tx("sites.policy", {
          script: <code>script-src</code>,
          connect: <code>connect-src</code>,
          image: <code>img-src</code>,
          style: <code>style-src</code>,
        })}
      </p>
      <p>
        <a
          class="button"
          href={`/demo?site_key=${encodeURIComponent(site.site_key)}`}
          target="_blank"
          rel="noopener"
        >
          <Icon name="chats" size={16} /> {t("sites.demo")}
        </a>
      </p>
    </div>
  );
}

function describeDomains(site: Site): string {
  if (site.any_origin) return t("sites.worksEverywhere");
  if (site.domains.length) return t("sites.worksOn", { domains: site.domains.join(", ") });
  return t("sites.worksNowhere");
}

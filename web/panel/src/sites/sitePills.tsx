/** Links to the same page for another site. Displays nothing when there is only one. */
import { t } from "../i18n/i18n";
import type { Site } from "./sites";

interface SitePillsProps {
  sites: readonly Site[];
  selected: Site | undefined;
  href: (site: Site) => string;
}

export function SitePills({ sites, selected, href }: SitePillsProps) {
  if (sites.length < 2) return null;
  return (
    <nav class="pills" aria-label={t("sites.title")}>
      {sites.map((site) => (
        <a
          key={site.id}
          href={href(site)}
          aria-current={site.id === selected?.id ? "page" : undefined}
          dir="auto"
        >
          {site.name}
        </a>
      ))}
    </nav>
  );
}

/** Components that only display: avatars, links, empty and loading states. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { toSafeUrl } from "../../../shared/linkify";
import { t } from "../i18n/i18n";
import { Icon, type IconName } from "./icon";
import { runWithToast } from "./toasts";

const HUES = 8;

interface AvatarProps {
  name: string;
  /** Adds a dot for online or offline. */
  online?: boolean | undefined;
  small?: boolean;
}

/** Two initials on a colour that depends on the name only. */
export function Avatar({ name, online, small }: AvatarProps) {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 8191;
  // All anonymous visitors are called "Visitor": their initials come from what follows.
  const anonymous = `${t("common.visitor")} `;
  const words = (name.startsWith(anonymous) ? name.slice(anonymous.length) : name).trim().split(/\s+/);
  const initials = [words[0], words.length > 1 ? words.at(-1) : ""]
    .map((word) => [...(word ?? "")][0] ?? "")
    .join("");
  return (
    <span class={`avatar hue-${hash % HUES}${small ? " small" : ""}`} aria-hidden="true">
      {initials.toLocaleUpperCase()}
      {online !== undefined && <span class={`presence ${online ? "on" : "off"}`} />}
    </span>
  );
}

interface ExternalLinkProps {
  url: string;
  title?: string;
  class?: string;
  children: string;
}

/** A link to a page of somebody else; plain text when its URL is not safe. */
export function ExternalLink({ url, title, class: name, children }: ExternalLinkProps) {
  const href = toSafeUrl(url);
  if (!href) {
    return (
      <span title={title} dir="auto">
        {children}
      </span>
    );
  }
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={title} class={name} dir="auto">
      {children}
    </a>
  );
}

/** A link to a page that a visitor is on. */
export const PageLink = ({ page, title }: { page: string; title?: string | null | undefined }) => (
  <ExternalLink url={page} title={page} class="page-link">
    {title || page.replace(/^https?:\/\//, "")}
  </ExternalLink>
);

interface EmptyStateProps {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
}

export function EmptyState({ icon, title, children }: EmptyStateProps) {
  return (
    <div class="empty-state">
      <span class="empty-state-icon">
        <Icon name={icon} size={26} />
      </span>
      <p class="empty-state-title">{title}</p>
      {children && <div class="empty-state-text">{children}</div>}
    </div>
  );
}

export const Spinner = () => (
  <div class="spinner" role="status">
    <span class="visually-hidden">{t("common.loading")}</span>
  </div>
);

interface LoadMoreButtonProps {
  /** Without more pages, nothing is displayed. */
  onClick: (() => Promise<void>) | undefined;
  text?: string;
}

/** The button below a list that has more pages. Shows why a page could not be fetched. */
export function LoadMoreButton({ onClick, text = t("common.loadMore") }: LoadMoreButtonProps) {
  const busy = useSignal(false);
  if (!onClick) return null;
  const load = async () => {
    busy.value = true;
    await runWithToast(onClick);
    busy.value = false;
  };
  return (
    <button type="button" class="button" disabled={busy.value} onClick={load}>
      {text}
    </button>
  );
}

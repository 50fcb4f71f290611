/** Components that only display: avatars, links, empty and loading states. */

import type { ComponentChildren } from "preact";
import { toSafeUrl } from "../../../shared/linkify";
import { t } from "../i18n/i18n";
import { Icon, type IconName } from "./icon";

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

/** A link to a page of a visitor; plain text when its URL is not safe. */
export function PageLink({ page, title }: { page: string; title?: string | null | undefined }) {
  const href = toSafeUrl(page);
  const text = title || page.replace(/^https?:\/\//, "");
  if (!href) {
    return (
      <span title={page} dir="auto">
        {text}
      </span>
    );
  }
  return (
    <a
      href={href}
      target="_blank"
      rel="noopener noreferrer nofollow"
      title={page}
      class="page-link"
      dir="auto"
    >
      {text}
    </a>
  );
}

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

/** The button below a list that has more pages. */
export function LoadMoreButton({ onClick }: { onClick: (() => Promise<void>) | undefined }) {
  if (!onClick) return null;
  return (
    <button type="button" class="button" onClick={onClick}>
      {t("common.loadMore")}
    </button>
  );
}

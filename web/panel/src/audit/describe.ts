/** Audit entries as text. */
import { hasText, t } from "../i18n/i18n";

/** "Logged in" for "session.login"; an action without a text as "kind: action". */
export function describeAction(action: string): string {
  const key = `audit.${action.replace(".", "_")}`;
  return hasText(key) ? t(key) : action.replaceAll("_", " ").replace(".", ": ");
}

/** "Canned reply" for "canned_reply". */
export function describeKind(kind: string): string {
  const key = `audit.kind_${kind}`;
  if (hasText(key)) return t(key);
  const words = kind.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const describeDetails = (details: Record<string, unknown>): string =>
  Object.entries(details)
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${formatValue(value)}`)
    .join(", ");

function formatValue(value: unknown): string {
  if (Array.isArray(value)) return value.map(formatValue).join(", ");
  if (typeof value !== "object" || value === null) return String(value);
  return describeDetails(value as Record<string, unknown>);
}

/** What the server says about a failure, in the operator's language. The server writes English. */
import { type ApiError, hasServerText } from "../../../shared/http";
import { hasText, language, type TextKey, t } from "../i18n/i18n";

/** The server knows more about a failure than its code says; other languages have texts by code. */
export function describeError(error: ApiError): string {
  const key = `errors.${error.code}`;
  if (!hasText(key) || (language.value === "en" && hasServerText(error))) return error.message;
  return t(key, { status: String(error.status) });
}

/** Frequent reasons for which a field is refused. A group is the count of the text. */
const REASONS: [RegExp, TextKey][] = [
  [/^Field required$/, "fieldErrors.required"],
  [/^String should have at least (\d+) characters?$/, "fieldErrors.tooShort"],
  [/^String should have at most (\d+) characters?$/, "fieldErrors.tooLong"],
  [/^is not an e-mail address/, "fieldErrors.email"],
  [/^is not a telephone number/, "fieldErrors.phone"],
  [/^is not a language/, "fieldErrors.language"],
  [/^is not your current password/, "fieldErrors.currentPassword"],
  [/^is too easy to guess/, "fieldErrors.weak"],
  [/^must not be your e-mail address/, "fieldErrors.sameAsEmail"],
  [/^is in the past/, "fieldErrors.past"],
];

/** Why a field was refused; as the server says it when there is no translation. */
export function describeFieldError(reason: string): string {
  if (language.value === "en") return reason;
  for (const [pattern, key] of REASONS) {
    const match = pattern.exec(reason);
    if (match) return t(key, { count: Number(match[1] ?? 0) });
  }
  return reason;
}

/** Audit entries as text. */

const ACTIONS: Record<string, string> = {
  "account.password_changed": "Changed password",
  "account.sessions_ended": "Logged out on all devices",
  "account.updated": "Updated profile",
  "api_key.created": "Created API key",
  "api_key.revoked": "Revoked API key",
  "chatbot.updated": "Updated assistant",
  "conversation.accepted": "Accepted chat",
  "conversation.closed": "Closed chat",
  "conversation.reopened": "Reopened chat",
  "conversation.noted": "Added private note",
  "conversation.proactive": "Sent proactive message",
  "conversation.released": "Handed chat back to AI",
  "conversation.transferred": "Transferred chat",
  "invitation.accepted": "Accepted invitation",
  "team.created": "Created team",
  "team.deleted": "Deleted team",
  "team.updated": "Updated team",
  "site.routing_changed": "Changed routing",
  "canned_reply.created": "Added canned reply",
  "canned_reply.deleted": "Deleted canned reply",
  "canned_reply.updated": "Updated canned reply",
  "knowledge.created": "Added knowledge entry",
  "knowledge.deleted": "Deleted knowledge entry",
  "knowledge.updated": "Updated knowledge entry",
  "member.created": "Added teammate",
  "member.granted": "Changed permissions",
  "member.invited": "Invited teammate",
  "member.removed": "Removed teammate",
  "member.taken_off": "Removed from site",
  "member.updated": "Updated teammate",
  "session.login": "Logged in",
  "session.login_blocked": "Logins blocked: too many wrong passwords",
  "session.login_failed": "Login failed: wrong password",
  "session.logout": "Logged out",
  "session.token_reused": "Session ended: refresh token reused",
  "site.created": "Added site",
  "site.deleted": "Deleted site",
  "site.key_rotated": "Rotated site key",
  "site.updated": "Updated site",
  "tenant.created": "Created tenant",
  "visitor.blocked": "Blocked visitor",
  "visitor.erased": "Erased visitor data",
  "visitor.exported": "Exported visitor data",
  "visitor.unblocked": "Unblocked visitor",
  "visitor.updated": "Updated visitor",
};

/** "Logged in" for "session.login"; an action without a text as "kind: action". */
export const describeAction = (action: string): string =>
  ACTIONS[action] ?? action.replaceAll("_", " ").replace(".", ": ");

export const describeDetails = (details: Record<string, unknown>): string =>
  Object.entries(details)
    .map(([name, value]) => `${name.replaceAll("_", " ")}: ${formatValue(value)}`)
    .join(", ");

function formatValue(value: unknown): string {
  if (Array.isArray(value)) return value.map(formatValue).join(", ");
  if (typeof value !== "object" || value === null) return String(value);
  return describeDetails(value as Record<string, unknown>);
}

/** The tools of a site: paths of the API, and how a call has ended. */

import type { Tool, ToolRequestBody } from "../../../shared/apiTypes";
import { hasText, t } from "../i18n/i18n";

export const TOOLS = "/sites/{site_id}/chatbot/tools";
export const TOOL = "/sites/{site_id}/chatbot/tools/{tool_id}";
export const MCP_SERVERS = "/sites/{site_id}/chatbot/mcp-servers";
export const MCP_SERVER = "/sites/{site_id}/chatbot/mcp-servers/{server_id}";

/** For a request that waits for the answer of another system: longer than the gateway waits. */
export const CALL_TIMEOUT_MS = 55_000;

/** How a call has ended; as it is for one that this version does not know. */
export function describeOutcome(outcome: string): string {
  const key = `tools.outcome_${outcome}`;
  return hasText(key) ? t(key) : outcome.replaceAll("_", " ");
}

/** A tool as a request has it. */
export const toBody = (tool: Tool): ToolRequestBody => ({
  name: tool.name,
  title: tool.title,
  description: tool.description,
  parameters: tool.parameters,
  method: tool.method,
  url: tool.url,
  writes: tool.writes,
  identified_only: tool.identified_only,
  timeout_seconds: tool.timeout_seconds,
  enabled: tool.enabled,
});

/** The object that a text in JSON is; undefined for anything else. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

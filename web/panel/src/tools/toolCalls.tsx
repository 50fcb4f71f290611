/** The tools that were called for an AI reply: for operators only. */

import type { ToolCall } from "../../../shared/apiTypes";
import { t } from "../i18n/i18n";
import "./tools.css";
import { describeOutcome } from "./tools";

export function ToolCalls({ calls }: { calls: readonly ToolCall[] }) {
  return (
    <details class="tool-calls">
      <summary>
        {t("tools.callsOfReply")}: {calls.map((call) => call.title).join(", ")}
      </summary>
      <ul>
        {calls.map((call, index) => (
          <li key={index}>
            <strong dir="auto">{call.title}</strong>: {describeOutcome(call.outcome)}
            <pre class="tool-json" dir="ltr">
              {[call.arguments, call.result].filter(Boolean).join("\n→ ")}
            </pre>
          </li>
        ))}
      </ul>
    </details>
  );
}

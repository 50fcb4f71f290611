/** Answer tests: their paths, and their lists as lines of text. */

import type { RequestBody, ResponseBody } from "../../../shared/apiTypes";

export const TESTS = "/sites/{site_id}/chatbot/tests";
export const TEST = "/sites/{site_id}/chatbot/tests/{test_id}";
export const RUNS = "/sites/{site_id}/chatbot/tests/runs";
export const RUN = "/sites/{site_id}/chatbot/tests/runs/{run_id}";

export type AnswerTest = ResponseBody<"get", typeof TESTS>["tests"][number];
export type TestRun = ResponseBody<"get", typeof RUN>["run"];
export type RunResult = ResponseBody<"get", `${typeof RUN}/results`>["results"][number];
export type Replay = ResponseBody<"get", `${typeof RUN}/replays`>["replays"][number];
export type GivenAnswer = NonNullable<RunResult["candidate"]>;
export type TestBody = RequestBody<"post", typeof TESTS>;
/** Settings that are tested before they are saved. */
export type Candidate = Pick<
  RequestBody<"post", `${typeof TESTS}/run`>,
  "engine" | "model" | "instructions" | "ai" | "fallbacks"
>;

export const EXPECTED = ["answer", "decline", "handoff"] as const;
export const VERDICTS = ["right", "wrong", "unknown"] as const;

/** A requirement is a line; its alternatives are separated by "|". */
export const splitRequirements = (text: string): string[][] =>
  splitLines(text)
    .map((line) =>
      line
        .split("|")
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .filter((alternatives) => alternatives.length > 0);

export const joinRequirements = (requirements: readonly (readonly string[])[]): string =>
  requirements.map((alternatives) => alternatives.join(" | ")).join("\n");

export const splitLines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

export const isActive = (run: TestRun): boolean => run.state === "waiting" || run.state === "running";

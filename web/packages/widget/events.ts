/** The names of the widget's events. What each one is about is in `ParleyEvents`. */
import type { ParleyEvent } from "./parley.js";

export const EVENTS = [
  "ready",
  "open",
  "close",
  "message",
  "unread",
  "handoff",
  "accepted",
  "closed",
  "rating",
] as const satisfies readonly ParleyEvent[];

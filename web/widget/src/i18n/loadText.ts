/** Loads a part of the widget that only some visitors need. */

import { send } from "../../../shared/http";

const TIMEOUT_MS = 4000;

/** The file's text; empty when it cannot be loaded. */
export async function loadText(url: string): Promise<string> {
  try {
    const response = await send(url, {}, TIMEOUT_MS);
    return response.ok ? await response.text() : "";
  } catch {
    return "";
  }
}

/** What the administration's screens share: something fetched, with its waiting and its failing; and form fields. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, ask, sentence } from "../api/http";
import { LoggedOut } from "../api/session";
import { toast } from "../state/toasts";

export interface Fetched<T> {
  value: T | undefined;
  problem: string;
  reload: () => Promise<void>;
  set: (value: T) => void;
}

/** Fetches a path now and whenever it changes. An answer to a path that is no longer asked for is thrown away. */
export function useFetched<T>(path: string | null): Fetched<T> {
  const value = useSignal<T | undefined>(undefined);
  const problem = useSignal("");
  const wanted = useSignal(path);
  wanted.value = path;
  const reload = async () => {
    if (!path) return;
    try {
      const answer = await ask<T>(path);
      if (wanted.peek() !== path) return;
      value.value = answer;
      problem.value = "";
    } catch (reason) {
      if (!(reason instanceof LoggedOut) && wanted.peek() === path) problem.value = sentence(reason);
    }
  };
  useEffect(() => {
    value.value = undefined;
    void reload();
  }, [path]);
  return { value: value.value, problem: problem.value, reload, set: (after) => (value.value = after) };
}

/** Saves a form: says that it went well, or puts each complaint beside its field. */
export async function submit(
  busy: Signal<boolean>,
  errors: Signal<Record<string, string>>,
  work: () => Promise<unknown>,
  done: string,
): Promise<boolean> {
  if (busy.value) return false;
  busy.value = true;
  errors.value = {};
  try {
    await work();
    if (done) toast(done);
    return true;
  } catch (reason) {
    if (reason instanceof ApiError && Object.keys(reason.fields).length) {
      errors.value = Object.fromEntries(
        Object.entries(reason.fields).map(([name, why]) => [name.split(".")[0], why]),
      );
      toast("Please look at the marked fields.", "bad");
    } else if (!(reason instanceof LoggedOut)) {
      toast(sentence(reason), "bad");
    }
    return false;
  } finally {
    busy.value = false;
  }
}

export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied.`);
  } catch {
    toast("Copying is not allowed here: select the text and copy it yourself.", "bad");
  }
}

/** Data that a page fetches when it opens, with its loading and its error state. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { LoggedOut } from "../session/session";
import { errorMessage } from "./client";

export interface FetchState<T> {
  /** Undefined while it is loading. */
  value: T | undefined;
  error: string;
  reload: () => Promise<void>;
  set: (value: T) => void;
}

/** Fetches now and whenever `key` changes. A response for an earlier key is discarded. */
export function useFetch<T>(key: string, fetchValue: () => Promise<T>): FetchState<T> {
  const value = useSignal<T | undefined>(undefined);
  const error = useSignal("");
  const current = useSignal(key);
  current.value = key;
  const reload = async () => {
    try {
      const fetched = await fetchValue();
      if (current.peek() !== key) return;
      value.value = fetched;
      error.value = "";
    } catch (caught) {
      if (!(caught instanceof LoggedOut) && current.peek() === key) error.value = errorMessage(caught);
    }
  };
  useEffect(() => {
    value.value = undefined;
    void reload();
  }, [key]);
  return { value: value.value, error: error.value, reload, set: (changed) => (value.value = changed) };
}

interface Page<T> {
  items: T[];
  nextCursor: string | null | undefined;
}

export interface PagedFetchState<T> {
  /** Undefined while the first page is loading. */
  items: T[] | undefined;
  error: string;
  reload: () => Promise<void>;
  /** Fetches the next page; undefined when there is none. */
  loadMore: (() => Promise<void>) | undefined;
}

/** Like useFetch, for a list that comes in pages. `fetchPage` is given null for the first page. */
export function usePagedFetch<T>(
  key: string,
  fetchPage: (cursor: string | null) => Promise<Page<T>>,
): PagedFetchState<T> {
  const fetched = useFetch(key, () => fetchPage(null));
  const page = fetched.value;
  const loadMore = async () => {
    if (!page?.nextCursor) return;
    const next = await fetchPage(page.nextCursor);
    fetched.set({ ...next, items: [...page.items, ...next.items] });
  };
  return {
    items: page?.items,
    error: fetched.error,
    reload: fetched.reload,
    loadMore: page?.nextCursor ? loadMore : undefined,
  };
}

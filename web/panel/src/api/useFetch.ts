/** Data that a page fetches when it opens, with its loading and its error state. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { LoggedOut } from "../session/session";
import { errorMessage } from "./client";
import type { Page } from "./pages";

interface FetchState<T> {
  /** Undefined while it is loading. */
  value: T | undefined;
  error: string;
  reload: () => Promise<void>;
  set: (value: T) => void;
}

/** Fetches now and whenever `key` changes. A response to an earlier fetch is discarded. */
export function useFetch<T>(key: string, fetchValue: () => Promise<T>): FetchState<T> {
  const value = useSignal<T | undefined>(undefined);
  const error = useSignal("");
  const latest = useRef({ key, fetches: 0 });
  latest.current.key = key;
  const reload = async () => {
    if (latest.current.key !== key) return;
    latest.current.fetches += 1;
    const { fetches } = latest.current;
    const isCurrent = () => latest.current.key === key && latest.current.fetches === fetches;
    try {
      const fetched = await fetchValue();
      if (!isCurrent()) return;
      value.value = fetched;
      error.value = "";
    } catch (caught) {
      if (!(caught instanceof LoggedOut) && isCurrent()) error.value = errorMessage(caught);
    }
  };
  useEffect(() => {
    value.value = undefined;
    error.value = "";
    void reload();
  }, [key]);
  return { value: value.value, error: error.value, reload, set: (changed) => (value.value = changed) };
}

interface PagedFetchState<T> {
  /** Undefined while the first page is loading. */
  items: T[] | undefined;
  error: string;
  reload: () => Promise<void>;
  /** Fetches the next page; undefined when there is none. Throws ApiError, LoggedOut. */
  loadMore: (() => Promise<void>) | undefined;
}

/** Like useFetch, for a list that comes in pages. `fetchPage` is given null for the first page. */
export function usePagedFetch<T>(
  key: string,
  fetchPage: (cursor: string | null) => Promise<Page<T>>,
): PagedFetchState<T> {
  const fetched = useFetch(key, () => fetchPage(null));
  const page = fetched.value;
  const shown = useRef(page);
  shown.current = page;
  const loadMore = async () => {
    if (!page?.nextCursor) return;
    const next = await fetchPage(page.nextCursor);
    // Otherwise the list was fetched again, or another one, or this page has been added already.
    if (shown.current === page) fetched.set({ ...next, items: [...page.items, ...next.items] });
  };
  return {
    items: page?.items,
    error: fetched.error,
    reload: fetched.reload,
    loadMore: page?.nextCursor ? loadMore : undefined,
  };
}

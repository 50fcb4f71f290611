/** Components whose code and texts are loaded when they are first shown. */

import { signal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { loadPageTexts, t } from "../i18n/i18n";
import { EmptyState, Spinner } from "./display";

/**
 * A component that shows a spinner until its code is there. When that fails, the page has to be loaded again: after an
 * upgrade of the server, an open page asks for files that are no longer there.
 */
export function lazy<P extends object>(load: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
  const loaded = signal<{ component: FunctionComponent<P> } | null>(null);
  const failed = signal(false);
  const start = () => {
    Promise.all([load(), loadPageTexts()]).then(
      ([component]) => {
        loaded.value = { component };
      },
      () => {
        failed.value = true;
      },
    );
  };
  return function Lazy(props: P) {
    useEffect(() => {
      if (!loaded.value) start();
    }, []);
    if (loaded.value) {
      const Component = loaded.value.component;
      return <Component {...props} />;
    }
    if (!failed.value) return <Spinner />;
    return (
      <EmptyState icon="offline" title={t("common.pageFailed")}>
        <button type="button" class="button" onClick={() => location.reload()}>
          {t("common.reload")}
        </button>
      </EmptyState>
    );
  };
}

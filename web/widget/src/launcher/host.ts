/** Keeps the widget's element on pages that replace their body or empty it (Turbo, htmx, Astro). */

/** A page that removes the widget again and again does not want it. */
const MAX_RETURNS = 1000;

/** Attaches the element, and again when the page removes it, until the signal is aborted. */
export function keepAttached(host: HTMLElement, stopped: AbortSignal): void {
  let returns = 0;
  const observer = new MutationObserver(() => attach());
  const attach = () => {
    if (!host.isConnected) {
      returns += 1;
      if (returns > MAX_RETURNS) return observer.disconnect();
      document.body?.append(host);
    }
    // The elements may be others than before; to observe one again changes nothing.
    for (const node of [document, document.documentElement, document.body]) {
      if (node) observer.observe(node, { childList: true });
    }
  };
  attach();
  stopped.addEventListener("abort", () => {
    observer.disconnect();
    host.remove();
  });
}

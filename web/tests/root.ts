/** Where a test renders. Renders immediately, as the browser does before the next key. */
import { options, render } from "preact";
import { afterEach, beforeEach } from "vitest";
import { logIn } from "./sessions";

/** For every test of a file: an operator who is logged in, empty storage, and an element of its own on the page. */
export function useRoot(): { root: HTMLElement } {
  const page = { root: document.body };
  const { debounceRendering } = options;
  beforeEach(() => {
    localStorage.clear();
    sessionStorage.clear();
    logIn();
    page.root = document.body.appendChild(document.createElement("div"));
    options.debounceRendering = (work) => work();
  });
  afterEach(() => {
    render(null, page.root);
    page.root.remove();
    if (debounceRendering) options.debounceRendering = debounceRendering;
    else delete options.debounceRendering;
  });
  return page;
}

/** A form with unsaved changes is left only when the operator says so. */
import { h, render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { settle } from "./fakeServer";

let root: HTMLElement;

beforeEach(() => {
  location.hash = "#/sites/1/assistant";
  vi.resetModules();
  root = document.body.appendChild(document.createElement("div"));
});

afterEach(() => {
  render(null, root);
  root.remove();
});

async function openForm(isChanged: boolean) {
  const [{ useUnsavedChanges }, navigation, toasts] = await Promise.all([
    import("../panel/src/navigation/unsavedChanges"),
    import("../panel/src/navigation/route"),
    import("../panel/src/components/toasts"),
  ]);
  function Form() {
    useUnsavedChanges(isChanged);
    return null;
  }
  await act(() => render(h(Form, {}), root));
  return { ...navigation, toasts };
}

test("leaving is refused, then confirmed", async () => {
  const { navigate, route, toasts } = await openForm(true);
  navigate("chats");
  expect(route.value.page).toBe("sites");
  expect(location.hash).toBe("#/sites/1/assistant");
  toasts.pendingConfirmation.value?.resolve(false);
  await settle();
  expect(route.value.page).toBe("sites");
  navigate("chats");
  toasts.pendingConfirmation.value?.resolve(true);
  await settle();
  expect(route.value.page).toBe("chats");
  expect(location.hash).toBe("#/chats");
});

test("a reload asks too", async () => {
  await openForm(true);
  const event = new Event("beforeunload", { cancelable: true });
  dispatchEvent(event);
  expect(event.defaultPrevented).toBe(true);
});

test("without changes a page is left immediately", async () => {
  const { navigate, route } = await openForm(false);
  navigate("chats", 50);
  expect(route.value).toEqual({ page: "chats", conversation: 50 });
});

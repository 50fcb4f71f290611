/** Parts of the chat window that are loaded later: a visitor is not stuck when one cannot be loaded. */
import { render } from "preact";
import { expect, test, vi } from "vitest";
import { lazyPart } from "../widget/src/lazyPart";

test("a part that could not be loaded says so, and is loaded when the visitor tries again", async () => {
  const root = document.createElement("div");
  const load = vi.fn<() => Promise<() => preact.JSX.Element>>();
  load.mockRejectedValueOnce(new TypeError("Failed to fetch dynamically imported module"));
  load.mockResolvedValueOnce(() => <form>Your name</form>);
  const Form = lazyPart(load);
  render(<Form />, root);
  expect(root.textContent).toBe("");
  await vi.waitFor(() => expect(root.querySelector("[role=alert]")?.textContent).toContain("Try again"));
  expect(load, "not by itself without end").toHaveBeenCalledTimes(1);
  root.querySelector("button")?.click();
  await vi.waitFor(() => expect(root.innerHTML).toBe("<form>Your name</form>"));
  render(null, root);
});

test("a part that is displayed again is loaded again after a failure, and only once otherwise", async () => {
  const load = vi.fn<() => Promise<() => preact.JSX.Element>>();
  load.mockRejectedValueOnce(new TypeError("Failed to fetch dynamically imported module"));
  load.mockResolvedValue(() => <form>Your name</form>);
  const Form = lazyPart(load);
  const root = document.createElement("div");
  render(<Form />, root);
  await vi.waitFor(() => expect(root.querySelector("button")).not.toBeNull());
  render(null, root);
  render([<Form key="a" />, <Form key="b" />], root);
  await vi.waitFor(() => expect(root.querySelectorAll("form")).toHaveLength(2));
  expect(load).toHaveBeenCalledTimes(2);
});

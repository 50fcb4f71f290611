/** The assistant's form shows why the AI does not answer, and does not send that back. */
import { h, render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, expect, test } from "vitest";
import { ChatbotForm } from "../panel/src/sites/chatbotForm";
import { FakeServer, json, settle } from "./fakeServer";
import { logIn } from "./sessions";

const CHATBOT = {
  name: "Shop",
  welcome: "Hello",
  colours: { primary: "#000000", background: "#ffffff" },
  engine: "openai",
  model: null,
  instructions: "",
  operator_timeout: 300,
  on_timeout: "queue",
  routing: "all",
  offline_message: "",
  private_push: false,
  hours: null,
  translation: { glossary: [], engines: [], daily_characters: null },
  ai: { base_url: null, api_key_set: true, temperature: null, seconds: null },
  files: { enabled_for_visitors: true, kinds: [], max_bytes: null, expire_days: null },
  last_error: {
    code: "key_refused",
    message: "The endpoint refused the API key.",
    at: "2026-01-01T12:00:00Z",
  },
};

beforeEach(() => logIn());

test("the last error of the AI", async () => {
  const server = new FakeServer();
  server.on("GET", "/sites/1/chatbot", () => json({ chatbot: CHATBOT }));
  server.on("PUT", "/sites/1/chatbot", () => json({ chatbot: { ...CHATBOT, last_error: null } }));
  const root = document.body.appendChild(document.createElement("div"));
  await act(() => render(h(ChatbotForm, { siteId: 1 }), root));
  await act(() => settle());
  expect(root.querySelector(".notice-error")?.textContent).toContain("The endpoint refused the API key.");
  root.querySelector("form")?.dispatchEvent(new Event("submit", { cancelable: true }));
  await act(() => settle());
  expect(server.to("PUT", "/sites/1/chatbot")[0]?.body).not.toHaveProperty("last_error");
  expect(root.querySelector(".notice-error")).toBeNull();
  render(null, root);
});

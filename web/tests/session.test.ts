/** The session: one refresh at a time, and a logout only when the server says so. */
import { beforeEach, expect, test, vi } from "vitest";
import { FakeServer, failure, json, networkError } from "./fakeServer";
import { logIn } from "./sessions";

type Session = typeof import("../panel/src/session/session");

let server: FakeServer;
let module: Session;

beforeEach(async () => {
  localStorage.clear();
  logIn();
  vi.resetModules();
  server = new FakeServer();
  module = await import("../panel/src/session/session");
});

const RENEWED = {
  token: "new",
  expires_in: 3600,
  refresh_token: "next",
  user: { id: 7, name: "Alex", email: "alex@example.test", language: "en", owner: true, sites: {} },
};
const renewed = () => json(RENEWED);

test("concurrent requests share one refresh", async () => {
  server.on("POST", "/auth/refresh", renewed);
  await Promise.all([module.session.refresh(), module.session.refresh()]);
  expect(server.to("POST", "/auth/refresh").map(({ body }) => body)).toEqual([
    { refresh_token: "refresh-7" },
  ]);
  expect(await module.session.token()).toBe("new");
});

test("a token that another tab has refreshed is taken over", async () => {
  const stored = JSON.parse(localStorage.getItem("parley.session") ?? "{}");
  localStorage.setItem("parley.session", JSON.stringify({ ...stored, token: "by another tab" }));
  await module.session.refresh();
  expect(await module.session.token()).toBe("by another tab");
  expect(server.requests).toEqual([]);
});

test("a refused refresh logs out and says why", async () => {
  server.on("POST", "/auth/refresh", () => failure(401, "token_revoked"));
  await expect(module.session.refresh()).rejects.toThrow(module.LoggedOut);
  expect(module.me.value).toBeNull();
  expect(module.logoutReason.value).toBe("Session expired. Your drafts are saved.");
});

test("a server that is unavailable does not log out", async () => {
  server.on("POST", "/auth/refresh", () => failure(503, "unavailable"));
  await expect(module.session.refresh()).rejects.toMatchObject({ status: 503, code: "unavailable" });
  expect(module.me.value?.id).toBe(7);
});

test("a network that is away does not log out, and is named", async () => {
  server.on("POST", "/auth/refresh", networkError);
  const { errorMessage } = await import("../panel/src/api/client");
  const error = await module.session.refresh().catch((caught: unknown) => caught);
  expect(errorMessage(error)).toContain("reach the server");
  expect(module.me.value?.id).toBe(7);
});

test("an answer that is older than what another tab stored is not kept", async () => {
  server.on("POST", "/auth/refresh", () => {
    const stored = JSON.parse(localStorage.getItem("parley.session") ?? "{}");
    const newer = { ...stored, token: "newer", refreshToken: "newer refresh" };
    localStorage.setItem("parley.session", JSON.stringify(newer));
    return renewed();
  });
  await module.session.refresh();
  expect(await module.session.token()).toBe("newer");
  expect(JSON.parse(localStorage.getItem("parley.session") ?? "{}").refreshToken).toBe("newer refresh");
});

test("a token of a short life is refreshed at half of it, not with every request", async () => {
  server.on("POST", "/auth/refresh", () => json({ ...RENEWED, expires_in: 30 }));
  await module.session.refresh();
  await module.session.token();
  await module.session.token();
  expect(server.to("POST", "/auth/refresh")).toHaveLength(1);
});

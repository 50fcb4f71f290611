/** Whether the operator is online, as the panel shows it. */
import { beforeEach, expect, test, vi } from "vitest";
import { FakeServer, json, settle } from "./fakeServer";
import { logIn } from "./sessions";

beforeEach(() => {
  localStorage.clear();
  logIn();
  vi.resetModules();
});

test("an event that arrives during the first fetch is not overwritten by it", async () => {
  const server = new FakeServer();
  let respond: (response: Response) => void = () => undefined;
  server.on("GET", "/operator/status", () => new Promise((resolve) => (respond = resolve)));
  const { applyPresenceEvent, loadOwnStatus, onlineBySite } = await import("../panel/src/visitors/presence");
  const loading = loadOwnStatus();
  await settle();
  const event = { id: "1", type: "operator.online", site_id: 1, at: "", data: { operator_id: 7 } };
  applyPresenceEvent({ ...event, conversation_id: null } as never, 7);
  const sites = [1, 2].map((site_id) => ({ site_id, online: false, until: null }));
  respond(json({ online: false, sites }));
  await loading;
  expect([...onlineBySite.value]).toEqual([
    [1, true],
    [2, false],
  ]);
});

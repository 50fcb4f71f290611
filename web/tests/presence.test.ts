/** Who is online, as the panel shows it: the operator, and the visitors. */
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

test("visitors who come or go during the fetch of all of them are shown as they are then", async () => {
  const server = new FakeServer();
  let respond: (response: Response) => void = () => undefined;
  server.on("GET", "/operator/all-online-visitors", () => new Promise((resolve) => (respond = resolve)));
  const presence = await import("../panel/src/visitors/presence");
  const visitor = (session_id: string) => ({ site_id: 1, session_id, page: null }) as never;
  const change = (type: string, id: string) =>
    presence.applyPresenceEvent(
      { id: "1", type, site_id: 1, conversation_id: null, at: "", data: { visitor: visitor(id) } },
      7,
    );
  change("visitor.online", "leaves");
  const loading = presence.loadOnlineVisitors();
  await settle();
  change("visitor.offline", "leaves");
  change("visitor.online", "comes");
  respond(json({ visitors: [visitor("leaves"), visitor("stays")], next_cursor: null }));
  await loading;
  expect([...presence.onlineVisitors.value.keys()].sort()).toEqual(["1/comes", "1/stays"]);
});

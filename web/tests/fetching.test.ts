/** What a page fetches: the newest answer counts, and what cannot be fetched is shown. */
import { h, render } from "preact";
import { beforeEach, expect, test, vi } from "vitest";
import { FakeServer, failure, json, settle } from "./fakeServer";
import { useRoot } from "./root";

const view = useRoot();
let server: FakeServer;

beforeEach(() => {
  vi.resetModules();
  server = new FakeServer();
});

/** A list of the API in pages, each answered when the test says so. */
function serveList() {
  const answers: ((response: Response) => void)[] = [];
  server.on("GET", "/audit", () => new Promise((resolve) => answers.push(resolve)));
  const answer = async (names: string[], next: string | null = null) => {
    answers.shift()?.(json({ entries: names, next_cursor: next }));
    await settle();
  };
  const refuse = async (status: number, code: string) => {
    answers.shift()?.(failure(status, code));
    await settle();
  };
  return { answer, refuse };
}

/** A component that shows the list of a site. */
async function loadList() {
  const [{ usePagedFetch }, { LoadMoreButton }, { FetchError }, { toasts }, { api }] = await Promise.all([
    import("../panel/src/api/useFetch"),
    import("../panel/src/components/display"),
    import("../panel/src/components/fetchError"),
    import("../panel/src/components/toasts"),
    import("../panel/src/api/client"),
  ]);
  let reload: () => Promise<void> = async () => undefined;
  const List = ({ site }: { site: number }) => {
    const fetched = usePagedFetch(`list/${site}`, async (cursor) => {
      const page = await api.get("/audit", { query: { site_id: site, cursor } });
      return { items: page.entries as unknown as string[], nextCursor: page.next_cursor };
    });
    reload = fetched.reload;
    const items = fetched.error
      ? h(FetchError, { fetched })
      : h("p", {}, fetched.items?.join(" ") ?? "loading");
    return h("div", {}, items, h(LoadMoreButton, { onClick: fetched.loadMore }));
  };
  return {
    show: async (site: number) => {
      render(h(List, { site }), view.root);
      const sites = () => server.requests.map(({ url }) => url.searchParams.get("site_id"));
      await vi.waitFor(() => expect(sites()).toContain(String(site)));
    },
    reload: () => void reload(),
    /** The button that tries again, or fetches the next page. */
    press: async () => {
      const before = server.requests.length;
      view.root.querySelector("button")?.click();
      await vi.waitFor(() => expect(server.requests.length).toBeGreaterThan(before));
    },
    shown: () => view.root.querySelector("p")?.textContent,
    shows: (text: string) => vi.waitFor(() => expect(view.root.querySelector("p")?.textContent).toBe(text)),
    toasts: () => toasts.value.map(({ tone, text }) => [tone, text]),
  };
}

test("of two overlapping fetches the later one counts, whichever is answered first", async () => {
  const { answer } = serveList();
  const list = await loadList();
  await list.show(1);
  list.reload();
  await vi.waitFor(() => expect(server.requests).toHaveLength(2));
  const [first, second] = [["old"], ["new"]];
  await answer(first);
  expect(list.shown()).toBe("loading");
  await answer(second);
  await list.shows("new");
});

test("a page that cannot be fetched is reported, and the list stays", async () => {
  const { answer, refuse } = serveList();
  const list = await loadList();
  await list.show(1);
  await answer(["a"], "next");
  await list.shows("a");
  await list.press();
  await refuse(503, "unavailable");
  await vi.waitFor(() => expect(list.toasts()).toHaveLength(1));
  expect(list.shown()).toBe("a");
  expect(list.toasts()).toMatchObject([["error", expect.any(String)]]);
  await list.press();
  await answer(["b"]);
  await list.shows("a b");
});

test("a list that could not be fetched is fetched again on request", async () => {
  const { answer, refuse } = serveList();
  const list = await loadList();
  await list.show(1);
  await refuse(503, "unavailable");
  await vi.waitFor(() => expect(view.root.querySelector("[role=alert]")?.textContent).toContain("Try again"));
  await list.press();
  await answer(["a"]);
  await list.shows("a");
});

test("a page of the list before is not added to another list", async () => {
  const { answer } = serveList();
  const list = await loadList();
  await list.show(1);
  await answer(["a"], "next");
  await list.shows("a");
  await list.press();
  await list.show(2);
  await answer(["b"]);
  // An effect that changes a signal runs twice where rendering is not delayed: the later fetch counts.
  await answer(["c"]);
  await answer(["c"]);
  await list.shows("c");
});

test("an error of the list before is not shown for another one", async () => {
  const { refuse } = serveList();
  const list = await loadList();
  await list.show(1);
  await refuse(403, "forbidden");
  await vi.waitFor(() => expect(list.shown()).not.toBe("loading"));
  await list.show(2);
  expect(list.shown()).toBe("loading");
});

test("all sites are known, however many pages they are", async () => {
  const pages: Record<string, object> = {
    "": { sites: [{ id: 1, name: "Shop" }], next_cursor: "2" },
    "2": { sites: [{ id: 2, name: "Blog" }], next_cursor: null },
  };
  server.on("GET", "/auth/me", () => json({ user: { id: 7, sites: { 2: ["can_chat"] }, tenant: {} } }));
  server.on("GET", "/sites", ({ url }) => json(pages[url.searchParams.get("cursor") ?? ""] ?? {}));
  const { loadSites, sites } = await import("../panel/src/sites/sites");
  await loadSites();
  expect(sites.value.map(({ name, permissions }) => [name, permissions])).toEqual([
    ["Shop", []],
    ["Blog", ["can_chat"]],
  ]);
});

test("a server that cannot say whether there is a copilot is not asked with every key", async () => {
  server.on("GET", "/sites/1/copilot", () => failure(503, "unavailable"));
  const { isCopilotAvailable } = await import("../panel/src/copilot/copilot");
  for (let key = 0; key < 5; key += 1) {
    expect(isCopilotAvailable(1)).toBe(false);
    await settle();
  }
  expect(server.to("GET", "/sites/1/copilot")).toHaveLength(1);
});

test("a source whose URL is a script is no link", async () => {
  const [{ MessageItem }, { buildConversation, buildMessage }] = await Promise.all([
    import("../panel/src/conversation/messages"),
    import("./builders"),
  ]);
  const sources = [
    { title: "Returns", url: "https://shop.example/returns" },
    { title: "Prices", url: "javascript:alert(1)" },
  ];
  const message = buildMessage(1, { role: "ai", content: "Within 30 days.", sources: sources as never });
  const props = { message, conversation: buildConversation(), name: "Dana", isFollowUp: false };
  render(h(MessageItem, props), view.root);
  const links = [...view.root.querySelectorAll(".message-sources a")].map((link) =>
    link.getAttribute("href"),
  );
  expect(links).toEqual(["https://shop.example/returns"]);
  expect(view.root.querySelector(".message-sources")?.textContent).toContain("Prices");
});

/** The command bar and the shortcuts: how entries are found and ranked, and when a key runs an action. */
import { h, render } from "preact";
import { act } from "preact/test-utils";
import { describe, expect, test, vi } from "vitest";
import { COMMANDS, type CommandId } from "../panel/src/commands/catalogue";
import { Matcher, rankEntry, type Searchable } from "../panel/src/commands/match";
import { t } from "../panel/src/i18n/i18n";
import { buildConversation } from "./builders";
import { FakeServer, json, settle } from "./fakeServer";
import { useRoot } from "./root";

const CHATS = 2000;

const find = (entries: Searchable[], query: string, recent: string[] = []): string[] =>
  new Matcher(entries, recent).search(query).map(({ entry }) => entry.label);

const named = (...labels: string[]): Searchable[] => labels.map((label) => ({ id: label, label }));

describe("the matcher", () => {
  test("ranks the start of the label before the start of a word, a keyword, an inner part, scattered letters", () => {
    const entries = [
      ...named("strange", "Go to the range", "A site ran", "rainbow a night", "Random"),
      { id: "k", label: "Figures", keywords: "range" },
    ];
    expect(find(entries, "ran")).toEqual([
      "Random",
      "Go to the range",
      "A site ran",
      "Figures",
      "strange",
      "rainbow a night",
    ]);
  });

  test("finds every word of the query, in any order, without accents and case", () => {
    const entries = named("Chat schließen", "José Álvarez", "Ελένη Παππάς", "北京市の店");
    expect(find(entries, "alv jose")).toEqual(["José Álvarez"]);
    expect(find(entries, "ΠΑΠΠΑΣ")).toEqual(["Ελένη Παππάς"]);
    expect(find(entries, "京市")).toEqual(["北京市の店"]);
    expect(find(entries, "jose x")).toEqual([]);
  });

  test("puts what was chosen last first among equal matches, then the more important and the newest", () => {
    const entries = [
      { id: "old", label: "Ann Old", at: 1 },
      { id: "new", label: "Ann New", at: 2 },
      { id: "mine", label: "Ann Mine", at: 1, priority: 2 },
      { id: "used", label: "Ann Used", at: 0 },
    ];
    expect(find(entries, "ann", ["used"])).toEqual(["Ann Used", "Ann Mine", "Ann New", "Ann Old"]);
  });

  test("with 2000 chats reads each text once, and with each further letter only what still matches", () => {
    let textsRead = 0;
    const entries = Array.from({ length: CHATS }, (_, number) => ({
      id: String(number),
      get label() {
        textsRead += 1;
        return number % 20 === 0 ? `Maria ${number}` : `Visitor ${number}`;
      },
    }));
    const rank = vi.fn(rankEntry);
    const matcher = new Matcher(entries, [], rank);
    const compared = ["m", "ma", "mar", "maria 4"].map((query) => {
      rank.mockClear();
      matcher.search(query);
      return rank.mock.calls.length;
    });
    expect(textsRead).toBe(CHATS);
    expect(compared).toEqual([CHATS, CHATS / 20, CHATS / 20, CHATS / 20]);
    rank.mockClear();
    matcher.search("v");
    expect(rank).toHaveBeenCalledTimes(CHATS);
  });
});

/** Keys with a modifier that browsers or screen readers use on Windows, macOS or Linux. Ctrl+K is the bar's own. */
const RESERVED =
  /^(Mod\+(?!k$)|Alt\+[a-z0-9]$|Alt\+(ArrowLeft|ArrowRight|Home|F4|Tab)$|F\d+$|Tab$|Enter$|Escape$|Space$)/;

describe("the catalogue", () => {
  const shortcuts = Object.entries(COMMANDS).flatMap(([id, { keys }]) => keys.map((key) => ({ id, key })));

  test("gives every action a shortcut, and no shortcut to two actions", () => {
    expect(Object.entries(COMMANDS).filter(([, { keys }]) => keys.length === 0)).toEqual([]);
    const used = shortcuts.map(({ key }) => key);
    expect(used.filter((key, index) => used.indexOf(key) !== index)).toEqual([]);
    // A key that begins a sequence would never run an action of its own.
    const prefixes = used.filter((key) => key.includes(" ")).map((key) => key.split(" ")[0]);
    expect(used.filter((key) => prefixes.includes(key))).toEqual([]);
  });

  test("uses no keys of browsers and screen readers", () => {
    expect(shortcuts.filter(({ key }) => key.split(" ").some((stroke) => RESERVED.test(stroke)))).toEqual([]);
  });

  test("labels every action differently", () => {
    const labels = Object.values(COMMANDS).map(({ label }) => t(label));
    expect(new Set(labels).size).toBe(labels.length);
  });
});

const view = useRoot();

async function loadPage() {
  vi.resetModules();
  const [registry, preferences, bar, conversations, { sites }, dialog] = await Promise.all([
    import("../panel/src/commands/registry"),
    import("../panel/src/settings/preferences"),
    import("../panel/src/commands/commandBar"),
    import("../panel/src/inbox/conversations"),
    import("../panel/src/sites/sites"),
    import("../panel/src/commands/shortcutsDialog"),
  ]);
  sites.value = [{ id: 1, name: "Shop", domains: [], permissions: ["can_chat", "can_manage"] } as never];
  return { registry, preferences, bar, conversations, dialog };
}

function press(key: string, init: KeyboardEventInit = {}, target: EventTarget = document.body): void {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init }));
}

describe("shortcuts", () => {
  async function bound(...ids: CommandId[]) {
    const page = await loadPage();
    const ran: string[] = [];
    const stopProviding = page.registry.provideActions(
      Object.fromEntries(ids.map((id) => [id, () => ran.push(id)])) as never,
    );
    const unbind = page.registry.bindShortcuts();
    return { ...page, ran, stopProviding, unbind };
  }

  test("run what is provided, by one key, two keys, a shifted key and a key of another alphabet", async () => {
    const { ran, unbind, stopProviding } = await bound(
      "chat.accept",
      "go.team",
      "chat.translate",
      "chat.note",
    );
    press("a");
    press("g");
    press("t");
    press("L", { shiftKey: true });
    press("т", { code: "KeyN" });
    press("t");
    expect(ran).toEqual(["chat.accept", "go.team", "chat.translate", "chat.note"]);
    stopProviding();
    press("a");
    expect(ran).toHaveLength(4);
    unbind();
  });

  test("do not run while the operator types, unless they have a modifier", async () => {
    const { ran, unbind } = await bound("chat.accept", "commands.open", "inbox.next");
    const field = view.root.appendChild(document.createElement("textarea"));
    press("a", {}, field);
    press("k", { ctrlKey: true }, field);
    press("ArrowDown", { altKey: true }, field);
    press("k", { ctrlKey: true, isComposing: true }, field);
    expect(ran).toEqual(["commands.open", "inbox.next"]);
    unbind();
  });

  test("without a modifier do not run when the operator has turned single keys off", async () => {
    const { ran, unbind, preferences } = await bound("chat.accept", "commands.open", "go.team");
    preferences.singleKeyShortcuts.value = false;
    press("a");
    press("g");
    press("t");
    press("k", { ctrlKey: true });
    expect(ran).toEqual(["commands.open"]);
    preferences.singleKeyShortcuts.value = true;
    unbind();
  });

  test("of two providers of an action the later one counts until it is gone", async () => {
    const { ran, unbind, registry } = await bound("chat.accept");
    const stop = registry.provideActions({ "chat.accept": () => ran.push("later") });
    press("a");
    stop();
    press("a");
    expect(ran).toEqual(["later", "chat.accept"]);
    unbind();
  });

  test("are all in the list of shortcuts, once", async () => {
    const { dialog, unbind } = await bound();
    const listed = dialog.listShortcuts().flatMap(({ shortcuts }) => shortcuts.flatMap(({ keys }) => keys));
    const defined = Object.values(COMMANDS).flatMap(({ keys }) => keys);
    expect(listed.filter((key) => defined.includes(key)).sort()).toEqual([...defined].sort());
    unbind();
  });
});

describe("the command bar", () => {
  async function open() {
    const server = new FakeServer();
    server.on("GET", "/canned-replies", () =>
      json({
        canned_replies: [{ id: 3, shortcut: "moment", text: "One moment", use_count: 1, site_id: null }],
      }),
    );
    server.on("GET", "/team", () =>
      json({ team: [{ id: 9, name: "Sam Carter", email: "sam@shop.test" }], next_cursor: null }),
    );
    const page = await loadPage();
    const ran: string[] = [];
    page.registry.provideActions({
      "chat.close": () => ran.push("close"),
      "go.team": () => ran.push("team"),
    });
    page.conversations.mergeConversations(
      Array.from({ length: CHATS }, (_, id) => buildConversation({ id, mode: "pending", operator: null })),
    );
    page.registry.commandBarOpen.value = true;
    await act(() => render(h(page.bar.CommandBar, {}), view.root));
    await act(settle);
    return { ...page, ran };
  }

  const input = () => view.root.querySelector("input") as HTMLInputElement;
  const options = () => [...view.root.querySelectorAll('[role="option"]')];
  const selected = () => view.root.querySelector('[aria-selected="true"]');
  const type = (text: string) =>
    act(() => {
      input().value = text;
      input().dispatchEvent(new InputEvent("input", { bubbles: true }));
    });

  test("shows few of 2000 chats, and what the letters select with its shortcut", async () => {
    await open();
    expect(options().length).toBeLessThan(60);
    await type("clo");
    expect(selected()?.textContent).toBe("Close chate");
    expect(input().getAttribute("aria-activedescendant")).toBe(selected()?.id);
    await type("sam");
    expect(selected()?.textContent).toContain("Sam Carter");
    await type("/mom");
    expect(selected()?.textContent).toContain("One moment");
    await type("shop know");
    expect(selected()?.textContent).toBe("ShopKnowledge");
  });

  test("moves with the arrow keys around the ends, and Enter closes it before it runs", async () => {
    const { ran, registry } = await open();
    await type("te");
    const first = selected()?.id;
    await act(() => press("ArrowUp", {}, input()));
    expect(selected()).toBe(options().at(-1));
    await act(() => press("ArrowDown", {}, input()));
    expect(selected()?.id).toBe(first);
    await type("team");
    await act(() => press("Enter", {}, input()));
    expect(ran).toEqual(["team"]);
    expect(registry.commandBarOpen.value).toBe(false);
    expect(input()).toBeNull();
  });

  test("remembers what was chosen", async () => {
    const { registry } = await open();
    await type("team");
    await act(() => press("Enter", {}, input()));
    await act(() => {
      registry.commandBarOpen.value = true;
    });
    expect(view.root.querySelector('[role="group"]')?.textContent).toContain("Recently usedTeam");
  });
});

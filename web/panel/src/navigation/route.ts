/** Which page is open. It is part of the URL, so that back, reload and a shared link work as expected. */
import { computed, signal } from "@preact/signals";
import { confirmLeaving, hasUnsavedChanges } from "./unsavedChanges";

export type Route =
  | { page: "chats"; conversation: number | undefined; entry: string | undefined }
  | { page: "visitors" }
  | { page: "sites"; site: number | undefined; tab: string }
  | { page: "setup" }
  | { page: "team" }
  | { page: "ratings"; site: number | undefined }
  | { page: "archive"; view: number | undefined }
  | { page: "reports" }
  | { page: "search" }
  | { page: "audit" }
  | { page: "settings"; section: string | undefined };

const hash = signal(location.hash);

addEventListener("hashchange", () => void follow());

/** Shows the page that the URL names. A page with unsaved changes stays until the operator agrees to leave it. */
async function follow(): Promise<void> {
  const target = location.hash;
  if (target === hash.value) return;
  if (hasUnsavedChanges()) {
    history.replaceState(null, "", hash.value || "#/");
    if (!(await confirmLeaving())) return;
    history.replaceState(null, "", target);
  }
  hash.value = target;
}

export const route = computed<Route>(() => parseRoute(hash.value));

/** The conversation that is open; undefined without one. */
export const openConversationId = computed(() =>
  route.value.page === "chats" ? route.value.conversation : undefined,
);

function parseRoute(text: string): Route {
  const [page, first, second] = text.replace(/^#\/?/, "").split("/");
  const id = first && /^\d+$/.test(first) ? Number(first) : undefined;
  switch (page) {
    case "visitors":
    case "setup":
    case "team":
    case "reports":
    case "search":
    case "audit":
      return { page };
    case "archive":
      return { page, view: id };
    case "settings":
      return { page, section: first };
    case "sites":
      return { page, site: id, tab: second || "install" };
    case "ratings":
      return { page, site: id };
    default:
      // The entry of the conversation to show: m12 is the message with seq 12, n5 the note 5.
      return { page: "chats", conversation: id, entry: second };
  }
}

/** Opens a page, as in `navigate("chats", 50)`. */
export function navigate(...parts: (string | number)[]): void {
  location.hash = routeHref(...parts);
  void follow();
}

export function routeHref(...parts: (string | number)[]): string {
  return `#/${parts.join("/")}`;
}

/** Which screen is shown: kept in the address, so that going back, reloading and sharing a link do what they should. */
import { computed, signal } from "@preact/signals";

export type Route =
  | { screen: "chats"; conversation: number | undefined }
  | { screen: "visitors" }
  | { screen: "sites"; site: number | undefined; tab: string }
  | { screen: "team" }
  | { screen: "ratings"; site: number | undefined }
  | { screen: "archive" }
  | { screen: "audit" }
  | { screen: "settings" };

const hash = signal(location.hash);

addEventListener("hashchange", () => {
  hash.value = location.hash;
});

export const route = computed<Route>(() => read(hash.value));

function read(address: string): Route {
  const [screen, first, second] = address.replace(/^#\/?/, "").split("/");
  const id = first && /^\d+$/.test(first) ? Number(first) : undefined;
  switch (screen) {
    case "visitors":
    case "team":
    case "archive":
    case "audit":
    case "settings":
      return { screen };
    case "sites":
      return { screen, site: id, tab: second || "install" };
    case "ratings":
      return { screen, site: id };
    default:
      return { screen: "chats", conversation: id };
  }
}

/** Goes to a screen, as in `go("chats", 50)`. */
export function go(...parts: (string | number)[]): void {
  location.hash = link(...parts);
  hash.value = location.hash;
}

export function link(...parts: (string | number)[]): string {
  return `#/${parts.join("/")}`;
}

/** Tells the site's developer what is wrong. */
export function warn(text: string): void {
  // biome-ignore lint/suspicious/noConsole: the console is the only place where the developer sees it.
  console.warn(`Parley: ${text}`);
}

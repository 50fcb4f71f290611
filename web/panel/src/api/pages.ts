/** Lists of the API, which come in pages. */

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null | undefined;
}

/** Fetches all pages of a list, until `max` items are there. `fetchPage` is given null for the first page. */
export async function fetchAllPages<Item>(
  fetchPage: (cursor: string | null) => Promise<Page<Item>>,
  max = Number.POSITIVE_INFINITY,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null | undefined = null;
  do {
    const page: Page<Item> = await fetchPage(cursor);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor && items.length < max);
  return items;
}

/** Combines a list that was fetched with the live events that arrived during the fetch. */

/** What was fetched, with the changes from `before` to `current`: the response may be older than they are. */
export function keepChanges<Key, Value>(
  fetched: Iterable<[Key, Value]>,
  before: ReadonlyMap<Key, Value>,
  current: ReadonlyMap<Key, Value>,
): Map<Key, Value> {
  const merged = new Map(fetched);
  for (const [key, value] of current) if (before.get(key) !== value) merged.set(key, value);
  for (const key of before.keys()) if (!current.has(key)) merged.delete(key);
  return merged;
}

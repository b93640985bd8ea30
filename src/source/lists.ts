/** Longest comma list in one URL, in encoded characters; proxies often cut at 8 kB. All 159 metrics of 26.9 need 3,800. */
const LONGEST_LIST = 6000;

/** How much one list should hold, beyond keys. */
export interface Load<T> {
  readonly of: (item: T) => number;
  /** Is a list that holds so much closed? */
  readonly isFull: (held: number) => boolean;
  /** No item is added to a list that would then hold more. */
  readonly most: number;
}

/** Items in lists whose keys fit a URL, in order; at most `most` in one, and as much as `load` says. */
export function inLists<T>(items: readonly T[], keyOf: (item: T) => string, most = Infinity, load?: Load<T>): T[][] {
  const lists: T[][] = [];
  let length = 0;
  let held = 0;
  for (const item of items) {
    const cost = encodeURIComponent(keyOf(item)).length + 3; // and an encoded comma
    const weight = load?.of(item) ?? 0;
    const fits = !load || (!load.isFull(held) && held + weight <= load.most);
    const last = lists.at(-1);
    if (last && last.length < most && length + cost <= LONGEST_LIST && fits) {
      last.push(item);
      length += cost;
      held += weight;
    } else {
      lists.push([item]);
      length = cost;
      held = weight;
    }
  }
  return lists;
}

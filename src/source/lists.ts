/** Longest comma list in one URL, in encoded characters; proxies often cut at 8 kB. All 159 metrics of 26.9 need 3,800. */
const LONGEST_LIST = 6000;

/** Items in lists whose keys fit a URL, in order; at most `most` in one. */
export function inLists<T>(items: readonly T[], keyOf: (item: T) => string, most = Infinity): T[][] {
  const lists: T[][] = [];
  let length = 0;
  for (const item of items) {
    const cost = encodeURIComponent(keyOf(item)).length + 3; // and an encoded comma
    const last = lists.at(-1);
    if (last && last.length < most && length + cost <= LONGEST_LIST) {
      last.push(item);
      length += cost;
    } else {
      lists.push([item]);
      length = cost;
    }
  }
  return lists;
}

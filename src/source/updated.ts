/** What changed last: issues by their last update, the newest first. */
import type { Emit } from '../protocol/sync.ts';
import type { Answer } from './enumerate.ts';
import { emitIssues, type IssueRow } from './streams/issues.ts';
import { PAGE_SIZE, parseDate, WINDOW } from './window.ts';

export interface Updated {
  /** Keys of projects with issues that changed. */
  readonly touched: ReadonlySet<string>;
  /** Reached its end before the 10,000 window did. */
  readonly whole: boolean;
  readonly totalBefore: number;
  readonly totalAfter: number;
}

export interface UpdatedOptions {
  /** Rows of these projects are emitted; of all unless told. */
  readonly includes?: (project: string) => boolean;
  /** The first page, asked for earlier. */
  readonly first?: Answer<IssueRow>;
}

/** How often a list that shrank while it was read is read again. */
const REREADS = 2;

/**
 * Back to `since` (epoch seconds, inclusive), or to the end of the window; `fetch` answers a page of PAGE_SIZE. What vanishes
 * meanwhile moves rows from a page that comes to one that was read: the total shows it, and everything is read again.
 */
export async function readUpdated(
  fetch: (page: number) => Promise<Answer<IssueRow>>,
  since: number,
  emit: Emit,
  { includes = () => true, first }: UpdatedOptions = {},
): Promise<Updated> {
  const touched = new Set<string>();
  /** Is the end among these rows? */
  const take = async (rows: readonly IssueRow[]): Promise<boolean> => {
    const recent = rows.filter((row) => parseDate(row.updated) >= since);
    const isEnd = recent.length < rows.length;
    for (const row of recent) touched.add(row.project);
    await emitIssues(
      recent.filter((row) => includes(row.project)),
      emit,
    );
    return isEnd;
  };
  // a page that was asked for earlier stands for itself alone: rows may have moved since
  if (first && ((await take(first.rows)) || PAGE_SIZE >= first.total)) {
    return { touched, whole: true, totalBefore: first.total, totalAfter: first.total };
  }
  for (let reread = 0; ; reread += 1) {
    let totalBefore: number | undefined;
    for (let p = 1; ; p += 1) {
      const { rows, total } = await fetch(p);
      totalBefore ??= total;
      const isEnd = (await take(rows)) || p * PAGE_SIZE >= total;
      const shrank = total < totalBefore;
      if (shrank && reread < REREADS) break;
      if (isEnd || shrank || p * PAGE_SIZE >= WINDOW)
        return { touched, whole: isEnd && !shrank, totalBefore, totalAfter: total };
    }
  }
}

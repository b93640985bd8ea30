/** The words a source, a sync and the warehouse exchange. All values are plain data. */
import type { Stream } from './stream.ts';

/** What remains to be known to go on next time; made and read by the source alone. */
export type Cursor = Readonly<Record<string, unknown>>;

/** Rows of one answer, as received, on their way to one table. */
export interface Page {
  readonly stream: string;
  readonly records: readonly unknown[];
  /** When the answer was received (this machine's clock): an older observation never overwrites a newer one. */
  readonly observedAt: Date;
}

/** How a pass over one stream of one project (or of the whole connection) ended; see `sonarqube_completeness`. */
export type LedgerState = 'complete' | 'moving' | 'short' | 'suspect' | 'unreadable';

/** What a pass over one stream of one project (or of the whole connection) saw; one row of the completeness ledger. */
export interface Tally {
  readonly stream: string;
  /** Source key of the project, or null for a stream that is listed once per connection. */
  readonly project: string | null;
  /** The server's total on the first and on the last answer of the pass. */
  readonly totalBefore: number | null;
  readonly totalAfter: number | null;
  /** Distinct keys read in this pass; null when it did not see everything: only the totals are compared then. */
  readonly seen: number | null;
  /** Rows the server counted but did not deliver on a page that should have held them. */
  readonly holes: number;
  /** Identities read in this pass, for telling which stored rows the server no longer has. */
  readonly keys?: Pick<ReadonlySet<string>, 'has'>;
  /** The pass covers rows dated from here on only (a history is read from its last known analysis). */
  readonly from?: Date;
  /** Set when the source itself knows the pass cannot be complete: what was not reached and why. */
  readonly problem?: { readonly state: 'short' | 'unreadable'; readonly reason: string };
  /** Did the source make sure, before and after, that the project may be read? Without it nothing is marked gone. */
  readonly readable: boolean;
  /** Columns to set on the project's row now that the pass is over. */
  readonly marks?: Readonly<Record<string, unknown>>;
}

/** What a source hands over: rows first, then the cursor they make true, and a tally at the end of a pass. */
export type Message =
  | { readonly type: 'page'; readonly page: Page }
  | { readonly type: 'cursor'; readonly stream: string; readonly slice: string; readonly cursor: Cursor | null }
  | { readonly type: 'size'; readonly stream: string; readonly rows: number }
  | { readonly type: 'tally'; readonly tally: Tally };

/** Takes a message; resolves when there is room for the next one. */
export type Emit = (message: Message) => Promise<void>;

/** A project as the source's listing shows it. */
export interface ProjectRef {
  readonly key: string;
  /** Different when the project may have changed in a way that the instance-wide look does not show. */
  readonly fingerprint: string;
  /** The source's own notes on the project. */
  readonly notes: Readonly<Record<string, unknown>>;
}

/** One piece of reading: a pass over one or more projects. */
export interface Task {
  readonly pass: string;
  readonly projects: readonly ProjectRef[];
  /** `full` reads everything, `recent` what changed since each project's cursor. */
  readonly mode: 'full' | 'recent';
  /** Cursors of the pass by project key, where there are any. */
  readonly cursors: ReadonlyMap<string, Cursor>;
  /**
   * By project key: the cursor of the first pass when the run began, where every pass had ended on the same state of the
   * project. The run may have been gone on with since, and cursors with it.
   */
  readonly earlier: ReadonlyMap<string, Cursor>;
}

/** What an instance-wide look at the newest changes found. */
export interface Look {
  /** Keys of projects with changed rows. */
  readonly touched: ReadonlySet<string>;
  /** The look reached back to its watermark; if not, the touched projects must be read one by one. */
  readonly whole: boolean;
  /** The server's total over all projects that the token may read. */
  readonly total: number;
}

/** How a pass is audited: read again in any case, or read whole when the project changed since that was last done. */
export interface PassTraits {
  /** Changes when the rows would come out differently from the same answers: our columns, the server's metrics. */
  readonly shape: string;
  readonly audit: 'recent' | 'full-if-changed';
  /** A changed project of at most so many rows is read whole: one answer shows them all, and shows what no date does. */
  readonly wholeUpTo: number;
}

/** A server that streams are read from. */
export interface Source {
  /** In order of their references: what a stream refers to stands before it. */
  readonly streams: readonly Stream[];
  /** Passes over projects, in the order in which they must run for one project. */
  readonly passes: readonly string[];
  /** Reads the connection-wide lists whole; returns every project listed. */
  list(emit: Emit): Promise<readonly ProjectRef[]>;
  /** Projects in batches, in order, whose totals can be asked for together. */
  batches(projects: readonly ProjectRef[]): readonly (readonly ProjectRef[])[];
  /**
   * Groups projects for a pass, in order, so that they cost few requests: every group but the last is full. How large a
   * project is may have been learnt in the pass before.
   */
  group(pass: string, projects: readonly ProjectRef[]): readonly (readonly ProjectRef[])[];
  /** The streams whose ledger rows a pass writes. */
  streamsOf(pass: string): readonly string[];
  /** How a pass is planned. Known once `list` has been read. */
  traits(pass: string): PassTraits;
  read(task: Task, emit: Emit): Promise<void>;
  /** Reads what changed anywhere since the watermark; rows of the projects that `includes` takes go to `emit`. */
  look(watermark: Cursor, includes: (project: string) => boolean, emit: Emit): Promise<Look>;
  /** The watermark for the next look: the server's clock when this run began. */
  watermark(): Cursor;
  /** What another process needs to go on with the run that this source began. Known once `look` has answered. */
  context(): Cursor;
  /** The server's own totals of the given projects, by one stream, for comparing with what is stored. */
  totals(stream: string, projects: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Does the server still answer? Tells a project that cannot be read from a server that is gone. */
  answers(): Promise<boolean>;
  /** Makes sure that rows a pass did not meet are really gone; the tally comes back readable, or with its problem. */
  prove(tally: Tally, missing: readonly string[]): Promise<Tally>;
}

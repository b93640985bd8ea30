/** What a chart is: a plain value that says what it shows and which SQL answers it. Pure. */

/** One column of a chart's rows. */
export interface ChartColumn {
  readonly name: string;
  /** A date is `YYYY-MM-DD`, the first day of its interval. Numbers and texts can be null: nothing is known. */
  readonly type: 'text' | 'number' | 'date';
  /**
   * `x` and `y` are the axes (several `y`: several lines, each with a unit of its own), `series` what bars and lines are told
   * apart by, `value` the colour of a cell, `label` what is worth reading beside it, `link` what leads to a project:
   * its key and its connection.
   */
  readonly role: 'x' | 'y' | 'series' | 'label' | 'value' | 'link';
  readonly title: string;
  readonly unit?: string;
}

export interface Chart {
  readonly id: string;
  readonly title: string;
  /** What it shows and what its numbers mean, in one or two sentences. */
  readonly description: string;
  readonly kind: 'bar' | 'stacked-bar' | 'line' | 'area' | 'heat-map' | 'table' | 'number';
  /** In the order of the SQL's own columns. */
  readonly columns: readonly ChartColumn[];
  /** The filters that change what it shows; it ignores the others. */
  readonly parameters: readonly ('projects' | 'from' | 'to' | 'connection' | 'interval' | 'limit')[];
  /** False: planned for one process; see `QueryOptions.parallel`. */
  readonly parallel?: false;
  /**
   * One statement, in which `$1` to `$6` stand for projects (text[], empty: all), connection (bigint, null: all), from,
   * to (dates, both included), interval (`day`, `week` or `month`) and limit. They are replaced by literals, so that the
   * planner sees which of them are there, and a person can take the text elsewhere.
   */
  readonly sql: string;
}

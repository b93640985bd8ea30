/** Where the tables stand in the drawing of their relations: who is referred to at the left, who refers at the right. Pure. */

export interface DrawnTable {
  readonly name: string;
  readonly references: readonly { readonly column: string; readonly table: string; readonly foreign_column: string }[];
}

export interface Box {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

export interface Arrow {
  readonly from: string;
  readonly column: string;
  readonly to: string;
  readonly path: string;
}

export interface Layout {
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
  readonly width: number;
  readonly height: number;
}

export const BOX = { width: 210, height: 40 } as const;
const GAP = { x: 90, y: 22 } as const;
const MARGIN = 12;

/** Tables that have no relation are left out: there is nothing to draw of them. */
export function layoutOf(tables: readonly DrawnTable[]): Layout {
  const related = new Set(tables.flatMap(({ name, references }) => references.flatMap(({ table }) => [name, table])));
  const drawn = tables.filter(({ name }) => related.has(name));
  const byName = new Map(drawn.map((table) => [table.name, table]));
  const depths = new Map<string, number>();
  const depthOf = (name: string, above: readonly string[]): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const targets = (byName.get(name)?.references ?? []).filter(({ table }) => !above.includes(table));
    const depth = Math.max(-1, ...targets.map(({ table }) => depthOf(table, [...above, name]))) + 1;
    depths.set(name, depth);
    return depth;
  };
  const columns: string[][] = [];
  for (const { name } of drawn) (columns[depthOf(name, [])] ??= []).push(name);
  const tallest = Math.max(0, ...columns.map((names) => names.length));
  const height = tallest * (BOX.height + GAP.y) - GAP.y + 2 * MARGIN;
  const boxes = columns.flatMap((names, column) => {
    const top = (height - names.length * (BOX.height + GAP.y) + GAP.y) / 2;
    return names.map((name, row) => ({
      name,
      x: MARGIN + column * (BOX.width + GAP.x),
      y: top + row * (BOX.height + GAP.y),
    }));
  });
  const place = new Map(boxes.map((box) => [box.name, box]));
  const arrows = drawn.flatMap(({ name, references }) =>
    references.flatMap(({ column, table }) => {
      const [start, end] = [place.get(name), place.get(table)];
      return start && end ? [{ from: name, column, to: table, path: curve(start, end) }] : [];
    }),
  );
  return {
    boxes,
    arrows,
    width: 2 * MARGIN + columns.length * (BOX.width + GAP.x) - GAP.x,
    height: Math.max(height, 0),
  };
}

function curve(start: Box, end: Box): string {
  const [x1, y1] = [start.x, start.y + BOX.height / 2];
  const [x2, y2] = [end.x + BOX.width + 8, end.y + BOX.height / 2];
  const bend = Math.max(40, (x1 - x2) / 2);
  return `M${x1} ${y1}C${x1 - bend} ${y1} ${x2 + bend} ${y2} ${x2} ${y2}`;
}

/** Axes: where lines are drawn and how numbers are written. Pure. */

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** As exact as a chart's numbers are. */
export const exactly = (value: number | null): string => (value === null ? '–' : WHOLE.format(value));

/** For axes: "12K". */
export const briefly = (value: number): string =>
  Math.abs(value) < 10_000 ? WHOLE.format(value) : SHORT.format(value);

/** Round numbers from 0 to at least the largest value, about `count` of them; whole ones for whole numbers. */
export function ticksTo(largest: number, count = 4): number[] {
  if (!(largest > 0)) return [0, 1];
  const rough = largest / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let n = 0; ; n++) {
    // multiplied, not added up: 0.1 + 0.2 is not 0.3
    const tick = Number((n * step).toPrecision(12));
    ticks.push(tick);
    if (tick >= largest) return ticks;
  }
}

/** At most `most` of so many labels, evenly: every n-th, the first always. */
export function every(labels: number, most: number): number {
  return Math.max(1, Math.ceil(labels / Math.max(1, most)));
}

/** Cut in the middle of a label that is too long for its place: both ends of a key tell it apart. */
export function shortened(label: string, length: number): string {
  const characters = Array.from(label);
  if (characters.length <= length) return label;
  const half = Math.floor((length - 1) / 2);
  return `${characters.slice(0, length - 1 - half).join('')}…${characters.slice(-half).join('')}`;
}

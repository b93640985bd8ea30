/** Colours of series, by their meaning where they have one; the variables are in charts.module.css. Pure. */

const MEANT: Readonly<Record<string, string>> = {
  BLOCKER: 'red',
  CRITICAL: 'orange',
  MAJOR: 'yellow',
  MINOR: 'blue',
  INFO: 'grey',
  HIGH: 'red',
  MEDIUM: 'yellow',
  LOW: 'blue',
  UNKNOWN: 'grey',
  complete: '3',
  moving: 'blue',
  short: 'red',
  suspect: 'orange',
  unreadable: 'grey',
};
const COUNT = 6;
const DASHES = ['', '6 3', '2 3', '8 3 2 3', '12 4', '1 4'];

export const colourOf = (name: string, index: number): string => `var(--series-${MEANT[name] ?? index % COUNT})`;

/** So that lines can be told apart without their colours. */
export const dashOf = (index: number): string => DASHES[index % DASHES.length] ?? '';

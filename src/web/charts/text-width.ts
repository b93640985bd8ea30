/** How wide texts are in a chart: letters differ by half, and only the browser knows its own. */
import { shortened } from './scale.ts';

/** No label is looked at beyond so many characters, and none is cut to fewer than these. */
const LONGEST = 60;
const SHORTEST = 4;

const pen = document.createElement('canvas').getContext('2d');

/** Width in pixels of a text in a chart's letters. */
export function textWidth(text: string): number {
  if (!pen) return text.length * 9;
  pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(text).width;
}

/** A label, cut in its middle until it is no wider than its place. */
export function fitted(label: string, width: number): string {
  for (let length = Math.min(Array.from(label).length, LONGEST); ; length--) {
    const text = shortened(label, length);
    if (length <= SHORTEST || textWidth(text) <= width) return text;
  }
}

export const WINDOW = 10_000;
export const PAGE_SIZE = 500;
export function parseDate(text: string): number {
  return Math.floor(new Date(text).getTime() / 1000);
}

/** Saves what a page shows: a text, a file the API makes, a drawn chart as PNG. */

/** The browser keeps it under this name. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // the download has its own hold on the data by then
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A byte order mark in front, without which Excel takes UTF-8 for something else. */
export const saveCsv = (text: string, name: string): void =>
  saveBlob(new Blob(['\uFEFF', text], { type: 'text/csv;charset=utf-8' }), name);

const SCALE = 2;
const PADDING = 16;
const HEADING = 30;
/** What a style sheet gives a shape, and a picture on its own would lose. */
const STYLES = ['fill', 'stroke', 'fill-opacity', 'font-size', 'font-family', 'font-weight'] as const;

/** The drawings below one another under a heading, at twice their size. */
export async function savePng(drawings: readonly SVGSVGElement[], heading: string, name: string): Promise<void> {
  const pictures = await Promise.all(drawings.map(pictureOf));
  const width = Math.max(...pictures.map((picture) => picture.width), 320) + 2 * PADDING;
  const height = pictures.reduce((sum, picture) => sum + picture.height, HEADING + 2 * PADDING);
  const canvas = document.createElement('canvas');
  canvas.width = width * SCALE;
  canvas.height = height * SCALE;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('The browser cannot draw this picture; download the numbers as CSV instead.');
  const page = getComputedStyle(document.body);
  context.scale(SCALE, SCALE);
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--mantine-color-body');
  context.fillRect(0, 0, width, height);
  context.fillStyle = page.color;
  context.font = `600 16px ${page.fontFamily}`;
  context.fillText(heading, PADDING, PADDING + 14, width - 2 * PADDING);
  let top = PADDING + HEADING;
  for (const picture of pictures) {
    context.drawImage(picture, PADDING, top, picture.width, picture.height);
    top += picture.height;
  }
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('The browser cannot make a PNG of this size; download the numbers as CSV instead.');
  saveBlob(blob, name);
}

async function pictureOf(drawing: SVGSVGElement): Promise<HTMLImageElement> {
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  const originals = [drawing, ...drawing.querySelectorAll<SVGElement>('*')];
  for (const [index, element] of [copy, ...copy.querySelectorAll<SVGElement>('*')].entries()) {
    const original = originals[index];
    if (!original) continue;
    const style = getComputedStyle(original);
    for (const property of STYLES) element.setAttribute(property, style.getPropertyValue(property));
  }
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const url = URL.createObjectURL(
    new Blob([new XMLSerializer().serializeToString(copy)], { type: 'image/svg+xml;charset=utf-8' }),
  );
  try {
    const picture = new Image(drawing.width.baseVal.value, drawing.height.baseVal.value);
    picture.src = url;
    await picture.decode();
    return picture;
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Colours and type. Every pair of text and background here reaches the contrast of WCAG AA; the browser test holds it. */
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

/** Deep water: the product's own colour. */
const sea: MantineColorsTuple = [
  '#e6f7fa',
  '#d3ecf1',
  '#a6d7e0',
  '#76c1cf',
  '#50afc0',
  '#37a3b7',
  '#2799ae',
  '#0b7285',
  '#0a6475',
  '#065463',
];

export const theme = createTheme({
  colors: { sea },
  primaryColor: 'sea',
  primaryShade: { light: 7, dark: 7 },
  autoContrast: true,
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', Arial, sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace",
  headings: { fontWeight: '650' },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  // Mantine's own dimmed and placeholder greys fall short of 4.5 : 1
  light: {
    '--mantine-color-dimmed': '#545b64',
    '--mantine-color-placeholder': '#6a727b',
    '--mantine-color-error': '#c92a2a',
    // on the pale ground of badges and notices Mantine's own shades fall short too
    '--mantine-color-green-light-color': '#1b5e2a',
    '--mantine-color-orange-light-color': '#8a3b00',
    '--mantine-color-red-light-color': '#a01919',
    '--mantine-color-gray-light-color': '#454c54',
    '--mantine-color-sea-light-color': '#075563',
    '--mantine-color-red-outline': '#c92a2a',
    '--mantine-color-body': '#ffffff',
    '--soundings-page': '#f6f8f9',
    '--soundings-line': '#e1e5e9',
  },
  dark: {
    '--mantine-color-dimmed': '#a8b0b9',
    '--mantine-color-placeholder': '#99a1aa',
    '--mantine-color-error': '#ff8787',
    '--mantine-color-red-outline': '#ff8787',
    '--mantine-color-body': '#1b1f24',
    '--mantine-color-anchor': '#76c1cf',
    '--soundings-page': '#14171b',
    '--soundings-line': '#333a42',
  },
});

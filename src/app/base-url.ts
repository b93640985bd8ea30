export { parseBaseUrl } from '../source/base-url.ts';

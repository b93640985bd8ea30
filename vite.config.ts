/** Builds the web app into dist/web. `npm run web:dev` serves it from the sources, with the API of a running `serve`. */
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: 'src/web',
  plugins: [react()],
  // the server puts a fresh nonce in its place with every page; see src/api/web.ts
  html: { cspNonce: '{{csp-nonce}}' },
  build: {
    chunkSizeWarningLimit: 600,
    outDir: '../../dist/web',
    emptyOutDir: true,
    manifest: true,
    // no data: addresses, so that the Content-Security-Policy needs none
    assetsInlineLimit: 0,
    target: 'es2023',
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:4700' } },
});

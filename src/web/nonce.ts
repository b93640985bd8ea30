/**
 * The nonce of this page's `style-src`: `<style>` elements made at run time (Mantine, the editor) carry it. The server
 * writes a new one into every page it sends, so that styles need no `unsafe-inline`.
 */
const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '';

// read by get-nonce, which the scroll lock behind Mantine's dialogs asks for the nonce of its own style element
Object.assign(globalThis, { __webpack_nonce__: nonce });

export const styleNonce = (): string => nonce;

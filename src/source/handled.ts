/** A promise that is awaited later; its failure until then is no unhandled rejection, and is thrown to whoever awaits it. */
export function handled<V>(promise: Promise<V>): Promise<V> {
  promise.catch(() => undefined);
  return promise;
}

/** Cuts a list into stretches that are small enough to be in memory. */

/**
 * Stretches of about `bytesMax` bytes, as `bytesOf` tells them, and at most `itemsMax` items; both are overstepped to keep
 * neighbours that are `together` in one.
 */
export function* windowsOf<T>(
  items: Iterable<T>,
  bytesOf: (item: T) => number,
  {
    bytesMax,
    itemsMax = Infinity,
    together = () => false,
  }: {
    readonly bytesMax: number;
    readonly itemsMax?: number;
    readonly together?: (a: T, b: T) => boolean;
  },
): Generator<T[], void> {
  let window: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const isFull = bytes >= bytesMax || window.length >= itemsMax;
    if (isFull && !together(window.at(-1)!, item)) {
      yield window;
      window = [];
      bytes = 0;
    }
    window.push(item);
    bytes += bytesOf(item);
  }
  if (window.length > 0) yield window;
}

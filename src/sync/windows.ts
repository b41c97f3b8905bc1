/** Cuts a list into stretches that are small enough to be in memory. */

/** Stretches of about `bytesMax` bytes, as `bytesOf` tells them, and at most `itemsMax` items. */
export function* windowsOf<T>(
  items: Iterable<T>,
  bytesOf: (item: T) => number,
  { bytesMax, itemsMax = Infinity }: { readonly bytesMax: number; readonly itemsMax?: number },
): Generator<T[], void> {
  let window: T[] = [];
  let bytes = 0;
  for (const item of items) {
    window.push(item);
    bytes += bytesOf(item);
    if (bytes < bytesMax && window.length < itemsMax) continue;
    yield window;
    window = [];
    bytes = 0;
  }
  if (window.length > 0) yield window;
}

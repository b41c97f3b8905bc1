/** Says what a JSON value must be, and checks that one is exactly that. */

const TEXTS = {
  text: /^[^]*$/,
  version: /^v\d+$/,
  cid: /^bafyr4i[a-z2-7]{52}$/,
  objectCid: /^bafy?[rk]\w{50,}$/,
  digest: /^[0-9a-f]{64}$/,
  time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
} as const;

/** A kind of text, `count` (a whole number from 0 up), `flag`, or `any`. */
type Plain = keyof typeof TEXTS | 'count' | 'flag' | 'any';

/**
 * A plain value, `|null` behind it if it may be absent; a list of one shape; an object with exactly these keys; or with
 * any keys, whose values have one shape.
 */
export type Shape =
  Plain | `${Plain}|null` | readonly [Shape] | { readonly map: Shape } | { readonly keys: Keys };

export interface Keys {
  readonly [key: string]: Shape;
}

/** What was seen of the places that may be null: `row.base` → null, value, or both. */
export type Seen = Map<string, Set<'null' | 'value'>>;

/** What is wrong with `value`, by its place; nothing if it is as it must be. */
export function mismatches(value: unknown, shape: Shape, seen: Seen = new Map(), place = '$'): string[] {
  const wrong = (what: string) => [`${place}: ${JSON.stringify(value)} is no ${what}`];
  if (typeof shape === 'string') {
    const [plain, orNull] = shape.split('|') as [Plain, string | undefined];
    if (orNull !== undefined) note(seen, place, value === null ? 'null' : 'value');
    if (value === null && orNull !== undefined) return [];
    return isPlain(value, plain) ? [] : wrong(shape);
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return wrong('list');
    return value.flatMap((one) => mismatches(one, shape[0] as Shape, seen, `${place}[]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong('object');
  const { map, keys } = shape as { readonly map?: Shape; readonly keys?: Keys };
  const found = Object.entries(value);
  if (map !== undefined) return found.flatMap(([, one]) => mismatches(one, map, seen, `${place}{}`));
  const names = found.map(([name]) => name).sort();
  const wanted = Object.keys(keys!).sort();
  if (names.join() !== wanted.join()) return [`${place}: keys ${names.join()} instead of ${wanted.join()}`];
  return found.flatMap(([name, one]) => mismatches(one, keys![name], seen, `${place}.${name}`));
}

/** Every place of `shape` that may be null. */
export function nullable(shape: Shape, place = '$'): string[] {
  if (typeof shape === 'string') return shape.endsWith('|null') ? [place] : [];
  if (Array.isArray(shape)) return nullable(shape[0] as Shape, `${place}[]`);
  const { map, keys } = shape as { readonly map?: Shape; readonly keys?: Keys };
  if (map !== undefined) return nullable(map, `${place}{}`);
  return Object.entries(keys!).flatMap(([name, one]) => nullable(one, `${place}.${name}`));
}

function isPlain(value: unknown, plain: Plain): boolean {
  if (plain === 'any') return value !== undefined;
  if (plain === 'flag') return typeof value === 'boolean';
  if (plain === 'count') return Number.isSafeInteger(value) && (value as number) >= 0;
  return typeof value === 'string' && TEXTS[plain].test(value);
}

function note(seen: Seen, place: string, what: 'null' | 'value'): void {
  seen.set(place, (seen.get(place) ?? new Set()).add(what));
}

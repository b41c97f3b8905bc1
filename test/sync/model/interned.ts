/** Packs a record of small numbers into one 32-bit word and back; equal records are one record. */

export type Widths<T> = { readonly [field in keyof T]: number };

/** A part of a model's state that fits in a word. */
export interface Interned<T> {
  word(value: T): number;
  value(word: number): T;
}

/** Lays the fields out in the order of `widths` (in bits); a value that does not fit is a bug and throws. */
export function interned<T extends Readonly<Record<keyof T, number>>>(widths: Widths<T>): Interned<T> {
  const fields = Object.keys(widths) as (keyof T)[];
  const bits = fields.map((field) => widths[field]);
  if (bits.reduce((sum, width) => sum + width, 0) > 32) throw new Error('the fields do not fit in a word');
  const values = new Map<number, T>();
  const words = new Map<T, number>();

  return {
    word(value) {
      const known = words.get(value);
      if (known !== undefined) return known;
      let word = 0;
      for (let i = fields.length - 1; i >= 0; i--) {
        const number = value[fields[i]];
        if (number >>> bits[i] !== 0) throw new Error(`${String(fields[i])} = ${number} does not fit`);
        word = (word << bits[i]) | number;
      }
      return word >>> 0;
    },
    value(word) {
      const known = values.get(word);
      if (known) return known;
      const value = {} as Record<keyof T, number>;
      let rest = word;
      fields.forEach((field, i) => {
        value[field] = rest & ((1 << bits[i]) - 1);
        rest >>>= bits[i];
      });
      values.set(word, value as T);
      words.set(value as T, word);
      return value as T;
    },
  };
}

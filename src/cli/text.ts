/** Lays text out for people: safe to print, aligned, short. */

/** Control characters, line separators and what turns the direction of text around. */
// eslint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
/** Version, codec, hash function and length stand before the digest. */
const CID_HEADER_BYTES = 4;
const SHORT_HASH_BYTES = 5;

/** `text` with nothing in it that could move the cursor, change colours or break the line. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (char) => {
    if (char === '\n') return '\\n';
    if (char === '\t') return '\\t';
    if (char === '\r') return '\\r';
    const code = char.charCodeAt(0).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
}

/** Who did it, without an address: a column of these has room for what was done. */
export function personOf(author: string): string {
  return printable(author.replace(/(\S) +<[^<>]*>$/, '$1'));
}

/** The first 10 hex characters of the digest in a CID, as people are shown it. */
export function shortHash(cid: string): string {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  // The first letter, `b`, names the base.
  for (let i = 1; i < cid.length && bytes.length < CID_HEADER_BYTES + SHORT_HASH_BYTES; i++) {
    value = ((value << 5) | BASE32.indexOf(cid[i])) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >> bits) & 0xff);
  }
  return bytes
    .slice(CID_HEADER_BYTES)
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

/** Rows as lines, columns two blanks apart; `right` are the columns that are set to the right. */
export function alignRows(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, widthOf(cell))));
  return rows.map((row) => {
    const cells = row.map((cell, i) => {
      const blanks = ' '.repeat(widths[i] - widthOf(cell));
      return right.includes(i) ? blanks + cell : cell + blanks;
    });
    return cells.join('  ').trimEnd();
  });
}

// Colour takes no room; a character outside the basic plane takes the room of one.
function widthOf(text: string): number {
  // eslint-disable-next-line no-control-regex
  const plain = text.includes('\u001b') ? text.replace(/\u001b\[[0-9;]*m/g, '') : text;
  let width = 0;
  for (const _ of plain) width++;
  return width;
}

/** The first line of `text`, safe to print, cut to `lengthMax` characters. */
export function firstLine(text: string, lengthMax: number): string {
  const end = text.indexOf('\n');
  const line = [...printable(end < 0 ? text : text.slice(0, end))];
  const cut = line.length > lengthMax || (end >= 0 && text.slice(end).trim() !== '');
  return cut
    ? `${line
        .slice(0, lengthMax - 1)
        .join('')
        .trimEnd()}…`
    : line.join('');
}

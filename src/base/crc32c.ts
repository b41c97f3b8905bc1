/** Computes CRC-32C (Castagnoli, RFC 3720 appendix B.4), slicing by eight bytes. */

let tables: readonly Uint32Array[] | undefined;

function makeTables(): readonly Uint32Array[] {
  const made = Array.from({ length: 8 }, () => new Uint32Array(256));
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    made[0][i] = crc;
  }
  for (let i = 0; i < 256; i++) {
    for (let t = 1; t < 8; t++) made[t][i] = (made[t - 1][i] >>> 8) ^ made[0][made[t - 1][i] & 0xff];
  }
  return made;
}

/** The CRC-32C of `bytes`, continuing from `before`; unsigned 32 bits. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = (tables ??= makeTables());
  const end = bytes.length;
  let crc = ~before;
  let i = 0;
  for (; i + 8 <= end; i += 8) {
    const low = crc ^ (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    crc =
      t7[low & 0xff] ^
      t6[(low >>> 8) & 0xff] ^
      t5[(low >>> 16) & 0xff] ^
      t4[low >>> 24] ^
      t3[bytes[i + 4]] ^
      t2[bytes[i + 5]] ^
      t1[bytes[i + 6]] ^
      t0[bytes[i + 7]];
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}

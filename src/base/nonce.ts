/**
 * `byteCount` random bytes in hex, to tell what is ours from what others made at the same time: no secret. Not node:crypto,
 * which takes 4 ms of every start to load; V8 seeds each process's generator from the system's entropy.
 */
export function nonce(byteCount: number): string {
  return Array.from({ length: byteCount }, () =>
    Math.floor(Math.random() * 256)
      .toString(16)
      .padStart(2, '0'),
  ).join('');
}

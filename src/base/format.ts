/** Writes sizes, counts and times the way people read them; always in English, whatever the locale. */

const BYTE_UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The largest first; a month is 30.44 days, a year 365.25. */
const AGES = [
  ['year', 365.25 * DAY],
  ['month', 30.4375 * DAY],
  ['week', 7 * DAY],
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
  ['second', SECOND],
] as const;

/** `bytes` in binary units: `980 B`, `1.2 GiB`, `512 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes;
  let unit = -1;
  // 1023.5 would be shown as 1024: that is one of the next unit.
  while (value >= 1023.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 99.95 ? value.toFixed(1) : value.toFixed(0)} ${BYTE_UNITS[unit]}`;
}

/** A count with its thousands apart, and its noun if one is given: `1,234,567`, `1 file`, `0 files`. */
export function formatCount(count: number, one?: string, many = `${one}s`): string {
  const digits = String(count).replace(/\B(?=(\d{3})+$)/g, ',');
  if (one === undefined) return digits;
  return `${digits} ${count === 1 ? one : many}`;
}

/** How long before `nowMs` the moment `fromMs` was: `just now`, `3 days ago`; a moment to come is `in 3 days`. */
export function formatAge(fromMs: number, nowMs: number): string {
  const ms = Math.abs(nowMs - fromMs);
  for (const [unit, size] of AGES) {
    // Shown rounded down, as people say ages; under two seconds, or a clock slightly ahead, is now.
    if (ms < size) continue;
    const count = Math.floor(ms / size);
    if (unit === 'second' && (count < 2 || fromMs > nowMs)) break;
    const shown = formatCount(count, unit);
    return fromMs > nowMs ? `in ${shown}` : `${shown} ago`;
  }
  return 'just now';
}

/** A stretch of time: `85 ms`, `1.4 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59.95 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  const seconds = Math.round(ms / SECOND);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${formatCount(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

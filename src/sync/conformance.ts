/**
 * Checks that a store keeps the promises of a bucket, by trying them: the quick depth is the probe made before a first
 * push, the full one tries everything. Writes below `probe/ID/` and `refs/@probe-ID/` only, and removes it all.
 */
import { randomBytes } from 'node:crypto';
import { ArtError, formatDuration, isArtError, settleAtMost, throwIfAborted } from '#base';
import type { Abortable, Bucket, Checked } from './bucket.ts';
import { FULL_CHECKS } from './conformance-full.ts';
import { QUICK_CHECKS } from './conformance-quick.ts';
import { Probe } from './probe.ts';
import type { Check } from './probe.ts';

export interface CheckOptions extends Abortable {
  readonly depth: 'quick' | 'full';
  /** This machine's clock. */
  readonly now: () => number;
  /** Told the name of each check before it runs. */
  readonly onCheck?: (check: string) => void;
}

/** Whether several may write to a store, one, or nobody. */
export type Verdict = 'shared' | 'single' | 'unusable';

const CLOCK_MS_MAX = 5 * 60 * 1000;
/** These say that the store cannot be asked, rather than what it is like. */
const FATAL = [
  'INTERRUPTED',
  'REMOTE_UNREACHABLE',
  'REMOTE_UNCERTAIN',
  'REMOTE_DENIED',
  'REMOTE_CLOCK',
  'REMOTE_CORRUPT',
  'BUCKET_NOT_FOUND',
];
const TIDY_MS = 20_000;

/**
 * Raises REMOTE_UNREACHABLE, REMOTE_UNCERTAIN, REMOTE_DENIED, REMOTE_CLOCK, BUCKET_NOT_FOUND or INTERRUPTED if it cannot
 * be checked.
 */
export async function checkBucket(bucket: Bucket, options: CheckOptions): Promise<readonly Checked[]> {
  const probe = new Probe(bucket, randomBytes(8).toString('hex'), options.signal);
  const results: Checked[] = [];
  try {
    if (options.depth === 'quick') results.push(...(await runAll(QUICK_CHECKS, probe)));
    else
      for (const check of [...QUICK_CHECKS, ...FULL_CHECKS]) {
        options.onCheck?.(check.check);
        results.push(await run(check, probe));
      }
    results.push(await checkClock(bucket, options));
    results.push(...((await bucket.inspect?.(options)) ?? []));
  } finally {
    const left = await probe.tidy(AbortSignal.timeout(TIDY_MS));
    const detail =
      left === 0 ? 'all that was written was removed' : `${left} objects of the check could not be removed`;
    results.push({ check: 'tidy', ok: left === 0, detail, needed: 'advice' });
  }
  return results;
}

/** What `results` permit. */
export function verdictOf(results: readonly Checked[]): Verdict {
  const fails = (needed: Checked['needed']) =>
    results.some((result) => !result.ok && result.needed === needed);
  return fails('use') ? 'unusable' : fails('sharing') ? 'single' : 'shared';
}

/** Raises REMOTE_UNSHARED, saying that `cannot`, for a store that does not keep the conditions that sharing needs. */
export async function requireShared(
  bucket: Bucket,
  cannot: string,
  options: Omit<CheckOptions, 'depth'>,
): Promise<void> {
  const results = await checkBucket(bucket, { ...options, depth: 'quick' });
  if (verdictOf(results) === 'shared') return;
  const [failed] = results.filter(({ ok, needed }) => !ok && needed !== 'advice');
  throw new ArtError(
    'REMOTE_UNSHARED',
    `${JSON.stringify(bucket.url)} ${cannot}: ${failed.check}: ${failed.detail}`,
  );
}

/** All at once, as each has keys of its own: a first push waits for a few round trips, not for all of them. */
async function runAll(checks: readonly Check[], probe: Probe): Promise<Checked[]> {
  const results: Checked[] = [];
  // None is left behind at work: what it makes has to be tidied.
  for (const outcome of await settleAtMost(checks.length, checks, (check) => run(check, probe))) {
    if (outcome.status === 'rejected') throw outcome.reason;
    results.push(outcome.value);
  }
  return results;
}

async function run({ check, needed, try: tried }: Check, probe: Probe): Promise<Checked> {
  throwIfAborted(probe.signal);
  try {
    const wrong = await tried(probe);
    return { check, ok: wrong === undefined, detail: wrong ?? 'as promised', needed };
  } catch (error) {
    if (!(error instanceof ArtError) || FATAL.includes(error.code)) throw error;
    return { check, ok: false, detail: error.message, needed };
  }
}

async function checkClock(bucket: Bucket, { now, signal }: CheckOptions): Promise<Checked> {
  const about = { check: 'clock', needed: 'advice' } as const;
  try {
    const before = now();
    const theirs = await bucket.time(signal && { signal });
    const skew = (before + now()) / 2 - theirs;
    const ok = Math.abs(skew) <= CLOCK_MS_MAX;
    const far = `this machine's clock is ${formatDuration(Math.abs(skew))} ${skew > 0 ? 'ahead' : 'behind'}`;
    return { ...about, ok, detail: ok ? 'agrees with that of this machine' : far };
  } catch (error) {
    if (!isArtError(error) || FATAL.includes(error.code)) throw error;
    return { ...about, ok: false, detail: error.message };
  }
}

/** Makes a folder hold a tree: plan, refuse what would lose work, apply. */
import { applyPlan } from './apply.ts';
import type { CheckoutCounts, CheckoutOptions } from './checkout-options.ts';
import { Placer } from './placer.ts';
import { planCheckout } from './plan.ts';

/**
 * Goes from what is in `dir` to the wanted tree; with `dryRun` tells only what it would do.
 * Raises UNCOMMITTED_CHANGES before the first write if work would be lost, and what planning and applying raise.
 */
export async function checkout(options: CheckoutOptions): Promise<CheckoutCounts> {
  await using placer = new Placer();
  using plan = await planCheckout({ ...options, placer });
  plan.refuseConflicts(options.dir);
  if (options.dryRun !== true) await applyPlan(plan, { ...options, placer });
  return plan.counts;
}

/** A plain copy: restores files that are missing or differ, and leaves extra ones. */
export async function download(
  options: Omit<CheckoutOptions, 'held' | 'moving' | 'mode' | 'clean'>,
): Promise<CheckoutCounts> {
  return checkout({ ...options, mode: 'restore' });
}

/** worktree: turns folders into trees and trees into folders, and tells how they differ. */
export { applyPlan } from './apply.ts';
export { checkout, download } from './checkout.ts';
export { CONFLICTS_NAMED_MAX } from './checkout-options.ts';
export type { CheckoutCounts, CheckoutOptions, Conflict, PlanOptions } from './checkout-options.ts';
export { CheckoutPlan } from './checkout-plan.ts';
export { compareFolder, folderEquals } from './compare.ts';
export type { CompareOptions, FolderChange } from './compare.ts';
export { fileContent } from './file-chunks.ts';
export { foldsNames } from './folding.ts';
export { gitWouldTake } from './git-ignored.ts';
export { PathFilter } from './path-filter.ts';
export { checkTreePath, foldKey } from './paths.ts';
export type { PathRules } from './paths.ts';
export { planCheckout } from './plan.ts';
export type { Progress, Watched } from './progress.ts';
export { snapshot, sourcesByName } from './snapshot.ts';
export type { Snapshot, SnapshotOptions, SnapshotSource } from './snapshot.ts';

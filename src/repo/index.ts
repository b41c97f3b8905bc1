/** repo: the one door for users: a repository, its transactions, and how all below is put together. */
export { Repository, openRepository } from './repository.ts';
export { findRepository, initRepository, layoutOf } from './layout.ts';
export type { Layout } from './layout.ts';
export type { Context, Setting } from './context.ts';
export type { Progress } from '#worktree';
export { configGet, configList, configSet } from './config.ts';
export type { ConfigFiles } from './config.ts';
export type { AliasResult } from './aliases.ts';
export type { CheckoutRequest, CheckoutResult, VerifyResult } from './checkout.ts';
export type { Addition, CommitRequest, CommitResult } from './commit-request.ts';
export type { LsRow } from './entries.ts';
export type { ListRow, LogRow, ShownArtifact, ShownVersion } from './look.ts';
export type { StatusResult } from './status.ts';
export type { DamagedRow, FsckRequest, FsckResult, GcRequest, GcResult } from './care.ts';
export { findArtifact, publishOperation } from './operation.ts';
export type { Draft } from './operation.ts';
export { artifactNames, getArtifact, getCommit } from './find.ts';

/** The public SDK of art: repositories, what they give back, and the errors they raise. */
export * from '#repo';
export { ArtError, ERRORS, isArtError } from '#base';
export type { ErrorCode } from '#base';

/** The rules of the remote protocol that can be switched off, one by one, to see what each is for. */

export const RULES = {
  fence: 'gc swaps its epoch into every pointer before it marks again',
  fenceAfterCondemned: 'gc writes condemned(E) before it fences',
  fenceBeforeMark: 'gc fences before it marks again',
  fenceListsAnew: 'the fence lists the pointers anew',
  fenceEmpty: 'the fence swaps pointers without versions too',
  secondMark: 'gc marks again after the fence',
  markListsAnew: 'the second mark lists the pointers anew',
  sweptAfterItsFence: 'gc deletes packs only of epochs that were fenced before it marked',
  keptUntilCopied: 'gc deletes a pack only if every marked object of it has a copy elsewhere',
  copyNotCondemned: 'a copy in a condemned pack is no copy',
  copyVerified: 'a copy is one that was read just now, not one that an idx tells of',
  staysCondemned: 'what must stay stays condemned',
  condemnedKept: 'gc/condemned is never cleared while packs of it may be cached',
  condemnedAdopted: 'who finds condemned(E) written goes on with what it says, not with its own list',
  condemnedNotReused: 'a pusher reuses nothing from condemned packs',
  condemnedNewerToo: 'a pusher reads all that is condemned, not only up to the epoch of the pointer',
  pointerBeforeCondemned: 'a pusher reads the pointer before it reads condemned',
  pointerCreatedFirst: 'a new name gets its pointer, empty, before anything else is read',
  frontierOfSwapped: 'a remembered version counts only while it is in the value that will be swapped',
  onlyOwnPointer: 'a version of another pointer does not count',
  walkedForEach: 'what was passed over for one pointer is looked for again for the next one of the same push',
  listedNow: 'a pusher counts only packs that are listed now',
  journaledCountAsFound: 'packs that a push sent before count only if they are listed and not condemned',
  lackedCopiedOut: 'what a partial clone lacks is copied out of a pack, or nothing is published',
  packsBeforePointer: 'packs are sent before the pointer is swapped',
  swapsConditional: 'a swap lands only on the value that was read',
  uncertainReadAgain: 'who does not know how a swap ended reads the pointer again',
  uniqueNames: 'the name of a pack is unique, never derived from its content alone',
} as const;

export type Rule = keyof typeof RULES;
export type Rules = Readonly<Record<Rule, boolean>> & {
  /** Where names are not unique: packs carry a nonce, and a delete names the tag that it means. */
  readonly deletesConditional: boolean;
};

/** The protocol as it is written. */
export const FULL: Rules = {
  ...(Object.fromEntries(Object.keys(RULES).map((rule) => [rule, true])) as Record<Rule, boolean>),
  deletesConditional: false,
};

/** The protocol with some rules switched off. */
export function without(...rules: readonly Rule[]): Rules {
  return { ...FULL, ...Object.fromEntries(rules.map((rule) => [rule, false])) };
}

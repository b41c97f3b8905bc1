/** Names the settings that art reads, for help, completion and guesses. */

/** Each by its key, with what it says. */
export const KNOWN_SETTINGS: ReadonlyMap<string, string> = new Map([['user', 'whose name commits carry']]);

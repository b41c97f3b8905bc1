/** Collects what keeps single artifacts from going through, so that all others do. */
import { ArtError, isArtError } from '#base';
import type { ErrorCode } from '#base';
import type { ArtifactName } from '#version';

/** What is wrong with one artifact says nothing of the others. */
const OF_ONE: ReadonlySet<ErrorCode> = new Set([
  'ALIAS_CONFLICT',
  'DELETE_CONFLICT',
  'NAME_TAKEN',
  'NUMBERS_DIVERGED',
  'REMOTE_CORRUPT',
  'REMOTE_REWRITTEN',
  'TYPE_MISMATCH',
]);

export class Failures {
  readonly #errors = new Map<ArtifactName, ArtError>();

  /** Whether an error says something of one artifact only. */
  static ofOne(error: unknown): error is ArtError {
    return isArtError(error) && OF_ONE.has(error.code);
  }

  /** Does `work` for `name`, and gives undefined if something is wrong with that artifact alone. */
  async past<T>(name: ArtifactName, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.note(name, error);
      return undefined;
    }
  }

  /** Keeps an error of one artifact for the end; raises any other. */
  note(name: ArtifactName, error: unknown): void {
    if (!Failures.ofOne(error)) throw error;
    this.#errors.set(name, error);
  }

  has(name: ArtifactName): boolean {
    return this.#errors.has(name);
  }

  /** Raises what was kept, several errors as one with the code of the first; `done` is what went through. */
  raise(done?: object): void {
    const errors = [...this.#errors.values()];
    const messages = [...new Set(errors.map(({ message }) => message))];
    const [first] = errors;
    if (first === undefined) return;
    const { code, hint } = first;
    const options = { done, ...(hint !== undefined && { hint }) };
    if (messages.length === 1) throw new ArtError(code, first.message, { ...options, cause: first });
    throw new ArtError(code, `${errors.length} artifacts did not go through: ${messages.join('; ')}`, {
      ...options,
      cause: new AggregateError(errors),
    });
  }
}

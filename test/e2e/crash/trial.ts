/** Disturbs a command once, and looks whether all is well afterwards and when it is repeated. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isArtError } from '#base';
import { CrashPlace } from './place.ts';
import type { Fault, Ran } from './place.ts';
import type { Scenario } from './scenarios.ts';
import { copiesTooMany, leftPacks, problemsIn, versionsIn } from './seen.ts';

/** How things stand in the place of a scenario. */
interface State {
  /** JSON, or the code of the error that says why it cannot be told. */
  readonly versions: string;
  readonly result: string;
}

export class Stage implements Disposable {
  readonly scenario: Scenario;
  /** The changes on disk that the command makes when nothing disturbs it. */
  readonly changes: readonly string[];
  readonly #place: CrashPlace;
  readonly #before: State;
  readonly #after: State;
  readonly #copies: number;

  private constructor(
    scenario: Scenario,
    place: CrashPlace,
    changes: readonly string[],
    states: { readonly before: State; readonly after: State; readonly copies: number },
  ) {
    this.scenario = scenario;
    this.#place = place;
    this.changes = changes;
    this.#before = states.before;
    this.#after = states.after;
    this.#copies = states.copies;
  }

  /** Prepares the place, and runs the command undisturbed to learn what is right. */
  static async make(scenario: Scenario, program: string | undefined): Promise<Stage> {
    const place = new CrashPlace(program);
    try {
      scenario.prepare(place);
      place.keep('before');
      const before = await stateOf(scenario, place);
      const changes = place.changesOf(scenario.cwd, scenario.words);
      const after = await stateOf(scenario, place);
      const copies = copiesTooMany(join(place.path, scenario.cwd));
      return new Stage(scenario, place, changes, { before, after, copies });
    } catch (error) {
      place[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#place[Symbol.dispose]();
  }

  /** What is wrong after the command was disturbed; empty if all is well. */
  async trial(fault: Fault): Promise<string[]> {
    const { cwd, words, once } = this.scenario;
    this.#place.restore('before');
    const ran = this.#place.run(cwd, words, fault);
    const wrong = [...this.#toldWell(ran, fault), ...(await this.#standsWell(ran))];
    const done = once === true && (await stateOf(this.scenario, this.#place)).result === this.#after.result;
    if (done) return wrong;
    const again = this.#place.run(cwd, words);
    if (again.status !== 0) wrong.push(`repeated, it fails: ${again.status} ${again.stdout}${again.stderr}`);
    return [...wrong, ...(await this.#endsWell())].map((line) =>
      line.includes('first run')
        ? line
        : `${line} [first run: ${ran.status} ${ran.stderr.trim().slice(0, 300)}]`,
    );
  }

  // A process that was not killed says in one sentence what went wrong, or nothing did.
  #toldWell({ status, killed, stderr }: Ran, { how }: Fault): string[] {
    if (killed) return how === 'kill' || how === 'tear' || how === 'power' ? [] : ['it was killed'];
    if (status === null) return ['it hangs'];
    if (status !== 0 && !/^error: .*\[[A-Z_]+\]$/m.test(stderr))
      return [`it does not tell why it failed: ${stderr}`];
    return /\n\s+at /.test(stderr) ? [`it shows a stack: ${stderr}`] : [];
  }

  async #standsWell({ status }: Ran): Promise<string[]> {
    const wrong: string[] = [];
    const state = await stateOf(this.scenario, this.#place);
    const [before, after] = [this.#before, this.#after];
    const half = this.scenario.mayBeHalf === true;
    if (state.versions !== before.versions && state.versions !== after.versions && !isError(before.versions))
      wrong.push(`versions are neither as before nor as after: ${state.versions}`);
    if (status === 0 && state.result !== after.result)
      wrong.push(`it says that it is done, and is not: ${state.result}`);
    if (!half && state.result !== before.result && state.result !== after.result)
      wrong.push(`the result is half done: ${state.result}`);
    // What was damaged before may be so still.
    if (!isError(before.versions)) wrong.push(...(await this.#problems()));
    return wrong;
  }

  async #endsWell(): Promise<string[]> {
    const wrong = await this.#problems();
    const state = await stateOf(this.scenario, this.#place);
    if (state.result !== this.#after.result)
      wrong.push(`repeated, it ends otherwise: ${state.result}, not ${this.#after.result}`);
    const folder = join(this.#place.path, this.scenario.cwd);
    if (!existsSync(join(folder, '.art', 'packs'))) return wrong;
    const copies = copiesTooMany(folder);
    if (copies > this.#copies) wrong.push(`${copies - this.#copies} chunks are stored twice`);
    const left = leftPacks(folder);
    if (left.length > 0) wrong.push(`unfinished packs are left: ${left.join(' ')}`);
    return wrong;
  }

  async #problems(): Promise<string[]> {
    try {
      return (await problemsIn(join(this.#place.path, this.scenario.cwd))).map((text) => `fsck: ${text}`);
    } catch (error) {
      return [`fsck fails: ${String(error)}`];
    }
  }
}

async function stateOf({ cwd, result }: Scenario, { path }: CrashPlace): Promise<State> {
  return { versions: await told(() => versionsIn(join(path, cwd))), result: await told(() => result(path)) };
}

async function told(look: () => Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify(await look());
  } catch (error) {
    if (!isArtError(error)) throw error;
    return error.code;
  }
}

function isError(state: string): boolean {
  return /^[A-Z_]+$/.test(state);
}

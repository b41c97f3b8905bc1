/** Visits every state that a model can come to, nearest first, and finds the shortest way to a broken promise. */
import { StateTable } from './state-table.ts';

/** One thing that one actor does in one instant. */
export interface Step<S> {
  readonly actor: string;
  readonly act: string;
  readonly next: S;
}

/** What can happen, told so that a machine can try all of it. */
export interface Model<S> {
  readonly first: S;
  /** How many 32-bit words one state takes. */
  readonly words: number;
  write(state: S, words: Uint32Array): void;
  read(words: Uint32Array): S;
  /** Everything that can happen next; none: the story ends here. */
  steps(state: S): readonly Step<S>[];
  /** Says which promise the state breaks, if it breaks one. */
  broken(state: S): string | undefined;
  /** States that must be come past, or the exploration proves nothing. */
  readonly sights: Readonly<Record<string, (state: S) => boolean>>;
}

export interface Exploration {
  readonly states: number;
  /** Whether every state was visited: neither a loss nor `statesMax` ended it. */
  readonly complete: boolean;
  /** The sights that were come past. */
  readonly seen: ReadonlySet<string>;
  /** The shortest story that breaks a promise, a line a step; the last line says which. */
  readonly loss?: readonly string[];
}

/** Explores breadth first, up to the first broken promise. Memory: 4 x (words + 4) bytes a state at most. */
export function explore<S>(model: Model<S>, { statesMax = 20_000_000 } = {}): Exploration {
  const table = new StateTable(model.words);
  const words = new Uint32Array(model.words);
  const sights = new Map(Object.entries(model.sights));
  const seen = new Set<string>();

  const visit = (state: S, from: number): void => {
    model.write(state, words);
    table.add(words, from);
  };

  visit(model.first, 0);
  for (let at = 0; at < table.size; at++) {
    table.get(at, words);
    const state = model.read(words);
    const broken = model.broken(state);
    if (broken !== undefined) {
      return { states: table.size, complete: false, seen, loss: [...story(model, table, at), broken] };
    }
    for (const [name, sight] of sights) {
      if (!sight(state)) continue;
      seen.add(name);
      sights.delete(name);
    }
    if (table.size > statesMax) return { states: table.size, complete: false, seen };
    for (const { next } of model.steps(state)) visit(next, at);
  }
  return { states: table.size, complete: true, seen };
}

/** The steps that led to a state, in readable lines. */
function story<S>(model: Model<S>, table: StateTable, last: number): string[] {
  const lines: string[] = [];
  const words = new Uint32Array(model.words);
  for (let at = last; at !== 0; at = table.parent(at)) {
    const step = model.steps(model.read(table.get(table.parent(at), words))).find(({ next }) => {
      model.write(next, words);
      return table.find(words) === at;
    })!;
    lines.push(`${step.actor.padEnd(9)} ${step.act}`);
  }
  return lines.reverse();
}

/** Runs one scenario: every tool in turn at every step, round after round, and keeps what each cost. */
import { differences, diskBytes, measure, settle, type Ballast, type Usage } from './measure.ts';
import type { Peer, Place } from './peer.ts';
import type { Scratch } from './scratch.ts';
import { unchanged, type Change, type Scenario, type Step } from './workloads.ts';

export interface Sample extends Usage {
  /** What the repository grew by, and what it takes after it; null for a checkout. */
  readonly addedBytes: number | null;
  readonly repositoryBytes: number | null;
  /** What went over the border to or from the remote, as the tool itself counts it; null where it does not. */
  readonly requests: number | null;
  readonly sentBytes: number | null;
}

/** Samples of one tool at one step, one a round; null where a round failed. */
export interface Row {
  readonly step: Step;
  readonly peer: Peer;
  readonly samples: readonly Sample[];
  readonly problem: string | null;
}

export interface Run {
  readonly scenario: Scenario;
  /** Steps after the last of these are left out. */
  readonly wanted: ReadonlySet<string>;
  readonly peers: readonly Peer[];
  readonly rounds: number;
  readonly scratch: Scratch;
  readonly ballast: Ballast;
  readonly note: (text: string) => void;
}

/** Round 0 warms everything up, proves that each checkout is right, and is dropped, unless it is the only one. */
export function runScenario(run: Run): Row[] {
  const { scenario, wanted, peers, scratch } = run;
  const roundsKept = Math.min(run.rounds, scenario.roundsMax ?? run.rounds);
  const roundsDropped = scenario.roundsMax === 1 ? 0 : 1;
  const last = scenario.steps.findLastIndex(({ row }) => wanted.has(row));
  const source = `${scratch.folder('source')}/data`;
  const collected = new Map<string, Sample[]>();
  const problems = new Map<Peer, string>();

  for (let round = 0; round < roundsDropped + roundsKept; round++) {
    const places = new Map(peers.map((peer) => [peer, makePlace(run, peer, source)]));
    const committed = new Map<Peer, number>();
    for (const step of scenario.steps.slice(0, last + 1)) {
      // A checkout that nobody asked for leads to nothing, but for the first time, when it is the proof.
      if (step.commits === undefined && !step.inPlace && !wanted.has(step.row) && round > 0) continue;
      for (const peer of rotated(peers, round)) if (!problems.has(peer)) key(collected, step, peer);
      for (const change of step.commits ?? [undefined]) {
        change?.(source);
        for (const peer of rotated(peers, round)) {
          if (problems.has(peer)) continue;
          run.note(`round ${round}: ${step.row}: ${peer.name}`);
          try {
            const place = places.get(peer)!;
            const number = committed.get(peer) ?? 0;
            if (number === 0 && step.commits !== undefined) measure(peer.prepare(place));
            const sample =
              change === undefined
                ? checkOut(run, step, { peer, place, number: number - 1, prove: round === 0 })
                : commit(run, change, { peer, place, number });
            if (change !== undefined) committed.set(peer, number + 1);
            addUp(key(collected, step, peer), round - roundsDropped, sample);
          } catch (error) {
            problems.set(peer, (error as Error).message);
          }
        }
      }
    }
    for (const { repository, home } of places.values())
      [repository, home].forEach((path) => scratch.retire(path));
    scratch.sweep();
  }
  scratch.retire(source);
  return scenario.steps
    .filter(({ row }) => wanted.has(row))
    .flatMap((step) =>
      peers.map((peer) => ({
        step,
        peer,
        samples: key(collected, step, peer),
        problem: problems.get(peer) ?? null,
      })),
    );
}

interface Turn {
  readonly peer: Peer;
  readonly place: Place;
  readonly number: number;
}

function commit(run: Run, change: Change, { peer, place, number }: Turn): Sample {
  if (peer.stage !== undefined && change !== unchanged) measure(peer.stage(place, number));
  const before = diskBytes(place.repository);
  const usage = measureWarm(run, () => measure(peer.commit(place, number)));
  settle();
  const repositoryBytes = diskBytes(place.repository);
  return { ...usage, ...trafficOf(peer, place), addedBytes: repositoryBytes - before, repositoryBytes };
}

function checkOut(
  run: Run,
  { inPlace = false }: Step,
  { peer, place, number, prove }: Turn & { readonly prove: boolean },
): Sample {
  const target = inPlace ? `${place.home}/clone/bench` : run.scratch.folder('out');
  const usage = measureWarm(run, () => measure(peer.checkout(place, number, target)));
  const wrong = prove ? differences(place.source, target) : '';
  if (!inPlace) run.scratch.retire(target);
  if (wrong !== '') throw new Error(`the checkout differs: ${wrong}`);
  return { ...usage, ...trafficOf(peer, place), addedBytes: null, repositoryBytes: null };
}

function trafficOf(peer: Peer, place: Place): Pick<Sample, 'requests' | 'sentBytes'> {
  const traffic = peer.traffic?.(place);
  return { requests: traffic?.requests ?? null, sentBytes: traffic?.bytes ?? null };
}

function measureWarm({ ballast }: Run, command: () => Usage): Usage {
  ballast.load();
  settle();
  ballast.drop();
  return command();
}

function makePlace({ scratch }: Run, peer: Peer, source: string): Place {
  return {
    source,
    repository: scratch.folder(`${peer.name}-repository`),
    home: scratch.folder(`${peer.name}-home`),
  };
}

function key(collected: Map<string, Sample[]>, step: Step, peer: Peer): Sample[] {
  const name = `${step.row} ${peer.name}`;
  const samples = collected.get(name) ?? [];
  collected.set(name, samples);
  return samples;
}

/** Adds a sample to those of its round: a step of several commits counts as one. */
function addUp(samples: Sample[], round: number, sample: Sample): void {
  if (round < 0) return;
  const sum = samples[round];
  samples[round] =
    sum === undefined
      ? sample
      : {
          wallSeconds: sum.wallSeconds + sample.wallSeconds,
          cpuSeconds: sum.cpuSeconds + sample.cpuSeconds,
          peakRssBytes: Math.max(sum.peakRssBytes ?? 0, sample.peakRssBytes ?? 0) || null,
          addedBytes: sum.addedBytes === null ? null : sum.addedBytes + (sample.addedBytes ?? 0),
          repositoryBytes: sample.repositoryBytes,
          requests: sum.requests === null ? null : sum.requests + (sample.requests ?? 0),
          sentBytes: sum.sentBytes === null ? null : sum.sentBytes + (sample.sentBytes ?? 0),
        };
}

/** Another tool begins each round, so that none always runs in the wake of the same one. */
function rotated(peers: readonly Peer[], round: number): Peer[] {
  const at = round % peers.length;
  return [...peers.slice(at), ...peers.slice(0, at)];
}

/** `art checkout`: makes folders hold versions. */
import { ArtError, formatBytes, formatCount } from '#base';
import type { CheckoutRequest, CheckoutResult } from '#repo';
import { defineCommand } from '../command.ts';
import { printable } from '../text.ts';

export const checkoutCommand = defineCommand({
  usage: [
    'checkout SPEC [DIR] [--path P]... [--force] [--clean] [--no-bind] [--dry-run]',
    'checkout [--force] [--clean] [--dry-run]',
    'checkout --locked [NAME...] [--force] [--clean] [--dry-run]',
  ],
  summary: 'Make a folder hold a version',
  words: [0, Infinity],
  options: {
    path: {
      kind: 'text',
      value: 'P',
      given: 'list',
      describe: 'Only paths that begin with P (`train/`: that folder)',
    },
    force: { kind: 'switch', describe: 'Overwrite uncommitted changes' },
    clean: { kind: 'switch', describe: 'Remove untracked files too, but for ignored ones' },
    'no-bind': { kind: 'switch', describe: 'Do not bind the folder in art.toml' },
    locked: { kind: 'switch', describe: 'The words are names; take the versions from art.lock' },
    'dry-run': { kind: 'switch', describe: 'Only say what would change' },
  },
  examples: [
    ['art checkout cifar:v3', 'the bound folder (else artifacts/cifar) becomes v3'],
    ['art checkout', 'every bound folder becomes what art.lock wants'],
    ['art checkout cifar:best /tmp/cifar --path train/', 'a part of a version, elsewhere'],
    ['art checkout cifar --force', 'throw uncommitted changes away'],
  ],
  stopped: 'stopped midway; run the same command again to finish',
  async run({ words, options, out, open }) {
    const request = requestOf(words, options);
    const results: CheckoutResult[] = [];
    {
      await using repository = await open({ signed: request.force === true || request.clean === true });
      results.push(...(await repository.checkout(request)));
    }
    const documents = results.map(documentOf);
    if (out.json) return out.document(request.spec === undefined ? documents : documents[0]);
    for (const result of results) out.say(checkoutText(result, { dryRun: options['dry-run'] }));
    const lost = results.reduce((sum, result) => sum + result.lost, 0);
    const undo = results.find((result) => result.undo !== null)?.undo;
    if (undo !== undefined)
      out.note(
        `what only the folder had is kept (${formatCount(lost)} in all); to get it back: art undo ${undo}`,
      );
  },
});

interface Given {
  readonly path: readonly string[];
  readonly force: boolean;
  readonly clean: boolean;
  readonly 'no-bind': boolean;
  readonly locked: boolean;
  readonly 'dry-run': boolean;
}

function requestOf(words: readonly string[], given: Given): CheckoutRequest {
  const { path, force, clean, locked } = given;
  const shared = { force, clean, dryRun: given['dry-run'] };
  if (locked || words.length === 0) {
    if (path.length > 0) throw new ArtError('USAGE', '--path needs the SPEC of one version');
    if (given['no-bind']) throw new ArtError('USAGE', '--no-bind needs the SPEC of one version');
    return { ...shared, ...(words.length > 0 && { names: words }) };
  }
  const [spec, dir, extra] = words;
  if (extra !== undefined) {
    throw new ArtError('USAGE', `unexpected word ${JSON.stringify(extra)}`, {
      hint: 'Several names need --locked; see `art checkout --help`.',
    });
  }
  return {
    ...shared,
    spec,
    ...(dir !== undefined && { dir }),
    ...(path.length > 0 && { paths: path }),
    ...(given['no-bind'] && { bind: false }),
  };
}

/** What the contract says of a checkout. */
export function documentOf({ lost: _, undo: __, ...document }: CheckoutResult): object {
  return document;
}

/** `cifar:v3 is in data/cifar: 12 written (3.4 MiB), 2 removed, 1,000 unchanged`. */
export function checkoutText(result: CheckoutResult, { dryRun }: { readonly dryRun: boolean }): string {
  const { name, version, dir, written, removed, unchanged, bytes } = result;
  const counts = `${formatCount(written)} written (${formatBytes(bytes)}), ${formatCount(removed)} removed, ${formatCount(unchanged)} unchanged`;
  return `${name}:${version} ${dryRun ? 'would be' : 'is'} in ${printable(dir)}: ${counts}`;
}

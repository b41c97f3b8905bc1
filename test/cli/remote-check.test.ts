/** Checks what is told of a store that does not keep what sharing needs. */
import { expect, test } from 'vitest';
import { Output } from '../../src/cli/output.ts';
import { tellChecks } from '../../src/cli/remote-check.ts';
import { memorySink } from './host.ts';

const CHECKED = {
  name: 'lab',
  url: 's3://bucket',
  verdict: 'single',
  checks: [
    { check: 'read back', ok: true, needed: 'use', detail: 'as promised' },
    { check: 'swap', ok: false, needed: 'sharing', detail: 'two writers won' },
  ],
} as const;

async function told({ json }: { readonly json: boolean }) {
  const [stdout, stderr] = [memorySink(), memorySink()];
  const { signal } = new AbortController();
  const out = new Output({ stdout, stderr, json, quiet: false, color: false, signal });
  const status = await tellChecks(CHECKED, out);
  await out.end();
  return { status, out: stdout.text(), err: stderr.text() };
}

test('people see which promise it does not keep', async () => {
  expect(await told({ json: false })).toEqual({
    status: 1,
    out:
      'ok     read back  as promised\nfails  swap       two writers won\n' +
      'lab is not fit for sharing: it would lose what several push at once\n',
    err: 'choose a store with conditional writes, or a folder that only one machine writes to\n',
  });
});

test('so do programs', async () => {
  const { status, out } = await told({ json: true });
  expect({ status, document: JSON.parse(out) as unknown }).toEqual({ status: 1, document: CHECKED });
});

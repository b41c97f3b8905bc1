/** `art fsck`: checks everything, and mends it. */
import { formatCount } from '#base';
import { defineCommand } from '../command.ts';
import { printable } from '../text.ts';

const DAMAGED = 4;
const SHOWN_MAX = 20;

export const fsckCommand = defineCommand({
  usage: ['fsck [--deep] [--repair] [--break-lock]'],
  summary: 'Check everything, and mend it',
  words: [0, 0],
  options: {
    deep: { kind: 'switch', describe: 'Read every byte too' },
    repair: { kind: 'switch', describe: 'Rebuild the database from the packs' },
    'break-lock': { kind: 'switch', describe: 'First free a lock whose holder is gone for good' },
  },
  examples: [
    ['art fsck', 'is all there?'],
    ['art fsck --deep', 'and is every byte as it was?'],
    ['art fsck --repair', 'the database is damaged: rebuild it from the packs'],
  ],
  stopped: 'stopped; run the same command again to finish',
  async run({ options, out, open }) {
    const result = await checked();
    if (out.json) out.document(result);
    else await out.whileRead(tell);
    return result.ok ? 0 : DAMAGED;

    async function checked() {
      await using repository = await open();
      return await repository.fsck({
        deep: options.deep,
        repair: options.repair,
        breakLock: options['break-lock'],
      });
    }

    async function tell(): Promise<void> {
      const { ok, damaged, healed, promised, checked: count } = result;
      for (const { cid, kind, versions, paths } of damaged) {
        await out.line(`${out.style('red', 'damaged')}  ${kind} ${cid}`);
        for (const [label, list] of [
          ['in', versions],
          ['path', paths],
        ] as const) {
          for (const text of list.slice(0, SHOWN_MAX)) await out.line(`         ${label} ${printable(text)}`);
          if (list.length > SHOWN_MAX)
            await out.line(`         and ${formatCount(list.length - SHOWN_MAX)} more`);
        }
      }
      for (const problem of result.problems) await out.line(printable(problem));
      if (healed > 0) await out.line(`${formatCount(healed, 'problem')} mended`);
      const looked = formatCount(count, 'object');
      if (promised > 0)
        await out.line(`${formatCount(promised, 'object')} not here, as a remote has promised to keep them`);
      if (ok) return out.say(`all is well: ${looked} checked`);
      await out.line(`${looked} checked, ${formatCount(damaged.length)} damaged`);
      if (!options.repair) out.note('`art fsck --repair` rebuilds the database from the packs');
    }
  },
});

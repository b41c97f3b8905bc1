/** `art remote`: adds, lists, removes and checks the places to share through. */
import { ArtError } from '#base';
import { defineCommand } from '../command.ts';
import type { Output } from '../output.ts';
import { checkRemote } from '../remote-check.ts';
import { ADDRESS_OPTIONS, addressOf } from '../remote-words.ts';
import { alignRows, printable } from '../text.ts';
import type { NewRemote, RemoteEntry, Repository } from '#repo';

export const remoteCommand = defineCommand({
  usage: [
    'remote add NAME URL [--endpoint URL] [--region R] [--path-style] [--profile P] [--local]',
    'remote list',
    'remote remove NAME',
    'remote check NAME',
  ],
  summary: 'Add, list, remove and check places to share through',
  words: [0, 3],
  options: ADDRESS_OPTIONS,
  examples: [
    ['art remote add origin /mnt/share/art', 'a folder: on a network share, a stick, a synced drive'],
    ['art remote add lab s3://bucket/prefix --endpoint https://s3.example.org', 'an S3-compatible store'],
    ['art remote remove lab', 'forget it; nothing there changes'],
    ['art remote check lab', 'try whether the store keeps what sharing needs; it leaves nothing there'],
  ],
  async run({ words, options, out, now, env, open }) {
    const [action = 'list', ...rest] = words;
    if (action !== 'add' && action !== 'list' && action !== 'remove' && action !== 'check')
      throw new ArtError('USAGE', `${JSON.stringify(action)} is nothing that art remote does`, {
        hint: 'Write add, list, remove or check; see `art remote --help`.',
      });
    const wanted = { add: 2, list: 0, remove: 1, check: 1 }[action];
    if (rest.length !== wanted)
      throw new ArtError(
        'USAGE',
        `art remote ${action} takes ${wanted === 1 ? '1 word' : `${wanted} words`}`,
        {
          hint: 'See `art remote --help`.',
        },
      );
    await using repository = await open();
    if (action === 'list') return await list(repository, out);
    if (action === 'check') return await checkRemote(repository, rest[0], { out, env, now });
    const entry =
      action === 'add'
        ? await add(repository, { name: rest[0], url: rest[1], ...addressOf(options) }, env['HOME'])
        : await repository.removeRemote(rest[0]);
    const { name, url } = entry;
    if (out.json) return out.document({ name, url });
    out.say(`${action === 'add' ? 'added' : 'removed'} the remote ${name}: ${printable(url)}`);
  },
});

/** Refuses at once what no command could reach. */
async function add(
  repository: Repository,
  remote: NewRemote,
  home: string | undefined,
): Promise<RemoteEntry> {
  const { parseBucketUrl } = await import('#sync');
  parseBucketUrl(remote.url, { ...remote, cwd: repository.root, home });
  return repository.addRemote(remote);
}

async function list(repository: Repository, out: Output): Promise<void> {
  const remotes = repository.remotes();
  if (out.json) return out.array([remotes.map(({ name, url }) => ({ name, url }))]);
  if (remotes.length === 0) out.say('there is no remote yet: `art remote add origin FOLDER` adds one');
  const cells = ({ name, url, endpoint, local }: RemoteEntry) => [
    out.style('bold', name),
    printable(url) + (endpoint === undefined ? '' : ` at ${printable(endpoint)}`),
    local ? 'here only' : '',
  ];
  for (const line of alignRows(remotes.map(cells))) await out.line(line);
}

/** `art config`: reads and changes settings. */
import { ArtError, isArtError, suggest } from '#base';
import { defineCommand } from '../command.ts';
import type { Output } from '../output.ts';
import { KNOWN_SETTINGS } from '../settings.ts';
import { alignRows, printable } from '../text.ts';

export const configCommand = defineCommand({
  usage: ['config [KEY [VALUE]] [--global]'],
  summary: 'Read and change settings',
  words: [0, 2],
  options: {
    global: { kind: 'switch', describe: "The user's own settings, for all repositories" },
  },
  examples: [
    ['art config', 'all settings'],
    ['art config --global user "Ada <ada@example.org>"', 'whose name commits carry'],
    ['art config user', 'what is it set to?'],
  ],
  async run({ words, options, out, folder, globalConfig }) {
    const { configGet, configList, configSet, findRepository } = await import('#repo');
    const [key, value] = words;
    const local = options.global ? undefined : localConfig();
    const files = { ...(local !== undefined && { local }), global: globalConfig };
    if (key === undefined) {
      const values = configList(files);
      if (out.json) return out.document(Object.fromEntries(values));
      if (values.size === 0) out.note('nothing is set; `art help config` shows how');
      for (const line of alignRows([...values].map(([name, text]) => [name, printable(text)])))
        await out.line(line);
      return;
    }
    if (value !== undefined) {
      warnIfMistyped(key, out);
      configSet(local ?? globalConfig, key, value);
    }
    const found = configGet(files, key);
    if (out.json) return out.document({ key, value: found ?? null });
    if (value !== undefined) return out.say(`${key} is ${printable(value)}`);
    if (found === undefined) {
      const meant = suggest(key, [...configList(files).keys(), ...KNOWN_SETTINGS.keys()]);
      const hint =
        meant === undefined || meant === key ? {} : { hint: `Did you mean \`art config ${meant}\`?` };
      throw new ArtError('CONFIG_NOT_FOUND', `${JSON.stringify(key)} is not set`, hint);
    }
    await out.line(printable(found));

    /** Outside a repository the user's own settings can be read, not the repository's be changed. */
    function localConfig(): string | undefined {
      try {
        return findRepository(folder).config;
      } catch (error) {
        if (value === undefined && isArtError(error, 'REPOSITORY_NOT_FOUND')) return undefined;
        throw error;
      }
    }
  },
});

// Any key may be set: a newer art, or another program, may read it.
function warnIfMistyped(key: string, out: Output): void {
  const meant = suggest(key, KNOWN_SETTINGS.keys());
  if (meant !== undefined && meant !== key)
    out.warn(`${JSON.stringify(key)} is no setting of art; did you mean "${meant}"?`);
}

/** Reads the shared config and credentials files of AWS tools: sections of keys, one level of nesting by indentation. */
import { ArtError } from '#base';

/** Keys of a section in lower case; a nested key is `outer.inner`. */
export type IniSection = ReadonlyMap<string, string>;

/** Raises CONFIG_INVALID naming `path` and the line. */
export function parseIni(text: string, path: string): ReadonlyMap<string, IniSection> {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  let outer = '';
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const header = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line);
    if (header !== null) {
      const name = header[1].replace(/\s+/g, ' ');
      section = sections.get(name) ?? new Map();
      sections.set(name, section);
      outer = '';
      continue;
    }
    const pair = /^(\s*)([^=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
    if (pair === null || section === undefined) {
      const where = `${JSON.stringify(path)}, line ${index + 1}`;
      throw new ArtError('CONFIG_INVALID', `${where} is neither a [section] nor a key and its value`);
    }
    const [, indent, key, value] = pair;
    const nested = indent !== '' && outer !== '';
    // A comment follows a value only after a blank: secrets may hold both signs.
    section.set((nested ? `${outer}.${key}` : key).toLowerCase(), value.replace(/\s[#;].*$/, '').trim());
    if (!nested) outer = value === '' ? key : '';
  }
  return sections;
}

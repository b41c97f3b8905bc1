/** Lists an S3 bucket page by page. */
import { isDeepStrictEqual } from 'node:util';
import { ArtError, compareUtf8 } from '#base';
import { isKey } from './bucket.ts';
import type { Listed } from './bucket.ts';
import type { S3Client, S3Request } from './s3-client.ts';
import { tagOf } from './s3-upload.ts';
import type { XmlElement } from './s3-xml.ts';

export interface Asked {
  /** The bucket's own prefix, which stands before every key. */
  readonly base: string;
  readonly prefix: string;
  readonly after: string;
  /** How many keys to a request; 1,000 is the most there can be. */
  readonly pageRows: number;
  readonly signal: AbortSignal | undefined;
}

export async function* listPages(
  client: S3Client,
  { base, prefix, after, pageRows, signal }: Asked,
): AsyncGenerator<Listed, void, undefined> {
  const doing = `listing ${base}${prefix}`;
  const query = {
    'list-type': '2',
    'max-keys': String(pageRows),
    'encoding-type': 'url',
    prefix: base + prefix,
  };
  let last = after;
  let more: Readonly<Record<string, string>> = after === '' ? {} : { 'start-after': base + after };
  for (;;) {
    const asked: S3Request = { method: 'GET', query: { ...query, ...more }, signal, doing };
    const { root: page } = await client.document(asked, 'ListBucketResult');
    if (page === undefined) return; // Refusals are raised: none is accepted.
    const escaped = page.text('EncodingType') === 'url';
    let lastName: string | undefined;
    for (const row of page.all('Contents')) {
      const name = keyIn(row, { escaped });
      lastName = name;
      if (name === undefined || !name.startsWith(base)) continue;
      const key = name.slice(base.length);
      // Others may keep things beside ours; and not every store knows start-after.
      if (!isKey(key) || !key.startsWith(prefix) || compareUtf8(key, after) <= 0) continue;
      if (last !== after && compareUtf8(key, last) <= 0) {
        throw new ArtError('REMOTE_FAILED', `${doing}: the store lists ${key} after ${last}, out of order`);
      }
      last = key;
      yield listedIn(row, key, doing);
    }
    if (page.text('IsTruncated') !== 'true') return;
    // Half a list must never be taken for the whole: gc would delete what only the other half names.
    const token = page.text('NextContinuationToken');
    const next = token === undefined ? goingOnAfter(lastName) : { 'continuation-token': token };
    if (next === undefined || isDeepStrictEqual(next, more)) {
      throw new ArtError('REMOTE_FAILED', `${doing}: the store does not say how its list goes on`);
    }
    more = next;
  }
}

// Some stores know only the first version of this request, which has no tokens: the last name is where to go on.
function goingOnAfter(name: string | undefined): Readonly<Record<string, string>> | undefined {
  return name === undefined ? undefined : { 'start-after': name, marker: name };
}

function keyIn(row: XmlElement, { escaped }: { readonly escaped: boolean }): string | undefined {
  const text = row.text('Key');
  if (text === undefined || !escaped) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

function listedIn(row: XmlElement, key: string, doing: string): Listed {
  const tag = tagOf(row.text('ETag'));
  const size = Number(row.text('Size'));
  const modified = Date.parse(row.text('LastModified') ?? '');
  if (tag === undefined || !Number.isSafeInteger(size) || Number.isNaN(modified)) {
    throw new ArtError('REMOTE_FAILED', `${doing}: the store says too little of ${key}`);
  }
  return { key, tag, size, modified };
}

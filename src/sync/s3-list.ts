/** Lists an S3 bucket page by page, 1,000 keys to a request. */
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
  readonly signal: AbortSignal | undefined;
}

export async function* listPages(
  client: S3Client,
  { base, prefix, after, signal }: Asked,
): AsyncGenerator<Listed, void, undefined> {
  const doing = `listing ${base}${prefix}`;
  const query = { 'list-type': '2', 'max-keys': '1000', 'encoding-type': 'url', prefix: base + prefix };
  let last = after;
  let more: Readonly<Record<string, string>> = after === '' ? {} : { 'start-after': base + after };
  for (;;) {
    const asked: S3Request = { method: 'GET', query: { ...query, ...more }, signal, doing };
    const { root: page } = await client.document(asked, 'ListBucketResult');
    if (page === undefined) return; // Refusals are raised: none is accepted.
    const escaped = page.text('EncodingType') === 'url';
    for (const row of page.all('Contents')) {
      const name = keyIn(row, { escaped });
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
    const token = page.text('NextContinuationToken');
    if (page.text('IsTruncated') !== 'true' || token === undefined) return;
    if (token === more['continuation-token']) {
      throw new ArtError('REMOTE_FAILED', `${doing}: the store gives the same page again`);
    }
    more = { 'continuation-token': token };
  }
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

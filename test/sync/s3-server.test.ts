/** The promises of a bucket against a real S3 server: `.ci/s3` starts one, and sets ART_TEST_S3_*. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { MemoryBucket, bytesBody, decodeFormat, decodePointer, openBucket, packKey } from '#sync';
import { body, bucketContract, textAt } from '../contract/bucket.ts';
import { keysOf } from './samples.ts';
import { Clone } from './scene.ts';

const { env } = process;
const endpoint = env.ART_TEST_S3_ENDPOINT;
const name = env.ART_TEST_S3_BUCKET ?? 'art-test';
const keys = { id: env.ART_TEST_S3_KEY ?? '', secret: env.ART_TEST_S3_SECRET ?? '' };
const run = `run-${Date.now().toString(36)}`;

if (endpoint === undefined)
  console.log('S3: skipped: ART_TEST_S3_ENDPOINT is not set; `.ci/s3` starts a server');

// An independent reader; loaded only here, since it warns of the age of Node.
const aws = endpoint === undefined ? undefined : await import('@aws-sdk/client-s3');

const open = (prefix: string, secret = keys.secret, bucket = name) =>
  openBucket(`s3://${bucket}/${run}/${prefix}`, {
    cwd: '/',
    endpoint,
    env: { AWS_ACCESS_KEY_ID: keys.id, AWS_SECRET_ACCESS_KEY: secret },
  });

describe.skipIf(aws === undefined)(`a real S3 server (${env.ART_TEST_S3_SERVER ?? 'none'})`, () => {
  bucketContract('S3Bucket', () => open('contract'));
  bucketContract('S3Bucket below an odd prefix', () => open("a b/ü+%41/!'()*"));

  const sdk = () =>
    new aws!.S3Client({
      endpoint: endpoint!,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: keys.id, secretAccessKey: keys.secret },
    });

  test('another client reads what we wrote, short and long, and sees the same tags', async () => {
    await using bucket = await open('sdk');
    const long = Buffer.alloc(20_000_001, 'long ');
    const tags = new Map([
      ['packs/a%42.pack', await bucket.putIfAbsent('packs/a%42.pack', body('short'))],
      ['packs/long', await bucket.putIfAbsent('packs/long', bytesBody(long))],
    ]);
    for (const [key, tag] of tags) {
      const found = await sdk().send(new aws!.HeadObjectCommand({ Bucket: name, Key: `${run}/sdk/${key}` }));
      expect(found.ETag).toBe(`"${tag}"`);
    }
    const got = await sdk().send(
      new aws!.GetObjectCommand({ Bucket: name, Key: `${run}/sdk/packs/long`, ChecksumMode: 'ENABLED' }),
    );
    expect(Buffer.from(await got.Body!.transformToByteArray()).equals(long)).toBe(true);
    const listed = await sdk().send(new aws!.ListObjectsV2Command({ Bucket: name, Prefix: `${run}/sdk/` }));
    expect(listed.Contents?.map(({ Key }) => Key)).toEqual(
      [...tags.keys()].map((key) => `${run}/sdk/${key}`),
    );
  });

  test('all that a push writes is there for another client: a bucket of its copies is cloned whole', async () => {
    await using bucket = await open('push');
    await using ada = await Clone.make(bucket);
    const files = { 'large.bin': randomBytes(18 * 1024 * 1024), 'small.txt': 'small', empty: '' };
    await ada.commit('data', files);
    await ada.alias('data:v0', 'best');
    await ada.commit('Other', { 'a.txt': 'a' });
    await ada.push();
    await ada.commit('data', { ...files, 'small.txt': 'changed' });
    await ada.push();

    const prefix = `${run}/push/`;
    const listed = await sdk().send(new aws!.ListObjectsV2Command({ Bucket: name, Prefix: prefix }));
    const keys = listed.Contents!.map(({ Key }) => Key!.slice(prefix.length));
    expect(keys).toEqual(await keysOf(bucket, ''));
    const copies = new MemoryBucket();
    const read = new Map<string, Buffer>();
    for (const key of keys) {
      const got = await sdk().send(
        new aws!.GetObjectCommand({ Bucket: name, Key: prefix + key, ChecksumMode: 'ENABLED' }),
      );
      const bytes = Buffer.from(await got.Body!.transformToByteArray());
      expect([key, got.ETag]).toEqual([key, `"${(await bucket.get(key))!.tag}"`]);
      read.set(key, bytes);
      await copies.putIfAbsent(key, bytesBody(bytes));
    }
    expect(decodeFormat(read.get('format')!, { url: bucket.url, writing: true }).id).toMatch(
      /^[0-9a-f]{32}$/,
    );
    for (const artifact of ['data', '%other']) {
      const pointer = decodePointer(read.get(`refs/a/${artifact}`)!, artifact);
      for (const pack of pointer.packs) expect(keys).toContain(packKey(pack as never));
    }
    const packs = keys.filter((key) => key.startsWith('packs/'));
    expect(packs.some((key) => read.get(key)!.length > 16 * 1024 * 1024)).toBe(true);
    for (const key of packs) {
      const index = read.get(key.replace('packs/', 'idx/').replace('.pack', '.idx'))!;
      expect(read.get(key)!.subarray(-index.length).equals(index), key).toBe(true);
    }
    await using ben = await Clone.make(copies);
    await ben.pull();
    await ben.check();
    for (const artifact of ['data', 'Other']) {
      expect(await ben.versions(artifact)).toEqual(await ada.versions(artifact));
      for (const row of await ada.versions(artifact)) {
        const spec = `${artifact}:${row.split(' ')[0]}`;
        expect(await ben.contents(spec)).toEqual(await ada.contents(spec));
      }
    }
  }, 90_000);

  test('an upload that is stopped or lost leaves no parts to be paid for', async () => {
    await using bucket = await open('stopped');
    const stopping = new AbortController();
    const slow = {
      size: 30_000_000,
      async *open(range = { offset: 0, length: 30_000_000 }) {
        if (range.offset > 8_000_000) stopping.abort();
        for (let at = 0; at < range.length; at += 1_000_000) {
          yield Buffer.alloc(Math.min(1_000_000, range.length - at), 1);
        }
      },
    };
    await expect(bucket.putIfAbsent('packs/x', slow, { signal: stopping.signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    await bucket.putIfAbsent('packs/y', body('first'));
    expect(await bucket.putIfAbsent('packs/y', bytesBody(Buffer.alloc(17_000_000)))).toBeUndefined();
    expect(await textAt(bucket, 'packs/y')).toBe('first');
    const left = await sdk().send(new aws!.ListMultipartUploadsCommand({ Bucket: name }));
    expect(left.Uploads?.filter(({ Key }) => Key?.includes('stopped')) ?? []).toEqual([]);
  });

  test('a list goes on after a page of a thousand', async () => {
    await using bucket = await open('pages');
    const expected = Array.from({ length: 1100 }, (_, i) => `k/${String(i).padStart(5, '0')}`);
    const queue = [...expected];
    const lane = async () => {
      for (let key = queue.pop(); key !== undefined; key = queue.pop())
        await bucket.putIfAbsent(key, body('x'));
    };
    await Promise.all(Array.from({ length: 8 }, lane));
    const before = bucket.traffic!.requests;
    expect(await keysOf(bucket, '')).toEqual(expected);
    expect(bucket.traffic!.requests - before).toBe(2);
    expect(await keysOf(bucket, 'k/', 'k/01050')).toEqual(expected.slice(1051));
  });

  test('wrong keys and a bucket that is not there are each told', async () => {
    await using wrong = await open('x', 'not-the-secret');
    await expect(wrong.get('format')).rejects.toMatchObject({
      code: 'REMOTE_DENIED',
      message: expect.stringContaining('SignatureDoesNotMatch'),
      hint: expect.stringContaining('secret key'),
    });
    await using gone = await open('x', keys.secret, 'no-such-bucket');
    const missing = { code: 'BUCKET_NOT_FOUND', message: expect.stringContaining('no-such-bucket') };
    await expect(gone.get('format')).rejects.toMatchObject(missing);
    await expect(keysOf(gone, '')).rejects.toMatchObject(missing);
    await expect(gone.putIfAbsent('format', body('1'))).rejects.toMatchObject(missing);
  });

  test('a clock that is off is told, and by how much', async () => {
    await using bucket = await openBucket(`s3://${name}/x`, {
      cwd: '/',
      endpoint,
      env: { AWS_ACCESS_KEY_ID: keys.id, AWS_SECRET_ACCESS_KEY: keys.secret },
      now: () => Date.now() + 2 * 3_600_000,
    });
    await expect(bucket.get('format')).rejects.toMatchObject({
      code: 'REMOTE_CLOCK',
      message: expect.stringMatching(/clock is .*2.* ahead of/),
    });
  });
});

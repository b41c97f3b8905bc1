import { describe, expect, test } from 'vitest';
import { bytesBody, openBucket, readAll } from '#sync';
import type { Bucket, BucketOptions } from '#sync';
import { body, textAt } from '../contract/bucket.ts';
import { keysOf } from './samples.ts';
import { errorXml, scriptedStore } from './scripted-store.ts';
import type { Asked, Reply } from './scripted-store.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'the-key', AWS_SECRET_ACCESS_KEY: 'the-secret' };

/** Runs `use` on a bucket whose store answers with `replies`, one after the other; gives what the store was asked. */
async function against(
  replies: readonly Reply[] | ((asked: Asked, index: number) => Reply),
  use: (bucket: Bucket) => Promise<void>,
  options: Partial<BucketOptions> = {},
): Promise<readonly Asked[]> {
  const answer =
    typeof replies === 'function' ? replies : (_: Asked, index: number) => replies[index] ?? { status: 599 };
  await using store = await scriptedStore(answer);
  await using bucket = await openBucket('s3://data/team', {
    cwd: '/',
    endpoint: store.endpoint,
    env: KEYS,
    silenceMs: 150,
    ...options,
  });
  await use(bucket);
  return store.asked;
}

const etag = (tag: string) => ({ etag: `"${tag}"` });
const refusal = (status: number, code: string, more?: string): Reply => ({
  status,
  body: errorXml(code, more),
});
const failsWith = (code: string, message = '') => ({ code, message: expect.stringContaining(message) });

describe('reading from S3', () => {
  test('is tried again after a cut connection, a busy store and a broken one', async () => {
    const asked = await against(
      [
        { cutAt: 0 },
        refusal(503, 'SlowDown'),
        refusal(500, 'InternalError'),
        { headers: etag('t'), body: 'at last' },
      ],
      async (bucket) => expect(await textAt(bucket, 'format')).toBe('at last'),
    );
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual(
      Array(4).fill('GET /data/team/format'),
    );
  });

  test('of many keys at once warns nobody of the many that listen to one signal', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    try {
      const { signal } = new AbortController();
      await against(
        () => ({ headers: etag('t'), body: 'one' }),
        async (bucket) => {
          await Promise.all(Array.from({ length: 20 }, (_, i) => bucket.get(`packs/${i}`, { signal })));
        },
      );
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('warning', onWarning);
    }
    expect(warnings).toEqual([]);
  });

  test('goes on where an answer broke off, and takes no byte twice', async () => {
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i * 7));
    const asked = await against(
      ({ headers }, index) => {
        const from = Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
        const range = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
        const reply = { status: from === 0 ? 200 : 206, headers: { ...etag('t'), ...(from > 0 && range) } };
        return { ...reply, body: bytes.subarray(from), ...(index < 2 && { cutAt: 1_000_000 }) };
      },
      async (bucket) => {
        const got = await bucket.get('packs/a');
        expect(Buffer.from((await readAll(got!.body, 4e6))!).equals(bytes)).toBe(true);
      },
    );
    expect(asked).toHaveLength(3);
    expect(asked[2].headers.range).toMatch(/^bytes=2\d{6}-2999999$|^bytes=1\d{6}-2999999$/);
  });

  test('stops when the object is another one after a break', async () => {
    const bytes = Buffer.alloc(2_000_000);
    await against(
      (_, index) => ({ headers: etag(`t${index}`), body: bytes, ...(index === 0 && { cutAt: 1_000_000 }) }),
      async (bucket) => {
        const got = await bucket.get('packs/a');
        await expect(readAll(got!.body, 4e6)).rejects.toMatchObject(
          failsWith('REMOTE_FAILED', 'changed while'),
        );
      },
    );
  });

  test('takes only what it asked for from a store that answers a range with the whole', async () => {
    await against([{ headers: etag('t'), body: '0123456789' }], async (bucket) => {
      const got = await bucket.get('packs/a', { range: { offset: 3, length: 4 } });
      expect(got?.size).toBe(10);
      expect(Buffer.from((await readAll(got!.body, 100))!).toString()).toBe('3456');
    });
  });

  test('gives up on a store that is silent, soon', async () => {
    const asked = await against(
      () => ({ silent: true }),
      async (bucket) => {
        await expect(bucket.get('format')).rejects.toMatchObject(
          failsWith('REMOTE_UNREACHABLE', 'nothing came'),
        );
      },
    );
    expect(asked).toHaveLength(5);
  });

  test('can be stopped while it waits', async () => {
    await against(
      () => ({ silent: true }),
      async (bucket) => {
        const signal = AbortSignal.timeout(50);
        await expect(bucket.get('format', { signal })).rejects.toMatchObject(failsWith('INTERRUPTED'));
      },
      { silenceMs: 60_000 },
    );
  });
});

describe('writing to S3', () => {
  test('sends the condition, the sum, and a signature that covers both', async () => {
    const asked = await against(
      [{ headers: etag('one') }, { headers: etag('two') }],
      async (bucket) => {
        expect(await bucket.putIfAbsent('refs/a/x', body('1'))).toBe('one');
        expect(await bucket.putIfTag('refs/a/x', body('2'), 'one')).toBe('two');
      },
      { env: { ...KEYS, AWS_SESSION_TOKEN: 'the-token' } },
    );
    expect(asked[0].headers).toMatchObject({
      'if-none-match': '*',
      'x-amz-checksum-sha256': 'a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=',
      'x-amz-content-sha256': '6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b',
      'x-amz-security-token': 'the-token',
      'content-length': '1',
    });
    expect(asked[0].headers.authorization).toMatch(
      /SignedHeaders=host;if-none-match;x-amz-checksum-sha256;x-amz-/,
    );
    expect(asked[1].headers['if-match']).toBe('"one"');
  });

  test('is lost at 412, and tried again at 409', async () => {
    const asked = await against(
      [refusal(409, 'ConditionalRequestConflict'), refusal(412, 'PreconditionFailed')],
      async (bucket) => expect(await bucket.putIfAbsent('packs/a', body('x'))).toBeUndefined(),
    );
    expect(asked).toHaveLength(2);
  });

  test('is won if the second try succeeds: the first cannot have been', async () => {
    await against([{ cutAt: 0 }, { headers: etag('t') }], async (bucket) => {
      expect(await bucket.putIfAbsent('packs/a', body('x'))).toBe('t');
    });
  });

  test('is uncertain if a try had no answer and the next finds the key taken', async () => {
    await against([{ cutAt: 0 }, refusal(412, 'PreconditionFailed')], async (bucket) => {
      await expect(bucket.putIfAbsent('packs/a', body('x'))).rejects.toMatchObject(
        failsWith('REMOTE_UNCERTAIN', 'packs/a'),
      );
    });
    await against([refusal(500, 'InternalError'), refusal(412, 'PreconditionFailed')], async (bucket) => {
      await expect(bucket.putIfTag('refs/a', body('x'), 't')).rejects.toMatchObject(
        failsWith('REMOTE_UNCERTAIN'),
      );
    });
  });

  test('is uncertain if no try had an answer', async () => {
    await against(
      () => ({ silent: true }),
      async (bucket) => {
        await expect(bucket.putIfAbsent('packs/a', body('x'))).rejects.toMatchObject(
          failsWith('REMOTE_UNCERTAIN'),
        );
      },
    );
  });

  test('is lost, not uncertain, if the store was busy and then finds the key taken', async () => {
    await against([refusal(503, 'SlowDown'), refusal(412, 'PreconditionFailed')], async (bucket) => {
      expect(await bucket.putIfAbsent('packs/a', body('x'))).toBeUndefined();
    });
  });

  test('leaves the quotes away for a store that minds them, and for no other', async () => {
    const minds = await against(
      ({ method, headers }, index) => {
        if (method === 'HEAD') return { headers: { ...etag('t1') } };
        return headers['if-match'] === `t${index < 4 ? 1 : 2}`
          ? { headers: etag('t2') }
          : refusal(412, 'PreconditionFailed');
      },
      async (bucket) => {
        expect(await bucket.putIfTag('refs/a', body('2'), 't1')).toBe('t2');
        expect(await bucket.putIfTag('refs/a', body('3'), 't1')).toBe('t2');
      },
    );
    expect(minds.map(({ headers }) => headers['if-match'])).toEqual(['"t1"', undefined, 't1', 't1']);
    const standard = await against(
      ({ method }) => (method === 'HEAD' ? { headers: etag('other') } : refusal(412, 'PreconditionFailed')),
      async (bucket) => expect(await bucket.putIfTag('refs/a', body('2'), 't1')).toBeUndefined(),
    );
    expect(standard.map(({ headers }) => headers['if-match'])).toEqual(['"t1"', undefined]);
  });

  test('does without sums for a store that does not know them', async () => {
    const asked = await against(
      ({ headers }) =>
        headers['x-amz-checksum-sha256'] ? refusal(501, 'NotImplemented') : { headers: etag('t') },
      async (bucket) => {
        expect(await bucket.putIfAbsent('a', body('1'))).toBe('t');
        expect(await bucket.putIfAbsent('b', body('1'))).toBe('t');
      },
    );
    expect(asked).toHaveLength(3);
  });

  test('sends long bodies in parts, and completes them on the condition', async () => {
    const asked = await against(multipart(), async (bucket) => {
      expect(await bucket.putIfAbsent('packs/a', bytesBody(Buffer.alloc(17_000_000, 'x')))).toBe('whole-3');
    });
    const parts = asked.filter(({ method }) => method === 'PUT');
    expect(parts.map((part) => part.body.length).sort()).toEqual([222_784, 8 * 2 ** 20, 8 * 2 ** 20]);
    const complete = asked.at(-1)!;
    expect(complete.headers['if-none-match']).toBe('*');
    expect(complete.body.toString()).toMatch(/<PartNumber>1<.*<PartNumber>2<.*<PartNumber>3</);
  });

  test('sees the error in a completion that began with 200, and tries it again', async () => {
    let completions = 0;
    await against(
      multipart(() => (completions++ === 0 ? { body: errorXml('InternalError') } : undefined)),
      async (bucket) => {
        expect(await bucket.putIfAbsent('packs/a', bytesBody(Buffer.alloc(17_000_000)))).toBe('whole-3');
      },
    );
    expect(completions).toBe(2);
  });

  test('sends all parts anew after a conflict at the end, and gives a lost upload up', async () => {
    let completions = 0;
    const asked = await against(
      multipart(() =>
        completions++ === 0 ? refusal(409, 'ConditionalRequestConflict') : refusal(412, 'PreconditionFailed'),
      ),
      async (bucket) => {
        expect(await bucket.putIfAbsent('packs/a', bytesBody(Buffer.alloc(17_000_000)))).toBeUndefined();
      },
      { silenceMs: 10_000 }, // A busy machine takes its time for 8 MiB, and what is tried again would be counted.
    );
    const count = (method: string) => asked.filter((one) => one.method === method).length;
    expect([count('POST'), count('PUT'), count('DELETE')]).toEqual([4, 6, 2]);
  });

  test('gives the upload up when a part fails', async () => {
    const asked = await against(
      (one) =>
        one.method === 'PUT'
          ? refusal(403, 'AccessDenied')
          : one.method === 'DELETE'
            ? { status: 204 }
            : multipart()(one),
      async (bucket) => {
        const failing = bucket.putIfAbsent('packs/a', bytesBody(Buffer.alloc(17_000_000)));
        await expect(failing).rejects.toMatchObject(failsWith('REMOTE_DENIED', 'AccessDenied'));
      },
    );
    expect(asked.at(-1)).toMatchObject({ method: 'DELETE' });
    expect(asked.at(-1)?.query.get('uploadId')).toBe('U1');
  });
});

function multipart(completing: () => Reply | undefined = () => undefined): (asked: Asked) => Reply {
  return ({ method, query }) => {
    if (query.has('uploads')) {
      return {
        body: '<InitiateMultipartUploadResult><UploadId>U1</UploadId></InitiateMultipartUploadResult>',
      };
    }
    if (method === 'PUT') return { headers: etag(`p${query.get('partNumber')}`) };
    if (method === 'DELETE') return { status: 204 };
    const whole = '<ETag>&quot;whole-3&quot;</ETag>';
    return (
      completing() ?? { body: `<CompleteMultipartUploadResult>${whole}</CompleteMultipartUploadResult>` }
    );
  };
}

describe('what is wrong with an S3 remote is told', () => {
  const told = async (reply: Reply, options: Partial<BucketOptions> = {}) => {
    let error: unknown;
    await against(
      () => reply,
      async (bucket) => {
        error = await bucket.get('format').catch((cause: unknown) => cause);
      },
      options,
    );
    return error as { readonly code: string; readonly message: string; readonly hint: string };
  };

  test('a page of the web, where a store should be', async () => {
    for (const status of [200, 404, 403]) {
      const error = await told({
        status,
        headers: { 'content-type': 'text/html' },
        body: '<html><body>Hi</body></html>',
      });
      expect(error).toMatchObject(failsWith('REMOTE_FAILED', 'does not answer as an S3 store'));
    }
  });

  test('keys that the store does not know, that do not fit, that may not, that have ended', async () => {
    for (const [code, hint] of [
      ['InvalidAccessKeyId', 'access key'],
      ['SignatureDoesNotMatch', 'secret key'],
      ['AccessDenied', 'GetObject'],
      ['ExpiredToken', 'new keys'],
    ]) {
      const error = await told(refusal(code === 'ExpiredToken' ? 400 : 403, code));
      expect(error).toMatchObject(
        failsWith('REMOTE_DENIED', `the keys of the environment: the store says ${code}`),
      );
      expect(error.hint).toContain(hint);
      expect(JSON.stringify({ ...error, message: error.message })).not.toContain('the-secret');
    }
  });

  test('a bucket that is not there', async () => {
    expect(await told(refusal(404, 'NoSuchBucket'))).toMatchObject(
      failsWith('BUCKET_NOT_FOUND', 'no bucket "data"'),
    );
  });

  test('a clock that is off', async () => {
    const date = new Date(Date.now() + 20 * 60_000).toUTCString();
    const error = await told({ ...refusal(403, 'RequestTimeTooSkewed'), headers: { date } });
    expect(error).toMatchObject(failsWith('REMOTE_CLOCK', 'behind that of 127.0.0.1'));
    expect(error.message).toMatch(/20 m|1200|19 m/);
  });

  test('another region: gone to if none was chosen, named if one was', async () => {
    const answer = ({ headers }: Asked): Reply =>
      headers.authorization?.includes('/eu-west-1/s3/')
        ? { headers: etag('t'), body: 'here' }
        : refusal(400, 'AuthorizationHeaderMalformed', '<Region>eu-west-1</Region>');
    const asked = await against(answer, async (bucket) =>
      expect(await textAt(bucket, 'format')).toBe('here'),
    );
    expect(asked).toHaveLength(2);
    await against(
      answer,
      async (bucket) => {
        await expect(bucket.get('format')).rejects.toMatchObject({
          ...failsWith('REMOTE_FAILED', 'is in eu-west-1, not in us-west-2'),
          hint: 'Use --region eu-west-1.',
        });
      },
      { region: 'us-west-2' },
    );
  });

  test('a port where nobody listens, a host that does not exist, https where http is spoken', async () => {
    const open = (endpoint: string) => openBucket('s3://data', { cwd: '/', endpoint, env: KEYS });
    await using closed = await open('http://127.0.0.1:1');
    await expect(closed.get('format')).rejects.toMatchObject(
      failsWith('REMOTE_UNREACHABLE', 'nothing listens there'),
    );
    await using nowhere = await open('http://no-such-host.invalid');
    await expect(nowhere.get('format')).rejects.toMatchObject(failsWith('REMOTE_UNREACHABLE'));
    await using store = await scriptedStore(() => ({}));
    await using plain = await open(store.endpoint.replace('http:', 'https:'));
    await expect(plain.get('format')).rejects.toMatchObject({
      ...failsWith('REMOTE_UNREACHABLE', 'does not speak https://'),
      hint: expect.stringContaining('http://'),
    });
  });
});

describe('a list from S3', () => {
  const row = (key: string) =>
    `<Contents><Key>${key}</Key><ETag>&quot;t&quot;</ETag><Size>1</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>`;
  const page = (rows: string[], token?: string): Reply => ({
    body: `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>${rows.map(row).join('')}<IsTruncated>${token !== undefined}</IsTruncated>${token === undefined ? '' : `<NextContinuationToken>${token}</NextContinuationToken>`}</ListBucketResult>`,
  });

  test('holds only keys, below the prefix, unescaped', async () => {
    const rows = ['elsewhere/x', 'team/', 'team/a%2541', 'team/a+b', 'team/c%00d', 'team/e%2Ff', 'team/%ZZ'];
    await against([page(rows)], async (bucket) => expect(await keysOf(bucket, '')).toEqual(['a%41', 'e/f']));
  });

  test('asks a thousand at a time, after the key given', async () => {
    const asked = await against([page(['team/b'], 'T'), page(['team/c'])], async (bucket) => {
      expect(await keysOf(bucket, '', 'a')).toEqual(['b', 'c']);
    });
    expect(asked[0].query.get('start-after')).toBe('team/a');
    expect(asked[1].query.get('continuation-token')).toBe('T');
    expect(asked[0].query.get('prefix')).toBe('team/');
  });

  test('that is cut without saying how it goes on is asked for after its last name', async () => {
    const cut = (rows: string[]): Reply => ({
      body: page(rows).body!.toString().replace('<IsTruncated>false', '<IsTruncated>true'),
    });
    const asked = await against([cut(['team/b', 'team/b%20x', 'tean/c']), page(['team/c'])], async (bucket) =>
      expect(await keysOf(bucket, '')).toEqual(['b', 'c']),
    );
    expect(asked[1].query.get('start-after')).toBe('tean/c');
    expect(asked[1].query.get('marker')).toBe('tean/c');
    for (const replies of [[cut([])], [cut(['team/b']), cut(['team/b'])], [cut(['x']), cut(['x'])]])
      await against(replies, async (bucket) => {
        await expect(keysOf(bucket, '')).rejects.toMatchObject(failsWith('REMOTE_FAILED'));
      });
  });

  test('that is out of order, goes in circles or is no XML is an error', async () => {
    const lists = (...replies: Reply[]) =>
      against(replies, async (bucket) => {
        await expect(keysOf(bucket, '')).rejects.toMatchObject(failsWith('REMOTE_FAILED'));
      });
    await lists(page(['team/b', 'team/a']));
    await lists(page(['team/b'], 'T'), page(['team/c'], 'T'));
    await lists({ body: '{"files": []}' });
    await lists({ body: '<ListBucketResult><Contents><Key>team/a</Key></Contents></ListBucketResult>' });
  });

  test('expands no entity of the document itself', async () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "${'a'.repeat(1000)}"><!ENTITY b "${'&a;'.repeat(1000)}">]>`;
    const list = `<ListBucketResult><Contents><Key>${'&b;'.repeat(1000)}</Key></Contents></ListBucketResult>`;
    await against([{ body: bomb + list }], async (bucket) => {
      expect(await keysOf(bucket, '').catch((error: { code: string }) => [error.code])).toEqual(
        expect.not.arrayContaining([expect.stringMatching(/^a{1000}/)]),
      );
    });
  });
});

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openBucket, parseBucketUrl } from '#sync';
import type { BucketOptions } from '#sync';
import { scriptedStore } from './scripted-store.ts';

const scratch = mkdtempSync(join(tmpdir(), 'art-open-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const at = { cwd: '/here', home: '/home/ada' };

describe('the address of a remote', () => {
  test('is a path, a file URL or an s3 URL', () => {
    const folder = (path: string) => ({ kind: 'folder', path });
    expect(parseBucketUrl('/mnt/share/art', at)).toEqual(folder('/mnt/share/art'));
    expect(parseBucketUrl('../store', at)).toEqual(folder('/store'));
    expect(parseBucketUrl('~/store', at)).toEqual(folder('/home/ada/store'));
    expect(parseBucketUrl('odd name: with, signs', at)).toEqual(folder('/here/odd name: with, signs'));
    expect(parseBucketUrl('file:///mnt/a%20b', at)).toEqual(folder('/mnt/a b'));
    expect(parseBucketUrl('s3://bucket/pre/fix', at)).toEqual({ kind: 's3', address: 'bucket/pre/fix' });
    expect(parseBucketUrl('S3://bucket', at)).toEqual({ kind: 's3', address: 'bucket' });
  });

  test('is refused with what is wrong with it, and without the password in it', async () => {
    const refused = async (url: string, message: string, options: Partial<BucketOptions> = {}) => {
      const opening = openBucket(url, { ...at, env: {}, ...options });
      await expect(opening).rejects.toMatchObject({
        code: 'REMOTE_URL_INVALID',
        message: expect.stringContaining(message),
      });
    };
    await refused('gs://bucket', 'gs://, which art cannot reach');
    await refused('https://example.org/x', 'https://, which art cannot reach');
    await refused('', 'no address');
    await refused('s3:bucket', 'no address');
    await refused('s3://', 'cannot be the name of a bucket');
    await refused('s3://no%20bucket', 'cannot be the name of a bucket');
    await refused('s3://bucket/a//b', 'empty part');
    await refused('s3://bucket/../b', '".."');
    await refused('s3://bucket/a?versionId=1', 'odd character');
    await refused('file://other-host/x', 'no folder of this machine');
    await refused('s3://bucket', 'is no URL', { endpoint: 'minio' });
    await refused('s3://bucket', 'neither https:// nor http://', { endpoint: 'ftp://minio' });
    await refused('s3://bucket', 'cannot be a region', { region: 'eu west' });
    for (const [url, options] of [
      ['s3://key:hunter2@bucket', {}],
      ['https://ada:hunter2@example.org', {}],
      ['s3://bucket', { endpoint: 'https://ada:hunter2@minio' }],
    ] as const) {
      const error = await openBucket(url, { ...at, env: {}, ...options }).catch((cause: Error) => cause);
      expect(error).toMatchObject({ code: 'REMOTE_URL_INVALID' });
      expect((error as Error).message).not.toContain('hunter2');
    }
  });

  test('makes its folder for a first push, but not what should be above it', async () => {
    await using _ = await openBucket('store', { cwd: scratch, absent: 'made' });
    await using __ = await openBucket('store', { cwd: scratch, absent: 'made' });
    expect(existsSync(join(scratch, 'store'))).toBe(true);
    await using deep = await openBucket('not/mounted', { cwd: scratch, absent: 'made' });
    await expect(deep.get('format')).rejects.toMatchObject({ code: 'BUCKET_NOT_FOUND' });
  });
});

describe('credentials', () => {
  const home = join(scratch, 'home');
  mkdirSync(join(home, '.aws'), { recursive: true });
  const endpointOfFile = 'http://127.0.0.1:2';
  writeFileSync(
    join(home, '.aws/config'),
    `\uFEFF# comment
[default]
region = eu-central-1
[profile ada]
region=ap-south-1
services = local
[profile with-endpoint]
endpoint_url = ${endpointOfFile}
s3 =
  addressing_style = virtual
  max_concurrent_requests = 20
[services local]
s3 =
  endpoint_url = ${endpointOfFile}
[profile role]
role_arn = arn:aws:iam::1:role/x
source_profile = default
[sso-session s]
sso_region = x
[profile sso]
sso_session = s
[profile process]
credential_process = /bin/creds
`,
  );
  writeFileSync(
    join(home, '.aws/credentials'),
    `[default]
aws_access_key_id = DEFAULTKEY
aws_secret_access_key = default/secret+=#1 ; comment
[ada]
aws_access_key_id=ADAKEY
aws_secret_access_key=ada
aws_session_token=adatoken
[with-endpoint]
aws_access_key_id=EKEY
aws_secret_access_key=e
`,
  );

  /** Who signs, for where, as the store sees it. */
  const signed = async (options: Partial<BucketOptions>) => {
    await using store = await scriptedStore(() => ({ headers: { etag: '"t"' } }));
    await using bucket = await openBucket('s3://data', {
      cwd: '/',
      home,
      env: {},
      endpoint: store.endpoint,
      ...options,
    });
    await bucket.get('format');
    const { authorization, 'x-amz-security-token': token } = store.asked[0].headers;
    const [, key, region] = /Credential=([^/]+)\/\d+\/([^/]+)\/s3/.exec(authorization ?? '') ?? [];
    return { key, region, ...(token !== undefined && { token }) };
  };

  test('come from the environment, from a profile, or from the default one', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'ENVKEY', AWS_SECRET_ACCESS_KEY: 's', AWS_REGION: 'us-east-2' };
    expect(await signed({ env })).toEqual({ key: 'ENVKEY', region: 'us-east-2' });
    expect(await signed({})).toEqual({ key: 'DEFAULTKEY', region: 'eu-central-1' });
    expect(await signed({ env: { AWS_PROFILE: 'ada' } })).toEqual({
      key: 'ADAKEY',
      region: 'ap-south-1',
      token: 'adatoken',
    });
    expect(await signed({ env: { ...env, AWS_PROFILE: 'ada' } })).toEqual({
      key: 'ENVKEY',
      region: 'us-east-2',
    });
    expect(await signed({ env, profile: 'ada', region: 'r1' })).toEqual({
      key: 'ADAKEY',
      region: 'r1',
      token: 'adatoken',
    });
    const files = { AWS_CONFIG_FILE: '/none', AWS_SHARED_CREDENTIALS_FILE: join(home, '.aws/credentials') };
    expect(await signed({ home: undefined, env: files })).toEqual({ key: 'DEFAULTKEY', region: 'us-east-1' });
  });

  test('the endpoint may stand in the environment or in a profile', async () => {
    const goesTo = async (options: Partial<BucketOptions>) => {
      await using bucket = await openBucket('s3://data', { cwd: '/', home, env: {}, ...options });
      return bucket.get('format').then(String, (error: Error) => error.message);
    };
    const env = { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:3', AWS_ENDPOINT_URL: 'http://127.0.0.1:4' };
    expect(await goesTo({ env })).toContain('127.0.0.1:3');
    expect(await goesTo({ profile: 'ada' })).toContain('127.0.0.1:2');
    expect(await goesTo({ profile: 'ada', endpoint: 'http://127.0.0.1:5' })).toContain('127.0.0.1:5');
  });

  test('that are not there, or are to be got in ways art does not know, are told', async () => {
    const refused = async (options: Partial<BucketOptions>, code: string, message: string, hint: string) => {
      const opening = openBucket('s3://data', { cwd: '/', home, env: {}, ...options });
      await expect(opening).rejects.toMatchObject({
        code,
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint),
      });
    };
    const nobody = join(scratch, 'nobody');
    await refused({ home: nobody }, 'REMOTE_DENIED', 'no credentials', 'AWS_ACCESS_KEY_ID');
    await refused(
      { home: nobody, env: { AWS_ACCESS_KEY_ID: 'x' } },
      'REMOTE_DENIED',
      'AWS_SECRET_ACCESS_KEY is not',
      '',
    );
    await refused({ profile: 'nobody' }, 'CONFIG_INVALID', 'no AWS profile "nobody"', 'list-profiles');
    for (const profile of ['role', 'sso', 'process']) {
      await refused({ profile }, 'CONFIG_INVALID', `profile "${profile}"`, 'export-credentials --profile');
    }
    writeFileSync(join(scratch, 'broken'), '[default]\nno value here\n');
    const env = { AWS_CONFIG_FILE: join(scratch, 'broken') };
    await expect(openBucket('s3://data', { cwd: '/', home, env })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('line 2'),
    });
  });
});

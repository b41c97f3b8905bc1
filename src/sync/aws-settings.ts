/** Finds the credentials, region and endpoint that the user's environment and shared AWS files name for S3. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArtError, errnoOf, fileError } from '#base';
import { parseIni } from './aws-ini.ts';
import type { IniSection } from './aws-ini.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface AwsSettings {
  readonly credentials: Credentials;
  /** Where they come from, for messages. */
  readonly source: string;
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  readonly pathStyle: boolean | undefined;
}

export interface AwsSources {
  /** The environment; only AWS_* is looked at. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder, with `.aws` in it. */
  readonly home: string | undefined;
  /** A profile asked for: it wins over keys in the environment. */
  readonly profile?: string | undefined;
}

/** Raises CONFIG_INVALID for a file or profile that cannot be used, REMOTE_DENIED if there are no credentials at all. */
export async function readAwsSettings(sources: AwsSources): Promise<AwsSettings> {
  const { env } = sources;
  const name = sources.profile ?? env.AWS_PROFILE ?? env.AWS_DEFAULT_PROFILE ?? 'default';
  const { profile, found, services } = await readProfile(sources, name);
  const named = sources.profile ?? env.AWS_PROFILE ?? env.AWS_DEFAULT_PROFILE;
  if (named !== undefined && !found && (sources.profile !== undefined || !env.AWS_ACCESS_KEY_ID)) {
    throw new ArtError('CONFIG_INVALID', `there is no AWS profile ${JSON.stringify(named)}`, {
      hint: '`aws configure list-profiles` shows those there are.',
    });
  }
  const files = env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true' ? undefined : services;
  const style = profile.get('s3.addressing_style');
  return {
    ...credentialsOf(sources, profile, name),
    region: present(env.AWS_REGION) ?? present(env.AWS_DEFAULT_REGION) ?? present(profile.get('region')),
    endpoint:
      present(env.AWS_ENDPOINT_URL_S3) ??
      present(env.AWS_ENDPOINT_URL) ??
      (files && (present(files.get('s3.endpoint_url')) ?? present(profile.get('endpoint_url')))),
    pathStyle: style === 'path' ? true : style === 'virtual' ? false : undefined,
  };
}

interface Profile {
  readonly profile: IniSection;
  readonly found: boolean;
  readonly services: IniSection;
}

/** Both files hold profiles; the credentials file wins where both name a key. */
async function readProfile({ env, home }: AwsSources, name: string): Promise<Profile> {
  const below = (file: string) => (home === undefined ? undefined : join(home, '.aws', file));
  const config = await readIni(present(env.AWS_CONFIG_FILE) ?? below('config'));
  const secret = await readIni(present(env.AWS_SHARED_CREDENTIALS_FILE) ?? below('credentials'));
  const fromConfig =
    config.get(`profile ${name}`) ?? (name === 'default' ? config.get('default') : undefined);
  const fromSecret = secret.get(name);
  const profile = new Map([...(fromConfig ?? []), ...(fromSecret ?? [])]);
  const services = config.get(`services ${profile.get('services') ?? ''}`) ?? new Map<string, string>();
  return { profile, found: fromConfig !== undefined || fromSecret !== undefined, services };
}

async function readIni(path: string | undefined): Promise<ReadonlyMap<string, IniSection>> {
  if (path === undefined) return new Map();
  try {
    return parseIni(await readFile(path, 'utf8'), path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return new Map();
    throw fileError(error, path);
  }
}

function credentialsOf(
  { env, profile: asked }: AwsSources,
  profile: IniSection,
  name: string,
): Pick<AwsSettings, 'credentials' | 'source'> {
  const fromEnv = keyPair(env.AWS_ACCESS_KEY_ID, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN);
  if (asked === undefined && fromEnv !== undefined)
    return { credentials: fromEnv, source: 'the environment' };
  const fromFile = keyPair(
    profile.get('aws_access_key_id'),
    profile.get('aws_secret_access_key'),
    profile.get('aws_session_token'),
  );
  refuseOthers(profile, name, fromFile !== undefined);
  if (fromFile !== undefined)
    return { credentials: fromFile, source: `the AWS profile ${JSON.stringify(name)}` };
  if (asked === undefined && present(env.AWS_ACCESS_KEY_ID) !== undefined) {
    throw new ArtError('REMOTE_DENIED', 'AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not');
  }
  const places = `${asked === undefined ? 'in the environment or ' : ''}in the AWS profile ${JSON.stringify(name)}`;
  throw new ArtError('REMOTE_DENIED', `no credentials for S3 ${places}`, {
    hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`.',
  });
}

const OTHER_WAYS: Readonly<Record<string, string>> = {
  role_arn: 'takes on a role',
  sso_session: 'signs in by SSO',
  sso_start_url: 'signs in by SSO',
  credential_process: 'asks another program',
  login_session: 'signs in by a browser',
};

// These need more requests, or programs, than reading keys; the AWS tools themselves turn them into keys.
function refuseOthers(profile: IniSection, name: string, hasKeys: boolean): void {
  for (const [key, way] of Object.entries(OTHER_WAYS)) {
    if (!profile.has(key) || (hasKeys && key !== 'role_arn')) continue;
    const shown = JSON.stringify(name);
    throw new ArtError(
      'CONFIG_INVALID',
      `the AWS profile ${shown} ${way} (${key}), which art does not do itself`,
      {
        hint: `Let the AWS tools do it: eval "$(aws configure export-credentials --profile ${name} --format env)"`,
      },
    );
  }
}

function keyPair(id: string | undefined, secret: string | undefined, token: string | undefined) {
  const [accessKeyId, secretAccessKey, sessionToken] = [id, secret, token].map(present);
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

function present(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed === '' ? undefined : trimmed;
}

/** Tells what a refusal of S3 means to the user: one clear message for each thing that is wrong. */
import { ArtError, formatDuration } from '#base';
import { HttpFailure } from './http-client.ts';
import type { S3Place } from './s3-place.ts';
import { parseXml } from './s3-xml.ts';

export interface S3Refusal {
  readonly status: number;
  /** S3's own word for it; undefined if the answer is not S3's. */
  readonly code: string | undefined;
  readonly message: string;
  /** Where the bucket really is, if the store says so. */
  readonly region: string | undefined;
  readonly html: boolean;
  readonly date: number | undefined;
}

export interface Attempt {
  /** As in `reading KEY`. */
  readonly doing: string;
  readonly place: S3Place;
  /** Where the credentials come from. */
  readonly source: string;
  /** This machine's clock. */
  readonly now: number;
}

type Headers = Readonly<Record<string, string | undefined>>;

export function refusalOf(status: number, headers: Headers, bytes: Uint8Array): S3Refusal {
  const root = parseXml(bytes);
  const error = root?.name === 'Error' ? root : undefined;
  const date = Date.parse(headers.date ?? '');
  return {
    status,
    code: error?.text('Code'),
    message: error?.text('Message') ?? '',
    region: headers['x-amz-bucket-region'] ?? error?.text('Region'),
    html: /^\s*<(!doctype html|html)/i.test(Buffer.from(bytes.subarray(0, 200)).toString('latin1')),
    date: Number.isNaN(date) ? undefined : date,
  };
}

/** The store says that it did nothing, and that asking again may help. */
export function isBusy({ status, code }: S3Refusal): boolean {
  if (status === 429 || code === 'SlowDown' || code === 'TooManyRequests' || code === 'RequestTimeout')
    return true;
  return status === 409 && (code === 'ConditionalRequestConflict' || code === 'OperationAborted');
}

/** The store failed on the way, and may have done what it was asked. */
export function isBroken({ status }: S3Refusal): boolean {
  return status >= 500 && status !== 501;
}

/** The store, or a header it does not know, has no such thing as a checksum sent along. */
export function refusesChecksum({ status, code, message }: S3Refusal): boolean {
  return (
    status === 501 || code === 'NotImplemented' || (status === 400 && /checksum|sdk.algorithm/i.test(message))
  );
}

const KEYS = 'Check the keys, and that they belong to this store.';
const DENIED: Readonly<Record<string, string>> = {
  AccessDenied:
    'These credentials do not permit it: ask for GetObject, PutObject, DeleteObject and ListBucket.',
  InvalidAccessKeyId: `The store does not know the access key. ${KEYS}`,
  XAdminUserNotFound: `The store does not know the access key. ${KEYS}`,
  SignatureDoesNotMatch: `The secret key does not belong to the access key. ${KEYS}`,
  ExpiredToken: 'The session has ended: get new keys.',
  InvalidToken: 'The session token does not belong to these keys: get new ones.',
  AllAccessDisabled: 'The bucket is closed by the store.',
  AccountProblem: 'The account is closed by the store.',
};

export function refusalError(refusal: S3Refusal, attempt: Attempt): ArtError {
  const { code, message, status, region } = refusal;
  const { place, doing, source } = attempt;
  const bucket = JSON.stringify(place.bucket);
  const said = `the store says ${code ?? `status ${status}`}${message === '' ? '' : `: ${oneLine(message)}`}`;
  if (code === 'NoSuchBucket') {
    const hint = 'Check the name and --endpoint; art makes no buckets.';
    return new ArtError('BUCKET_NOT_FOUND', `there is no bucket ${bucket} at ${place.endpoint.host}`, {
      hint,
    });
  }
  if (code === 'RequestTimeTooSkewed') return skewError(refusal, attempt);
  if (
    region !== undefined &&
    region !== place.region &&
    (status < 400 || code === 'AuthorizationHeaderMalformed')
  ) {
    const hint = `Use --region ${region}.`;
    return new ArtError('REMOTE_FAILED', `the bucket ${bucket} is in ${region}, not in ${place.region}`, {
      hint,
    });
  }
  if (status >= 300 && status < 400) {
    const hint = 'Give the address it redirects to as --endpoint, or its --region.';
    return new ArtError('REMOTE_FAILED', `${place.endpoint.host} sends us elsewhere when ${doing}: ${said}`, {
      hint,
    });
  }
  if (code === undefined && (refusal.html || (status !== 401 && status !== 403)))
    return strangerError(attempt, status);
  if (status === 401 || status === 403 || (code !== undefined && code in DENIED)) {
    const hint = DENIED[code ?? ''] ?? DENIED.AccessDenied;
    return new ArtError('REMOTE_DENIED', `${doing} in ${bucket} with the keys of ${source}: ${said}`, {
      hint,
    });
  }
  if (status === 507 || code === 'QuotaExceeded' || code === 'XMinioStorageFull') {
    return new ArtError('REMOTE_FAILED', `the bucket ${bucket} is full: ${said}`);
  }
  return new ArtError('REMOTE_FAILED', `${doing} in ${bucket}: ${said}`);
}

/** Raised for an answer that no S3 store gives. */
export function strangerError({ place, doing }: Attempt, status: number): ArtError {
  const what = `${place.endpoint.origin} does not answer as an S3 store does (status ${status}, ${doing})`;
  return new ArtError('REMOTE_FAILED', what, {
    hint: 'Check --endpoint: it may be a web page or another port.',
  });
}

export function failureError(failure: HttpFailure, { place, doing }: Attempt): ArtError {
  const { errno = '', message } = failure;
  const where = place.endpoint.host;
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(errno)) {
    return new ArtError('REMOTE_UNREACHABLE', `the certificate of ${where} is not trusted: ${message}`, {
      cause: failure,
      hint: 'Set NODE_EXTRA_CA_CERTS to the file of its authority; for names of buckets, use --path-style.',
    });
  }
  if (errno === 'EPROTO' || errno.startsWith('ERR_SSL') || errno.startsWith('HPE_')) {
    return new ArtError('REMOTE_UNREACHABLE', `${where} does not speak ${place.endpoint.protocol}//`, {
      cause: failure,
      hint: 'Check whether --endpoint should begin with http:// or https://.',
    });
  }
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there',
    ENOTFOUND: 'there is no such host',
    EAI_AGAIN: 'its name cannot be looked up now',
  };
  const why = known[errno] ?? (message || errno);
  return new ArtError('REMOTE_UNREACHABLE', `no answer from ${where}, ${doing}: ${why}`, { cause: failure });
}

/** Tells whether trying again may help. */
export function isPassing({ errno = '' }: HttpFailure): boolean {
  return !/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME|EPROTO|ERR_SSL|ERR_INVALID|HPE_|ENOTFOUND/.test(errno);
}

function skewError({ date }: S3Refusal, { now, place }: Attempt): ArtError {
  const skew = date === undefined ? undefined : now - date;
  const far = skew === undefined ? 'too far' : formatDuration(Math.abs(skew));
  const way = skew === undefined ? 'off' : skew > 0 ? 'ahead of' : 'behind';
  const what = `this machine's clock is ${far} ${way}${skew === undefined ? ' from' : ''} that of ${place.endpoint.host}`;
  return new ArtError('REMOTE_CLOCK', what);
}

function oneLine(text: string): string {
  // What a server says goes to a terminal: no control characters, and not for ever.
  return text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, 300);
}

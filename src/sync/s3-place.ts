/** Says where a bucket's objects lie: endpoint, region, address style and prefix, and the URL of each key. */
import { ArtError } from '#base';

export interface S3Place {
  readonly bucket: string;
  /** Empty, or ends in `/`. */
  readonly prefix: string;
  readonly endpoint: URL;
  readonly region: string;
  /** Whether somebody chose the region; one that is a guess gives way to what the store says. */
  readonly regionChosen: boolean;
  readonly pathStyle: boolean;
}

export interface S3Wishes {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly pathStyle?: boolean | undefined;
}

const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;
/** A bucket that can be the first part of a host name, and match a certificate for one level of names. */
const HOST_LABEL = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
const PREFIX_BYTES_MAX = 400;

/** `address` is what follows `s3://`. Raises REMOTE_URL_INVALID. */
export function s3Place(address: string, wishes: S3Wishes): S3Place {
  const [bucket, ...segments] = address.replace(/\/+$/, '').split('/');
  const refuse = (why: string) =>
    new ArtError('REMOTE_URL_INVALID', `${JSON.stringify(`s3://${address}`)}: ${why}`, {
      hint: 'Write s3://BUCKET or s3://BUCKET/PREFIX.',
    });
  if (!BUCKET.test(bucket)) throw refuse(`${JSON.stringify(bucket)} cannot be the name of a bucket`);
  if (segments.some((segment) => !isPrefixSegment(segment))) {
    throw refuse('the prefix has an empty part, "." or "..", or an odd character');
  }
  const prefix = segments.map((segment) => `${segment}/`).join('');
  if (Buffer.byteLength(prefix) > PREFIX_BYTES_MAX) throw refuse('the prefix is too long');
  const endpoint = wishes.endpoint === undefined ? undefined : endpointOf(wishes.endpoint);
  const region = wishes.region ?? regionOf(endpoint);
  if (region !== undefined && !/^[A-Za-z0-9-]{1,64}$/.test(region)) {
    throw new ArtError('REMOTE_URL_INVALID', `${JSON.stringify(region)} cannot be a region`, {
      hint: 'Write it as the store does: eu-west-1.',
    });
  }
  const place = region ?? 'us-east-1';
  return {
    bucket,
    prefix,
    endpoint: endpoint ?? awsEndpoint(place),
    region: place,
    regionChosen: region !== undefined,
    // Most stores that are not AWS's own have no host name for each bucket.
    pathStyle: wishes.pathStyle ?? (endpoint !== undefined || !HOST_LABEL.test(bucket)),
  };
}

/** The same place in another of AWS's regions. */
export function movedTo(place: S3Place, region: string): S3Place {
  const endpoint = isAws(place.endpoint) ? awsEndpoint(region) : place.endpoint;
  return { ...place, region, regionChosen: true, endpoint };
}

/** The URL of a key, or of the bucket itself. `query` values are text, not yet escaped. */
export function urlOf(
  place: S3Place,
  key: string | undefined,
  query: Readonly<Record<string, string>> = {},
): URL {
  const url = new URL(place.endpoint);
  const base = url.pathname.replace(/\/+$/, '');
  if (!place.pathStyle) url.hostname = `${place.bucket}.${url.hostname}`;
  const path = place.pathStyle ? `${base}/${place.bucket}` : base;
  url.pathname =
    key === undefined ? path || '/' : `${path}/${(place.prefix + key).split('/').map(escape).join('/')}`;
  url.search = Object.entries(query)
    .map(([name, value]) => `${escape(name)}=${escape(value)}`)
    .join('&');
  return url;
}

function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function isPrefixSegment(text: string): boolean {
  return text !== '' && text !== '.' && text !== '..' && /^[^\p{C}?#\\]+$/u.test(text);
}

function endpointOf(text: string): URL {
  const refuse = (why: string) =>
    new ArtError('REMOTE_URL_INVALID', `the endpoint ${JSON.stringify(text)} ${why}`, {
      hint: 'Write it as https://HOST or http://HOST:PORT.',
    });
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refuse('is no URL');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('is neither https:// nor http://');
  if (url.username !== '' || url.password !== '') {
    throw new ArtError('REMOTE_URL_INVALID', 'the endpoint holds a password', {
      hint: 'Credentials belong in the environment or in an AWS profile.',
    });
  }
  if (url.search !== '' || url.hash !== '') throw refuse('has a query or a fragment');
  return url;
}

const isAws = ({ hostname }: URL) => /(^|\.)amazonaws\.com(\.cn)?$/.test(hostname);

function awsEndpoint(region: string): URL {
  return new URL(`https://s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`);
}

function regionOf(endpoint: URL | undefined): string | undefined {
  if (endpoint === undefined) return undefined;
  if (endpoint.hostname.endsWith('.r2.cloudflarestorage.com')) return 'auto';
  return /^s3[.-](?:dualstack\.)?([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(endpoint.hostname)?.[1];
}

/** Reads the few XML answers of S3, and writes the one request that is XML. */
import { XMLParser, XMLValidator } from 'fast-xml-parser';

/** One element: its text, or its children in order. Missing children are absent keys. */
export interface XmlElement {
  readonly name: string;
  text(child: string): string | undefined;
  all(child: string): XmlElement[];
}

type Parsed = Readonly<Record<string, unknown>>;

// Entities a document declares for itself are not expanded: they are a way to blow up a reader.
const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  processEntities: false,
  removeNSPrefix: true,
  trimValues: false,
});

/** The document's root element; undefined if `bytes` are no XML document. */
export function parseXml(bytes: Uint8Array): XmlElement | undefined {
  const text = Buffer.from(bytes).toString('utf8');
  if (XMLValidator.validate(text) !== true) return undefined;
  const parsed = parser.parse(text) as Parsed;
  const [name] = Object.keys(parsed).filter((key) => !key.startsWith('#'));
  return name === undefined ? undefined : element(name, parsed[name]);
}

function element(name: string, value: unknown): XmlElement {
  const children = (child: string): unknown[] => {
    const found = typeof value === 'object' && value !== null ? (value as Parsed)[child] : undefined;
    return found === undefined ? [] : Array.isArray(found) ? found : [found];
  };
  return {
    name,
    text(child) {
      const [first] = children(child);
      return typeof first === 'string' ? unescape(first).trim() : undefined;
    },
    all: (child) => children(child).map((one) => element(child, one)),
  };
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescape(text: string): string {
  return text.replace(/&(?:#(x?)([0-9a-fA-F]{1,6})|(\w+));/g, (all, hex, code, name) => {
    if (name !== undefined) return ENTITIES[name] ?? all;
    const point = parseInt(code, hex === 'x' ? 16 : 10);
    return point <= 0x10ffff ? String.fromCodePoint(point) : all;
  });
}

export interface Part {
  readonly number: number;
  readonly etag: string;
  /** Base 64, if the store keeps it. */
  readonly sha256?: string;
}

/** The body of CompleteMultipartUpload. */
export function partsXml(parts: readonly Part[]): Uint8Array {
  const rows = parts.map(({ number, etag, sha256 }) => {
    const sum = sha256 === undefined ? '' : `<ChecksumSHA256>${sha256}</ChecksumSHA256>`;
    return `<Part><PartNumber>${number}</PartNumber><ETag>&quot;${etag}&quot;</ETag>${sum}</Part>`;
  });
  const space = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return Buffer.from(`<CompleteMultipartUpload ${space}>${rows.join('')}</CompleteMultipartUpload>`);
}

import { expect, test } from 'vitest';
import { toHex, utf8 } from '#base';
import { CHUNK, NODE, hash } from '#object';
import { decodeLocation, encodeLocation } from '#store';
import { loadCompression } from '../../src/store/compression.ts';
import {
  HEADER_BYTES,
  JOURNAL_ALIGNMENT,
  PACK_ALIGNMENT,
  RECORDS,
  decodeHeader,
  decodeTrailer,
  encodeHeader,
} from '../../src/store/pack-format.ts';
import type { Row } from '../../src/store/pack-format.ts';
import {
  decodeChanges,
  decodeMeta,
  encodeChanges,
  encodeMeta,
  objectKey,
  openRecord,
  recordKey,
  sealRecord,
} from '../../src/store/records.ts';
import { Segment } from '../../src/store/segment.ts';

// Bytes that are stored for ever: a change here is a change of the format on disk.

const ID = Uint8Array.from({ length: 16 }, (_, i) => i);
/** Zeros in a row are counted, so that padding can be read. */
const shown = (bytes: Uint8Array) =>
  toHex(bytes).replace(/(?:00){16,}/g, (zeros) => ` ${zeros.length / 2} zeros `);

const row = (kind: typeof CHUNK | typeof NODE, codec: 0 | 1): Row => ({
  kind,
  digest: hash(utf8('it')),
  bytes: 5,
  offset: 20,
  frame: { offset: 300, storedBytes: codec === 0 ? 500 : 90, rawBytes: 500, codec, rowCount: 3 },
});

test('the header of a pack and of a journal', () => {
  expect(shown(encodeHeader(ID, PACK_ALIGNMENT))).toMatchInlineSnapshot(
    `"4152545041434b3100100000000102030405060708090a0b0c0d0e0f61a49f9d"`,
  );
  expect(shown(encodeHeader(ID, JOURNAL_ALIGNMENT))).toMatchInlineSnapshot(
    `"4152545041434b3100020000000102030405060708090a0b0c0d0e0fb5a9e658"`,
  );
  expect(decodeHeader(encodeHeader(ID, PACK_ALIGNMENT), 'it')).toEqual({ alignment: PACK_ALIGNMENT });
});

test('a segment: a chunk and a node in a frame, a list of records, and the trailer', async () => {
  await loadCompression();
  const stored: Uint8Array[] = [];
  const segment = new Segment((bytes) => void stored.push(Buffer.from(bytes)));
  const list = encodeChanges(new Map([['ref/x', utf8('to')]]))[0];
  segment.put(CHUNK, hash(utf8('chunk')), utf8('chunk'));
  segment.put(NODE, hash(utf8('node')), utf8('node'));
  segment.put(RECORDS, hash(list), list);
  const { trailer, trailerOffset } = segment.seal(HEADER_BYTES, 0, JOURNAL_ALIGNMENT);
  expect(shown(Buffer.concat(stored))).toMatchInlineSnapshot(`"6368756e6b6e6f6465057265662f780102746f"`);
  expect(trailerOffset).toBe(512);
  expect(shown(trailer)).toMatchInlineSnapshot(
    `" 461 zeros 415254545241494c0100000003000000000000000000404000000000000000001300000013000000030000000000050000006b1d440ada61d0f4e4416c73bcbab3694f96875a3e5df3253075163ffe93cd4d0104000000235f6d24c29d114f2078f96bc86acdc95ef9038fc0d9761aadd8d2f89e0d040b020a0000003a91c5cc76b4e320ee5fc9d90ca75cde0d069ac9ba5b57c6d749b53bd3222b76 341 zeros 020000178ccdef4152545452454e44"`,
  );
  const { start, previous, rows, end } = decodeTrailer(trailer.subarray(-512), trailerOffset, 'it');
  expect({ start, previous, end }).toEqual({ start: 32, previous: 0, end: 1024 });
  expect(rows.map(({ kind, bytes, offset }) => [kind, bytes, offset])).toEqual([
    [CHUNK, 5, 0],
    [NODE, 4, 5],
    [RECORDS, 10, 9],
  ]);
});

test('the place of an object: plain, in a compressed frame, and with its bytes', () => {
  const places = [
    encodeLocation(7, row(CHUNK, 0), undefined),
    encodeLocation(70_000, row(CHUNK, 1), undefined),
    encodeLocation(7, row(NODE, 1), utf8('bytes')),
  ];
  expect(places.map(toHex)).toMatchInlineSnapshot(`
    [
      "0007c00205",
      "01f0a204ac025af4031405",
      "8107ac025af40314056279746573",
    ]
  `);
  expect(places.map(decodeLocation)).toMatchObject([
    { pack: 7, codec: 0, offset: 320, bytes: 5 },
    { pack: 70_000, codec: 1, offset: 300, storedBytes: 90, rawBytes: 500, inFrame: 20, bytes: 5 },
    { pack: 7, inline: Buffer.from('bytes') },
  ]);
});

test('keys, a record, a list of records, and what the store remembers of itself', () => {
  const changes = new Map([
    ['ref/artifacts/cifar', utf8('value')],
    ['held/gone', undefined],
  ]);
  const meta = { journal: 3, journalEnd: 70_000, nextPack: 300, epoch: 5 };
  expect({
    chunk: toHex(objectKey(CHUNK, hash(utf8('it')))),
    node: toHex(objectKey(NODE, hash(utf8('it')))),
    key: toHex(recordKey('ref/x')),
    record: toHex(sealRecord('ref/x', utf8('value'))),
    list: encodeChanges(changes).map(toHex),
    meta: toHex(encodeMeta(meta)),
  }).toMatchInlineSnapshot(`
    {
      "chunk": "0022324018dfe2df45e2a1e61056a86cabb7fed402c809bef90e207ba78c92624f",
      "key": "727265662f78",
      "list": [
        "137265662f6172746966616374732f6369666172010576616c75650968656c642f676f6e6500",
      ],
      "meta": "b211334503f0a204ac0205",
      "node": "0122324018dfe2df45e2a1e61056a86cabb7fed402c809bef90e207ba78c92624f",
      "record": "21ca1a8a76616c7565",
    }
  `);
  expect(openRecord('ref/x', sealRecord('ref/x', utf8('value')))).toEqual(Buffer.from('value'));
  expect(decodeChanges(encodeChanges(changes)[0])).toEqual(
    new Map([...changes].map(([key, value]) => [key, value && Buffer.from(value)])),
  );
  expect(decodeMeta(encodeMeta(meta))).toEqual(meta);
});

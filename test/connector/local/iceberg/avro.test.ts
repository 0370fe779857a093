import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AvroRecord,
  decodeContainer,
  encodeContainer,
} from '../../../../connector/local/iceberg/avro.ts'
import {
  decodeManifest,
  decodeManifestList,
  encodeManifest,
  encodeManifestList,
  type ManifestEntry,
  summarize,
} from '../../../../connector/local/iceberg/manifests.ts'

const LONG: AvroRecord = {
  type: 'record',
  name: 'r',
  fields: [
    { name: 'n', type: 'long', 'field-id': 1 },
    { name: 's', type: ['null', 'string'], default: null },
  ],
}

const text = (value: string) => [value.length * 2, ...Buffer.from(value)]

describe('an Avro container', () => {
  test('has the bytes of the specification', () => {
    const bytes = encodeContainer(
      { type: 'record', name: 'r', fields: [{ name: 'n', type: 'long' }] },
      {},
      [{ n: -65 }],
    )
    const schema = '{"type":"record","name":"r","fields":[{"name":"n","type":"long"}]}'
    const header = [0x4f, 0x62, 0x6a, 1, 4, ...text('avro.schema')]
    const start = Buffer.from([
      ...header,
      0x84,
      0x01,
      ...Buffer.from(schema),
      ...text('avro.codec'),
      ...text('null'),
      0,
    ])
    expect(bytes.subarray(0, start.length)).toEqual(start)
    const sync = bytes.subarray(start.length, start.length + 16)
    // One record of two bytes: zig-zag of -65 is 129, which is 81 01.
    expect(bytes.subarray(start.length + 16)).toEqual(
      Buffer.concat([Buffer.from([2, 4, 0x81, 0x01]), sync]),
    )
  })

  test('gives back every long and text, large ones as bigint', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            n: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
            s: fc.option(fc.string({ unit: 'binary' })),
          }),
        ),
        (records) => {
          const decoded = decodeContainer(encodeContainer(LONG, { a: 'b' }, records))
          expect(decoded.meta).toMatchObject({ a: 'b' })
          expect(decoded.records.map((r) => ({ ...r, n: BigInt(r['n'] as number) }))).toEqual(
            records,
          )
        },
      ),
    )
  })

  test('refuses a codec that it does not write, a cut file and other bytes', () => {
    const bytes = encodeContainer(LONG, {}, [{ n: 1, s: 'a' }])
    expect(() => decodeContainer(encodeContainer(LONG, { 'avro.codec': 'deflate' }, []))).toThrow(
      'deflate',
    )
    expect(() => decodeContainer(bytes.subarray(0, bytes.length - 1))).toThrow('more bytes')
    expect(() => decodeContainer(Buffer.from('PAR1'))).toThrow('other bytes')
  })
})

describe('manifests', () => {
  const entry: ManifestEntry = {
    status: 1,
    snapshotId: 2 ** 53 - 1,
    sequenceNumber: 3,
    file: {
      path: '/w/data/0-x.parquet',
      rows: 10,
      bytes: 1000,
      columnSizes: new Map([[1, 5]]),
      valueCounts: new Map([[1, 10]]),
      nullValueCounts: new Map([[1, 0]]),
      nanValueCounts: new Map(),
      lowerBounds: new Map([[1, Uint8Array.of(1, 0, 0, 0)]]),
      upperBounds: new Map([[1, Uint8Array.of(9, 0, 0, 0)]]),
    },
  }

  test('come back as they were written, with ids on every field', () => {
    const bytes = encodeManifest([entry], { 'schema-id': 4 })
    expect(decodeManifest(bytes, 'm')).toEqual([entry])
    const { meta } = decodeContainer(bytes)
    expect(meta).toMatchObject({ 'schema-id': '4', content: 'data', 'format-version': '2' })
    const ids = [...(meta['avro.schema'] ?? '').matchAll(/"field-id":(\d+)/g)].map(([, id]) =>
      Number(id),
    )
    expect(ids.length).toBe(33)
    expect(new Set(ids)).toEqual(
      new Set([
        0, 1, 2, 3, 4, 100, 101, 102, 103, 104, 108, 109, 110, 117, 118, 119, 120, 121, 122, 125,
        126, 127, 128, 129, 130, 131, 132, 134, 135, 137, 138, 139, 140,
      ]),
    )
  })

  test('are summed up in a list', () => {
    const entries: ManifestEntry[] = [
      entry,
      { ...entry, status: 0, sequenceNumber: 1 },
      { ...entry, status: 2, sequenceNumber: 0 },
    ]
    const manifest = summarize(entries, { path: '/m', length: 7, snapshotId: 5, sequenceNumber: 3 })
    expect(manifest).toMatchObject({
      addedFiles: 1,
      existingFiles: 1,
      deletedFiles: 1,
      addedRows: 10,
      existingRows: 10,
      deletedRows: 10,
      minSequenceNumber: 1,
    })
    const bytes = encodeManifestList([manifest], {
      snapshotId: 5,
      parentId: null,
      sequenceNumber: 3,
    })
    expect(decodeManifestList(bytes, 'l')).toEqual([manifest])
  })
})

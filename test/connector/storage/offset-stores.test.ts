import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FileOffsetBackingStore } from '../../../connector/storage/file-offset-backing-store.ts'
import { decodeJavaHashMap, encodeJavaHashMap } from '../../../connector/storage/java-hash-map.ts'
import { MemoryOffsetBackingStore } from '../../../connector/storage/offset-backing-store.ts'
import { OffsetStorage } from '../../../connector/storage/offset-storage.ts'
import { offsetBackingStoreConformance } from '../../conformance/offset-backing-store.ts'

let folder = ''
let files = 0
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'offsets-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
const newFile = (): string => path.join(folder, 'deep', `${files++}.offsets`)

offsetBackingStoreConformance('memory', () => new MemoryOffsetBackingStore())
offsetBackingStoreConformance('file', () => new FileOffsetBackingStore(newFile()))

describe('FileOffsetBackingStore', () => {
  test('finds after a restart what was stored', async () => {
    const file = newFile()
    const store = new FileOffsetBackingStore(file)
    await store.start()
    await store.set(new Map([['a', '1']]))
    const again = new FileOffsetBackingStore(file)
    await again.start()
    expect(await again.entries()).toEqual(new Map([['a', '1']]))
  })

  test('treats an empty file as no offsets, and says which file is damaged', async () => {
    const file = path.join(folder, 'empty')
    writeFileSync(file, '')
    await new FileOffsetBackingStore(file).start()
    writeFileSync(file, 'not Java')
    await expect(new FileOffsetBackingStore(file).start()).rejects.toThrow(`${file} is damaged`)
  })

  test('reports a write that fails and goes on with the next', async () => {
    const file = path.join(folder, 'blocked')
    const store = new FileOffsetBackingStore(path.join(file, 'x'))
    await store.start()
    writeFileSync(file, '') // A file where the folder should be.
    await expect(store.set(new Map([['a', '1']]))).rejects.toThrow('Cannot write the offsets file')
    rmSync(file)
    await store.set(new Map([['b', '2']]))
    expect(await store.entries()).toEqual(new Map([['b', '2']]))
  })
})

describe('Java’s HashMap', () => {
  // java.io.ObjectOutputStream of a HashMap<byte[], byte[]> with the one entry "k" → "v".
  const JAVA =
    'aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468726573686f6c6478703f4000000000000c770800000010000000017572' +
    '00025b42acf317f8060854e002000078700000000' +
    '16b7571007e00020000000176' +
    '78'

  test('is written and read as Java does', () => {
    const map = new Map([['k', 'v']])
    expect(encodeJavaHashMap(map).toString('hex')).toBe(JAVA)
    expect(decodeJavaHashMap(Buffer.from(JAVA, 'hex'))).toEqual(map)
  })

  test('survives a round trip', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (entries) => {
        const map = new Map(Object.entries(entries))
        expect(decodeJavaHashMap(encodeJavaHashMap(map))).toEqual(map)
      }),
    )
  })

  test('never takes a damaged file for a good one with fewer entries', () => {
    const bytes = encodeJavaHashMap(
      new Map([
        ['key', 'value'],
        ['other', 'one'],
      ]),
    )
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeJavaHashMap(bytes.subarray(0, length))).toThrow(/Expected .* at byte/)
    }
  })
})

describe('OffsetStorage', () => {
  test('finds a partition whatever the order of its fields, and writes under the key that was there', async () => {
    const store = new MemoryOffsetBackingStore()
    const javaKey = '["c",{"b":1,"a":"x"}]'
    await store.set(
      new Map([
        [javaKey, '{"n":1}'],
        ['["d",{"a":"x"}]', '{"n":9}'],
        ['junk', '{}'],
      ]),
    )
    const offsets = new OffsetStorage(store)
    expect(await offsets.offsets('c', [{ a: 'x', b: 1 }, { a: 'y' }])).toEqual([
      { n: 1 },
      undefined,
    ])
    await offsets.write('c', [[{ a: 'x', b: 1 }, { n: 2 }]])
    expect((await store.entries()).get(javaKey)).toBe('{"n":2}')
    expect(await offsets.list('c')).toEqual([[{ b: 1, a: 'x' }, { n: 2 }]])
    await offsets.write('c', [[{ a: 'x', b: 1 }, null]])
    expect(await offsets.list('c')).toEqual([])
    expect(await offsets.list('d')).toHaveLength(1)
  })

  test('refuses what is no scalar', async () => {
    const offsets = new OffsetStorage(new MemoryOffsetBackingStore())
    await expect(offsets.write('c', [[{ a: 'x' }, { n: {} as never }]])).rejects.toThrow(
      'Offsets may only contain primitive types as values, but field n contains object',
    )
  })

  test('keeps the format of Kafka Connect’s offsets topic', async () => {
    const file = newFile()
    const offsets = new OffsetStorage(new FileOffsetBackingStore(file))
    await offsets.start()
    await offsets.write('gtfs', [[{ feed: 'ace' }, { etag: 'x', ts: 1_733_000_000 }]])
    expect(decodeJavaHashMap(readFileSync(file))).toEqual(
      new Map([['["gtfs",{"feed":"ace"}]', '{"etag":"x","ts":1733000000}']]),
    )
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openZip } from '../../../tools/geometry/zip-reader.mjs'
import { zip } from '../../support/zip.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'zip-'))
})
afterAll(() => rm(dir, { recursive: true }))

const GOOD = zip({ 'a.txt': 'hello '.repeat(50), 'b.txt': 'x' })
const DIRECTORY = GOOD.readUInt32LE(GOOD.length - 6)

/** All files of the archive, read. */
async function readAll(bytes: Uint8Array, limits?: Limits): Promise<readonly string[]> {
  const file = path.join(dir, 'x.zip')
  await writeFile(file, bytes)
  const archive = openZip(file, limits)
  try {
    return archive.names.map((name) => archive.read(name).toString())
  } finally {
    archive.close()
  }
}
type Limits = Parameters<typeof openZip>[1]

/** The good archive with a few bytes changed. */
function spoilt(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(GOOD)
  change(bytes)
  return bytes
}

describe('openZip', () => {
  test('reads every file of an archive', async () => {
    expect(await readAll(GOOD)).toEqual(['hello '.repeat(50), 'x'])
  })

  test.each([
    ['no archive', Buffer.from('hello'), 'is no ZIP archive'],
    ['an archive cut off in front', GOOD.subarray(60), 'ends before'],
    ['a damaged file', spoilt((b) => b.writeUInt8(b.readUInt8(40) ^ 0xff, 40)), 'a.txt'],
    ['a wrong checksum', spoilt((b) => b.writeUInt32LE(1, DIRECTORY + 16)), 'is damaged'],
    ['a size that is too small', spoilt((b) => b.writeUInt32LE(5, DIRECTORY + 24)), 'unpacked'],
    ['an encrypted file', spoilt((b) => b.writeUInt16LE(1, DIRECTORY + 8)), 'is encrypted'],
    ['another method', spoilt((b) => b.writeUInt16LE(12, DIRECTORY + 10)), 'method 12'],
    ['a file elsewhere', spoilt((b) => b.writeUInt32LE(3, DIRECTORY + 42)), 'is not where'],
    ['more files than there are', spoilt((b) => b.writeUInt16LE(9, b.length - 12)), 'breaks off'],
    ['a ZIP64 archive', spoilt((b) => b.writeUInt32LE(0xffffffff, b.length - 6)), 'ZIP64'],
  ])('refuses %s', async (_name, bytes, message) => {
    await expect(readAll(bytes)).rejects.toThrow(message)
  })

  test('reads no file beyond its limit, whatever the archive says', async () => {
    const limits = { directoryBytes: 1_000, entries: 10, entryBytes: 299 }
    await expect(readAll(GOOD, limits)).rejects.toThrow('a.txt')
    await expect(readAll(GOOD, { ...limits, entries: 1 })).rejects.toThrow('more than is read')
    await expect(readAll(GOOD, { ...limits, directoryBytes: 20 })).rejects.toThrow('more than')
  })

  test('never gives other bytes than were packed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: GOOD.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const bytes = spoilt((b) => b.writeUInt8(b.readUInt8(at) ^ flip, at))
          const read = await readAll(bytes).catch(() => [])
          // A spoilt directory may hide a file, never change one.
          return read.every((text) => text === 'x' || text === 'hello '.repeat(50))
        },
      ),
      { numRuns: 200 },
    )
  })
})

import { deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import {
  compressionProblem,
  compressorFor,
  nodeZstd,
  type Zstd,
} from '../../../connector/snowflake/compression.ts'

/** Stands in for what Node has from 22.15 on. */
const ZSTD: Zstd = {
  zstdCompress: (raw, _options, done) => done(null, deflateSync(raw)),
  zstdDecompressSync: (body) => inflateSync(body),
  constants: { ZSTD_c_compressionLevel: 100 },
}
const ROWS = Buffer.from('{"a":1}\n'.repeat(1_000))

describe('compressorFor', () => {
  test.each([
    ['auto', undefined, 'gzip'],
    ['gzip', ZSTD, 'gzip'],
    ['auto', ZSTD, 'zstd'],
    ['zstd', ZSTD, 'zstd'],
  ] as const)('%s', (choice, zstd, encoding) => {
    expect(compressorFor(choice, zstd).encoding).toBe(encoding)
  })

  test.each(['gzip', 'auto'] as const)('%s of this Node gives the rows back', async (choice) => {
    const compressor = compressorFor(choice)
    const body = await compressor.compress(ROWS)
    expect(body.length).toBeLessThan(ROWS.length / 10)
    expect(Buffer.compare(compressor.decompress(body), ROWS)).toBe(0)
    expect(compressor.encoding).toBe(
      choice === 'auto' && nodeZstd() !== undefined ? 'zstd' : 'gzip',
    )
  })
})

test('zstd is refused where Node has none, with the reason', () => {
  expect(compressionProblem('zstd', undefined)).toContain(
    nodeZstd() === undefined ? 'needs Node 22.15' : '',
  )
  expect(compressionProblem('zstd', ZSTD)).toBeUndefined()
  expect(compressionProblem('auto')).toBeUndefined()
  expect(compressionProblem('brotli')).toContain('must be one of')
})

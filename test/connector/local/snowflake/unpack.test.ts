import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiError } from '../../../../connector/local/snowflake/errors.ts'
import { unpack } from '../../../../connector/local/snowflake/unpack.ts'
import { zstdStored } from '../../../support/zstd-stored.ts'

/** What `zstd -19` makes of "snowflake " 40 times: one compressed block, content size, checksum. */
const COMPRESSED = Buffer.from('KLUv/WSQAI0AAFBzbm93Zmxha2UgAQCDVQsSjk4B3g==', 'base64')

const outcome = async (body: Uint8Array, encoding: string): Promise<unknown> => {
  try {
    return (await unpack(body, encoding)).byteLength
  } catch (error) {
    if (error instanceof ApiError) return `${error.status} ${error.code}`
    throw error
  }
}

/** A frame of one-byte RLE blocks of `size` bytes each, with the window that `descriptor` names. */
function rleFrame(blocks: number, size: number, descriptor: number): Uint8Array {
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0x00, descriptor]
  const body = Array.from({ length: blocks }, (_, index) => {
    const block = (size << 3) | (1 << 1) | (index === blocks - 1 ? 1 : 0)
    return [block & 255, (block >> 8) & 255, (block >> 16) & 255, 0x20]
  })
  return Uint8Array.from([...head, ...body.flat()])
}

describe('unpack', () => {
  test('gives back what was packed, in one frame or several, behind skippable ones too', async () => {
    const skippable = Uint8Array.of(0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 1 }),
        async (parts) => {
          const body = Buffer.concat(parts.flatMap((part) => [skippable, zstdStored(part)]))
          expect(Buffer.from(await unpack(body, 'zstd'))).toEqual(Buffer.concat(parts))
          const whole = Buffer.concat(parts)
          expect(Buffer.from(await unpack(gzipSync(whole), 'gzip'))).toEqual(whole)
        },
      ),
      { numRuns: 50 },
    )
    expect(Buffer.from(await unpack(COMPRESSED, 'zstd')).toString()).toBe('snowflake '.repeat(40))
  })

  test('is done with a frame of many blocks whatever window it claims', async () => {
    expect(await outcome(rleFrame(500, 131_072, 0x68), 'zstd')).toBe(500 * 131_072)
    expect(await outcome(rleFrame(20_000, 1, 0xa8), 'zstd')).toBe(20_000)
  })

  test('refuses what unpacks to more than 64 MiB, by 413', async () => {
    expect(await outcome(rleFrame(513, 131_072, 0x88), 'zstd')).toBe('413 ERR_PAYLOAD_TOO_LARGE')
    expect(await outcome(gzipSync(Buffer.alloc(70_000_000)), 'gzip')).toBe(
      '413 ERR_PAYLOAD_TOO_LARGE',
    )
  })

  test('refuses a frame that would make the decoder move memory for minutes', async () => {
    const blocks = Array.from({ length: 900_000 }, (_, index) => [
      index === 899_999 ? 0x0b : 0x0a,
      0,
      0,
      7,
    ])
    const head = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88]
    const body = Uint8Array.from(head.concat(blocks.flat()))
    expect(await outcome(body, 'zstd')).toBe('413 ERR_PAYLOAD_TOO_LARGE')
  })

  test('refuses what is no zstd, cut or with a word changed, by 400, and never hangs', async () => {
    expect(await outcome(Buffer.from('{"a":1}\n'), 'zstd')).toBe('400 ERR_INVALID_PAYLOAD')
    for (let length = 0; length < COMPRESSED.length; length++)
      expect(await outcome(COMPRESSED.subarray(0, length), 'zstd')).toBe('400 ERR_INVALID_PAYLOAD')
    await fc.assert(
      fc.asyncProperty(fc.nat(COMPRESSED.length - 1), fc.nat(255), async (at, value) => {
        const body = Buffer.from(COMPRESSED)
        body[at] = value
        expect(['number', 'string']).toContain(typeof (await outcome(body, 'zstd')))
      }),
    )
  })

  test('refuses an encoding that it does not know', async () => {
    expect(await outcome(Buffer.from('x'), 'br')).toBe('415 ERR_UNSUPPORTED_CONTENT_ENCODING')
  })
})

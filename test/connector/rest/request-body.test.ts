import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { readBody } from '../../../connector/rest/request-body.ts'

const LIMIT = 1_000

/** A request whose body the test writes. */
function request(encoding: string): { body: PassThrough; message: IncomingMessage } {
  const body = new PassThrough()
  const message = Object.assign(body, { headers: { 'content-encoding': encoding } })
  return { body, message: message as unknown as IncomingMessage }
}

describe('request body', () => {
  test('is unpacked', async () => {
    const { body, message } = request('gzip')
    body.end(gzipSync('{"a":1}'))
    expect(await readBody(message, LIMIT)).toBe('{"a":1}')
  })

  test.each(['gzip', 'identity'])(
    'of a client that left in the middle ends (%s)',
    async (encoding) => {
      const { body, message } = request(encoding)
      const reading = readBody(message, LIMIT)
      body.write(gzipSync('{"a":1}').subarray(0, 8))
      body.destroy(new Error('aborted'))
      await expect(reading).rejects.toMatchObject({ status: 400 })
    },
  )

  test('that is not what it says is the client’s mistake', async () => {
    const { body, message } = request('gzip')
    body.end('not gzip')
    await expect(readBody(message, LIMIT)).rejects.toMatchObject({ status: 400 })
  })

  test('that grows beyond the limit when unpacked is refused', async () => {
    const { body, message } = request('gzip')
    body.end(gzipSync('x'.repeat(LIMIT + 1)))
    await expect(readBody(message, LIMIT)).rejects.toMatchObject({ status: 413 })
  })
})
